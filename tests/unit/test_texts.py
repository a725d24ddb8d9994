"""Every text that people read has each language of its readers: citizens three, the directorate and operators two."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from ingest.reporting.texts import FILE_ERRORS, ROW_ERRORS
from ingest.reporting.warning_texts import WARNINGS
from pay.receipt.texts import WORDS as RECEIPT
from query import texts as query_texts
from remit.texts import WORDS as ACKNOWLEDGEMENT
from shared.domain.sms_texts import TEXTS
from shared.http import LANGUAGES
from shared.problem_texts import NOTES, PROBLEMS

DIRECTORATE = ("ar", "en")

Texts = Mapping[str, Mapping[str, str]]
"""By code, then by language."""

TABLES: dict[str, tuple[tuple[str, ...], Texts]] = {
    "shared.problem_texts": (LANGUAGES, {**PROBLEMS, **NOTES}),
    "query.texts": (LANGUAGES, query_texts.NOTES),
    "shared.domain.sms_texts": (LANGUAGES, TEXTS),
    "pay.receipt.texts": (
        LANGUAGES,
        {name: {language: words.get(name, "") for language, words in RECEIPT.items()} for name in RECEIPT["ar"]},
    ),
    "ingest.reporting.texts": (
        DIRECTORATE,
        {code: words._asdict() for table in (FILE_ERRORS, ROW_ERRORS) for code, words in table.items()},
    ),
    "ingest.reporting.warning_texts": (DIRECTORATE, {code: words._asdict() for code, words in WARNINGS.items()}),
    "remit.texts": (
        DIRECTORATE,
        {code: dict(zip(DIRECTORATE, pair, strict=True)) for code, pair in ACKNOWLEDGEMENT.items()},
    ),
}
"""By module: who reads its texts, and the texts."""


def lacking(languages: tuple[str, ...], texts: Texts) -> Iterator[str]:
    """Texts without a language of their readers, with another, or that lack a value which they name elsewhere."""
    for code, said in texts.items():
        if set(said) != set(languages) or not all(text.strip() for text in said.values()):
            yield f"{code}: {' '.join(language for language in languages if not said.get(language, '').strip())}"
        elif len({frozenset(re.findall(r"{\w*}", text)) for text in said.values()}) > 1:
            yield f"{code}: values"


@pytest.mark.parametrize("module", TABLES)
def test_every_text_has_each_language_of_its_readers(module: str) -> None:
    assert [*lacking(*TABLES[module])] == []


def test_a_receipt_says_the_same_in_each_language() -> None:
    assert {frozenset(words) for words in RECEIPT.values()} == {frozenset(RECEIPT["ar"])}


def test_no_module_of_texts_is_left_out() -> None:
    functions = Path(__file__).parents[2] / "functions"
    found = {path.relative_to(functions).with_suffix("") for path in functions.rglob("*texts.py")}
    assert {".".join(path.parts) for path in found} == TABLES.keys()


@pytest.mark.parametrize(
    ("said", "lacks"),
    [
        ({"ar": "خطأ", "en": "Error"}, ["code: ckb"]),
        ({"ar": "خطأ", "ckb": " ", "en": "Error"}, ["code: ckb"]),
        ({"ar": "خطأ {count}", "ckb": "هەڵە", "en": "Error {count}"}, ["code: values"]),
        ({"ar": "خطأ", "ckb": "هەڵە", "en": "Error"}, []),
    ],
)
def test_a_text_without_a_language_of_its_readers_is_caught(said: dict[str, str], lacks: list[str]) -> None:
    assert [*lacking(LANGUAGES, {"code": said})] == lacks
