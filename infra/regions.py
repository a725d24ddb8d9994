"""Print the Regions that samconfig.toml names, which names them alone: `python -m infra.regions [ENV]`."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Sequence
from typing import Final

from infra.environments import ROOT

_NO_PLATFORM: Final = frozenset({"version", "default", "edge"})


def by_environment() -> dict[str, str]:
    """The Region of each environment of the platform."""
    settings = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    return {
        name: environment["deploy"]["parameters"]["region"]
        for name, environment in settings.items()
        if name not in _NO_PLATFORM
    }


def of_stack(stack: str) -> str:
    """The Region of a platform's stack, ``gharama-<environment>``. Raises KeyError for another name."""
    return by_environment()[stack.removeprefix("gharama-")]


def main(names: Sequence[str]) -> None:
    """Print the Region of an environment, or each Region once."""
    found = by_environment()
    print(found[names[0]] if names else "\n".join(sorted(set(found.values()))))


if __name__ == "__main__":
    main(sys.argv[1:])
