"""In a copy of the tree a column is declared alone: the tests fail and name each place that must still decide.

With those edits it is read, stored and read back, and rows that were loaded before say the same.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

from infra.local.config import ROOT

TESTS: Final = ("tests/unit/ingest/test_columns.py", "tests/unit/test_audiences.py")
COLUMNS: Final = "functions/ingest/format/columns.py"
FIELDS: Final = "functions/shared/domain/violation.py"
PARSER: Final = "functions/ingest/format/violations.py"


class Edit(NamedTuple):
    """A text that stands once in a file, and what takes its place."""

    path: str
    old: str
    new: str


DECLARED: Final = Edit(
    COLUMNS, "    _UPDATED_AT,\n)\nREG", '    _UPDATED_AT,\n    Column("speed", "speed", ("السرعة",)),\n)\nREG'
)
FIELD: Final = 'speed: Annotated[int | None, Field("speed", {})] = None\n    held_by: '
EDITS: Final = (
    Edit(FIELDS, "held_by: ", FIELD.format("NOBODY")),
    Edit(PARSER, "updated_at,\n        ) = record", "updated_at, speed,\n        ) = record"),
    Edit(PARSER, "None,  # the settlement", 'optional("speed", speed, cells.amount),\n                None,'),
    Edit("tests/support/feeds.py", '"updated_at": ', '"speed": "120",\n    "updated_at": '),
    Edit(
        "tests/unit/ingest/test_columns.py",
        '"updated_at": "2026-11-20"',
        '"speed": "90",\n    "updated_at": "2026-11-20"',
    ),
)
SHOWN: Final = Edit(FIELDS, FIELD.format("NOBODY"), FIELD.format("ALL"))


class Copy:
    """A copy of what the tests need of the tree."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for name in ("functions", "infra", "tests"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", folder)

    def edit(self, edit: Edit) -> None:
        text = (self._folder / edit.path).read_text(encoding="utf-8")
        assert text.count(edit.old) == 1, f"{edit.old!r} does not stand once in {edit.path}"
        (self._folder / edit.path).write_text(text.replace(edit.old, edit.new), encoding="utf-8")

    def failures(self) -> str:
        """What the tests say that fail; nothing where all pass."""
        command = (sys.executable, "-m", "pytest", "-n", "0", "-p", "no:cacheprovider", "-q", *TESTS)
        ran = subprocess.run(command, cwd=self._folder, capture_output=True, text=True, check=False)
        assert ran.returncode in (0, 1), ran.stdout + ran.stderr
        return ran.stdout if ran.returncode else ""


def test_a_new_column_is_decided_on_everywhere(tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    copy.edit(DECLARED)
    told = copy.failures()
    for edit in EDITS:
        assert edit.path in told

    for edit in EDITS:
        copy.edit(edit)
    assert copy.failures() == ""

    copy.edit(SHOWN)
    assert "test_whoever_asks_sees_what_is_for_all" in copy.failures()
