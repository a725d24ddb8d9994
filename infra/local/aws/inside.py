"""The emulator with what is ours in its process: `python -m infra.local.aws.inside RIGHTS SNAPSHOTS LOCK`.

RIGHTS is the file that `witness` writes, SNAPSHOTS the folder of saved states, LOCK the open file that tells that this
process lives. The emulator saves its state at its end alone and file by file, so its one place of saving is replaced.
Of tokens it asks less than API Gateway does.
"""

import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from infra.local.aws.saving import SavingApp, write_states
from infra.local.aws.snapshots import Snapshots
from infra.local.aws.tokens import is_refused
from infra.local.aws.witness import watched


def main(rights: str, folder: str, lock: str) -> None:
    """Run the emulator until it is told to end."""
    from ministack.core import iam_evaluator, persistence  # type: ignore[import-not-found]

    snapshots = Snapshots(Path(folder))
    persistence.STATE_DIR = str(snapshots.newest)  # read there, before any of its services is loaded
    import ministack.app  # type: ignore[import-not-found]

    def states() -> Iterator[tuple[str, Any]]:
        for name, get_state in ministack.app._build_persistence_save_dict().items():
            if (state := get_state()) is not None:
                version = persistence._state_format_version(name)
                yield name, {"__ministack_format__": version, "payload": state}

    def fill(made: Path) -> None:
        if code := sys.modules.get("ministack.services.lambda_svc"):
            code.CODE_BLOB_DIR = str(made / "lambda-blobs")  # type: ignore[attr-defined]
        write_states(made, states(), persistence._json_default)

    apigateway = ministack.app._get_module("apigateway")
    find_token = apigateway._extract_token_from_identity_source
    apigateway._extract_token_from_identity_source = lambda *where: _accepted(find_token(*where))
    app = SavingApp(ministack.app.app, snapshots, fill, int(lock))
    ministack.app.app = app
    ministack.app.save_all = lambda _: app.save_at_end()
    sys.argv = ["ministack"]
    with Path(rights).open("a", buffering=1) as file:
        iam_evaluator.evaluate = watched(iam_evaluator.evaluate, file)
        runpy.run_module("ministack", run_name="__main__", alter_sys=True)


def _accepted(token: str | None) -> str | None:
    """A token that the service would look at; else there is none, which is answered alike."""
    return token if token and not is_refused(token) else None


if __name__ == "__main__":
    main(*sys.argv[1:])
