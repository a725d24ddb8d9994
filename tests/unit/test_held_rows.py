"""Every row of the threat model and of the privacy page names the tests that hold it, and those are there."""

from __future__ import annotations

import ast
import re
from functools import cache
from typing import Final

import pytest

from tests.support.documents import ROOT, read, rows, section

TABLES: Final = (("docs/threat-model.md", "Actors and what stops them"), ("docs/privacy.md", "Privacy"))
HELD_BY: Final = "held by"
_NODE: Final = re.compile(r"`(tests/[\w/]+\.py)::(\w+(?:::\w+)?)`")


@cache
def nodes(path: str) -> frozenset[str]:
    """The tests of a file, as pytest names them."""
    found = set()
    for node in ast.parse(read(path)).body:
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{each.name}" for each in node.body if isinstance(each, ast.FunctionDef)}
        elif isinstance(node, ast.FunctionDef):
            found.add(node.name)
    return frozenset(name for name in found if name.rpartition("::")[2].startswith("test_"))


def missing(cell: str) -> list[str]:
    """What is wrong with the last cell of a row: it names no test, or one that is not there."""
    named = _NODE.findall(cell)
    if not named:
        return ["no test is named"]
    there = [(path, name) for path, name in named if (ROOT / path).is_file() and name in nodes(path)]
    return [f"there is no {path}::{name}" for path, name in named if (path, name) not in there]


def held() -> list[tuple[str, str, str]]:
    """Document, first two cells, and last cell of each row."""
    found = []
    for document, title in TABLES:
        head, *body = rows(section(read(document), title).partition("\n## ")[0])
        assert head[-1] == HELD_BY, document
        found += [(document, " | ".join(row[:2]), row[-1]) for row in body if len(row) == len(head)]
    return found


def test_there_are_rows() -> None:
    assert {document for document, _, _ in held()} == {document for document, _ in TABLES}
    assert len(held()) > 30


@pytest.mark.parametrize(("document", "row", "cell"), held(), ids=lambda value: str(value)[:60])
def test_a_row_is_held(document: str, row: str, cell: str) -> None:
    assert missing(cell) == [], f"{document}: {row}"


@pytest.mark.parametrize(
    ("cell", "wrong"),
    [
        ("", 1),
        ("the tests", 1),
        ("`tests/unit/test_held_rows.py`", 1),
        ("`tests/unit/test_held_rows.py::test_there_are_rows`", 0),
        ("`tests/unit/test_held_rows.py::test_vanished`", 1),
        ("`tests/unit/test_held_rows.py::missing`", 1),
        ("`tests/unit/test_vanished.py::test_there_are_rows`", 1),
    ],
)
def test_a_row_that_names_none_is_caught(cell: str, wrong: int) -> None:
    assert len(missing(cell)) == wrong
