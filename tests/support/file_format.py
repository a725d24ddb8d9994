"""What the code says of the directorate's files, for what documents say of them: the one place that names that code."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from ingest.format.cells import STATUSES
from ingest.format.columns import REGISTRATION_COLUMNS, VIOLATION_COLUMNS
from ingest.reporting import report_page as page
from ingest.reporting.texts import FILE_ERRORS, ROW_ERRORS, words
from ingest.reporting.warning_texts import WARNINGS, Words
from shared.domain import plate
from shared.domain.file import ENDED, REGISTERED
from shared.domain.governorates import GOVERNORATES
from shared.domain.plate import CATEGORIES, FAMILY_WORDS
from shared.domain.text import fold_name
from shared.domain.violation import FIELDS

__all__ = ["CODES", "COLUMNS", "COUNTS", "GOVERNORATES", "STATUSES_OF_A_FILE", "WORDS", "Column", "message"]


class Column(NamedTuple):
    """A column. arabic: the names that it goes by in Arabic. required: every row needs a value.

    audience: who may see it of a violation; None of what no violation holds.
    """

    name: str
    arabic: tuple[str, ...]
    required: bool
    audience: str | None = None


_AUDIENCES: Final = {name: field.audience for name, field in FIELDS.items()}
COLUMNS: Final = {
    "violations": [
        Column(each.name, each.arabic, each.required, _AUDIENCES.get(each.field)) for each in VIOLATION_COLUMNS
    ],
    "registrations": [Column(each.name, each.arabic, each.required) for each in REGISTRATION_COLUMNS],
}
"""The columns of each kind of file."""

STATUSES_OF_A_FILE: Final = {status: page._STATUS[status][1] for status in ENDED}
"""How a file ends, and what the page of a report says of it."""

COUNTS: Final = {outcome: (page._REGISTERED | page._COUNTS)[outcome] for outcome in REGISTERED}
"""What a report counts, and what its page calls it."""


def _folded(table: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    return {fold_name(word): value for value, said in table.items() for word in said}


WORDS: Final = {"status": STATUSES, "family": _folded(FAMILY_WORDS), "category": _folded(CATEGORIES)}
"""The words that cells may hold, folded, and what each means."""


def message(code: str) -> Words:
    """What a report says of a code."""
    return words(code)


def _plate_errors() -> set[str]:
    """The codes of what can be wrong with a plate that is given by its parts, as files give it."""
    tree = ast.parse(Path(plate.__file__).read_text(encoding="utf-8"))
    definitions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    reached: set[str] = set()
    waiting = ["series", "Series"]
    while waiting:
        name = waiting.pop()
        if name in definitions and name not in reached:
            reached.add(name)
            waiting += [node.id for node in ast.walk(definitions[name]) if isinstance(node, ast.Name)]
    return {code for name in reached for code in _raised(definitions[name])}


def _raised(definition: ast.AST) -> Iterator[str]:
    for node in ast.walk(definition):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "PlateError":
            code = node.args[0]
            for each in (code.body, code.orelse) if isinstance(code, ast.IfExp) else (code,):
                assert isinstance(each, ast.Constant), "a code is not written out"
                yield str(each.value)


CODES: Final = {"file": set(FILE_ERRORS), "row": set(ROW_ERRORS), "plate": _plate_errors(), "warning": set(WARNINGS)}
"""The codes of reports, by what they are about."""
