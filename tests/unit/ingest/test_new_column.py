"""In a copy of the tree a column is declared alone: the tests fail and name each place that must still decide.

With those edits it is read, stored and read back, and rows that were loaded before say the same.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

from infra.local.config import ROOT

TESTS: Final = (
    "tests/unit/ingest/test_columns.py",
    "tests/unit/ingest/test_guide.py::test_the_columns_are_those_of_the_format",
    "tests/unit/test_data_model.py::test_an_attribute_of_a_violation_has_one_writer",
    "tests/unit/test_audiences.py",
)
"""Those that hold what follows a column."""

LEFT_OUT: Final = shutil.ignore_patterns(".*", "__pycache__", "locks")
COLUMNS: Final = "functions/ingest/format/columns.py"
FIELDS: Final = "functions/shared/domain/violation.py"
PARSER: Final = "functions/ingest/format/violations.py"


class Edit(NamedTuple):
    """A text that stands once in a file, and what takes its place."""

    path: str
    old: str
    new: str


DECLARED: Final = Edit(
    COLUMNS, '("تاريخ التبليغ",)),\n', '("تاريخ التبليغ",)),\n    Column("speed", "speed", ("السرعة",)),\n'
)
FIELD: Final = 'speed: Annotated[int | None, Field("speed", {})] = None\n    held_by: '
EDITS: Final = (
    Edit(FIELDS, "held_by: ", FIELD.format("NOBODY")),
    Edit(PARSER, "notified_at,\n        ) = record", "notified_at, speed,\n        ) = record"),
    Edit(PARSER, "None,  # the settlement", 'optional("speed", speed, cells.amount),\n                None,'),
    Edit("tests/support/feeds.py", '"notified_at": "",', '"notified_at": "",\n    "speed": "120",'),
    Edit(
        "tests/unit/ingest/test_columns.py",
        '"updated_at": "2026-11-20"',
        '"speed": "90",\n    "updated_at": "2026-11-20"',
    ),
    Edit("docs/files.md", "\n\n### Registrations", "\n| `speed` | السرعة |  | nobody | km/h |\n\n### Registrations"),
    Edit("docs/files.ar.md", "\n\n### أعمدة السنوية", "\n| السرعة | `speed` |  | لا أحد | كم/س |\n\n### أعمدة السنوية"),
)
STORED: Final = Edit("docs/data-model.md", "`notified_at`, ", "`notified_at`, `speed`, ")
SHOWN: Final = Edit(FIELDS, FIELD.format("NOBODY"), FIELD.format("ALL"))


class Copy:
    """A copy of what the tests need of the tree."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        shutil.copytree(ROOT, folder, ignore=LEFT_OUT, dirs_exist_ok=True)

    def edit(self, edit: Edit) -> None:
        text = (self._folder / edit.path).read_text(encoding="utf-8")
        assert text.count(edit.old) == 1, f"{edit.old!r} does not stand once in {edit.path}"
        (self._folder / edit.path).write_text(text.replace(edit.old, edit.new), encoding="utf-8")

    def told(self) -> str:
        """Run the tests in the copy and return what they say."""
        command = (sys.executable, "-m", "pytest", "-n", "0", "-p", "no:cacheprovider", "-q", "--tb=short", *TESTS)
        return subprocess.run(command, cwd=self._folder, capture_output=True, text=True, check=False).stdout


def failed(told: str) -> set[str]:
    """Find the names of the tests that fail."""
    return set(re.findall(r"^(?:FAILED|ERROR) [^:]+(?:::(\w+))?", told, re.MULTILINE))


def test_a_new_column_is_decided_on_everywhere(tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    copy.edit(DECLARED)
    told = copy.told()
    assert [edit.path for edit in EDITS if edit.path not in told] == []

    for edit in EDITS:
        copy.edit(edit)
    told = copy.told()
    assert failed(told) == {"test_an_attribute_of_a_violation_has_one_writer"}
    assert STORED.path in told

    copy.edit(STORED)
    copy.edit(SHOWN)
    assert failed(copy.told()) == {
        "test_the_columns_are_those_of_the_format",  # the guides say who sees it
        "test_whoever_asks_sees_what_is_for_all",
        "test_a_proven_owner_sees_what_is_for_owners_too",
    }
