"""The words of every code: each code that the code can raise has them, in two languages, and none has them in vain."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from ingest import chunking
from ingest.reporting import report
from ingest.reporting.texts import FILE_ERRORS, ROW_ERRORS, words
from ingest.reporting.warning_texts import WARNINGS, Words
from tests.support.source_tree import SourceTree

FUNCTIONS = Path(chunking.__file__).parents[1]
ALL = {**FILE_ERRORS, **ROW_ERRORS, **WARNINGS}


@cache
def house() -> SourceTree:
    return SourceTree(FUNCTIONS)


def texts(module: str) -> set[str]:
    """Every text in a module's code."""
    tree = house().modules[module].tree
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def raised() -> Iterator[str]:
    """The codes of errors that ingest raises by name."""
    for module in house().below("ingest"):
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("FileError", "CellError") and node.args:
                code = node.args[0]
                found = [code.body, code.orelse] if isinstance(code, ast.IfExp) else [code]
                yield from (each.value for each in found if isinstance(each, ast.Constant))


def test_every_code_that_is_raised_has_words() -> None:
    codes = set(raised())
    assert len(codes) > 40
    for code in codes:
        words(code)


def test_no_words_are_in_vain() -> None:
    words_alone = {"ingest.reporting.texts", "ingest.reporting.warning_texts"}
    ingest = {module.name for module in house().below("ingest")} - words_alone
    said = set().union(*map(texts, (*ingest, "shared.stores.hurts", "shared.stores.versioned")))
    assert not set(ALL) - said


@pytest.mark.parametrize("code", sorted(ALL))
def test_words_are_arabic_and_english(code: str) -> None:
    found: Words = words(code)
    assert any("\u0600" <= letter <= "\u06ff" for letter in found.ar)
    assert found.en.isascii()
    assert found.en[0].isupper()
    for said in found:
        assert not said.endswith((".", " ", ":"))
        assert len(said) <= 160


@pytest.mark.parametrize("code", sorted(ALL))
def test_no_words_hold_a_number_that_arabic_text_would_turn_about(code: str) -> None:
    """After Arabic letters 2026-11-23 is shown as 23-11-2026 (Unicode annex 9, W2 to W4); a stroke or point is not."""
    assert not re.search(r"[0-9][-+][0-9]", words(code).ar)


NOTHING_TO_MEND = {
    "object_missing",
    "file_empty",
    "no_rows",
    "file_not_read",
    "rows_not_loaded",
    "counts_differ",
}


@pytest.mark.parametrize("code", sorted({*FILE_ERRORS} - NOTHING_TO_MEND))
def test_what_refuses_a_file_says_how_to_mend_it(code: str) -> None:
    found = words(code)
    assert "؛" in found.ar
    assert any(sign in found.en for sign in (":", ";"))


def test_what_the_operator_mends_says_so() -> None:
    assert set(report.REPLAY) <= texts("ingest.sweep")
