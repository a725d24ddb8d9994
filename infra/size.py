"""`make size`: print how large the house is: lines by kind, and counts of what a newcomer has to know.

Lines are those of text files that git knows, blank ones too; locks, fonts and generated files are left out.
"""

import re
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from infra.template import ROOT, TEMPLATE, loaded

KINDS: Final[dict[str, Callable[[str], bool]]] = {
    "functions": lambda path: path.startswith("functions/") and path.endswith(".py"),
    "infra": lambda path: (
        path.startswith("infra/") or path in ("template.yaml", "samconfig.toml", "Makefile", ".ci/run")
    ),
    "tests": lambda path: path.startswith("tests/"),
    "docs": lambda path: path.endswith(".md") and not path.startswith("tests/"),
}
_LEFT_OUT: Final = re.compile(r"infra/locks/|infra/alarms\.yaml$|\.(ttf|png|ico|xlsx|gz)$")
_HELPER: Final = re.compile(r"tests/.+\.py$")
_TEST_OR_FIXTURE: Final = re.compile(r"(^|/)(test_\w+|conftest|__init__|__main__)\.py$")


def main() -> None:
    """Print a line for each figure."""
    for name, value in figures(ROOT):
        print(f"{name:<12} {value:>7,}")


def figures(root: Path) -> Iterator[tuple[str, int]]:
    """Return each figure with its name, of a tree in git."""
    paths = _tracked(root)
    for kind, holds in KINDS.items():
        yield f"{kind}", _lines(root / path for path in paths if holds(path) and not _LEFT_OUT.search(path))
    yield "parameters", len(loaded(root / TEMPLATE.name)["Parameters"])
    yield "targets", len(re.findall(r"^[a-z-]+:.*##", (root / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    yield "helpers", sum(bool(_HELPER.match(path) and not _TEST_OR_FIXTURE.search(path)) for path in paths)


def _tracked(root: Path) -> list[str]:
    listed = subprocess.run(  # noqa: S603
        ["git", "-C", str(root), "ls-files", "-z"],  # noqa: S607
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [path for path in listed.stdout.split("\0") if path and (root / path).is_file()]


def _lines(files: Iterable[Path]) -> int:
    return sum(file.read_bytes().count(b"\n") for file in files)


if __name__ == "__main__":
    main()
