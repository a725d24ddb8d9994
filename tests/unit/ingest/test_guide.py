"""The guide to the directorate's files says what the code does: its columns, words, statuses and codes, twice."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

import pytest

from shared.domain.text import fold_name
from shared.domain.violation import ALL, NOBODY, PROVEN
from tests.support.documents import headings, read, rows, section
from tests.support.file_format import CODES, COLUMNS, COUNTS, GOVERNORATES, STATUSES_OF_A_FILE, WORDS, message


class Guide(NamedTuple):
    """One language of the guide. The others: the titles of its sections.

    yes: that a column is required. audiences: who sees it.
    """

    text: str
    language: str
    yes: str
    audiences: Mapping[str, str]
    columns: Mapping[str, str]
    words: Mapping[str, str]
    governorates: str
    report: str
    codes: Mapping[str, str]


ENGLISH: Final = Guide(
    read("docs/files.md"),
    "en",
    "yes",
    {ALL: "all", PROVEN: "proven owners", NOBODY: "nobody"},
    {"violations": "Violations", "registrations": "Registrations"},
    {"status": "Statuses", "family": "Plates", "category": "Plates"},
    "Governorates",
    "The report",
    {"file": "Errors of a file", "row": "Errors of a row", "plate": "Errors of a plate", "warning": "Warnings"},
)
ARABIC: Final = Guide(
    read("docs/files.ar.md"),
    "ar",
    "نعم",
    {ALL: "الجميع", PROVEN: "من أثبت تسجيل المركبة", NOBODY: "لا أحد"},
    {"violations": "أعمدة المخالفات", "registrations": "أعمدة السنوية"},
    {"status": "كلمات الحالة", "family": "اللوحات", "category": "اللوحات"},
    "المحافظات",
    "التقرير",
    {"file": "أخطاء الملف", "row": "أخطاء السجل", "plate": "أخطاء اللوحة", "warning": "التنبيهات"},
)
GUIDES: Final = pytest.mark.parametrize("guide", [ENGLISH, ARABIC], ids=["docs/files.md", "docs/files.ar.md"])


@GUIDES
@pytest.mark.parametrize("kind", COLUMNS)
def test_the_columns_are_those_of_the_format(guide: Guide, kind: str) -> None:
    _, *table = rows(section(guide.text, guide.columns[kind]))
    for row in table:
        assert row[-1], f"{row[0]} has no rule"
    told = [row[:-1] if guide is ENGLISH else [row[1], row[0], *row[2:-1]] for row in table]
    assert told == [
        [
            f"`{column.name}`",
            "، ".join(column.arabic),
            guide.yes if column.required else "",
            *([guide.audiences[column.audience]] if column.audience else []),
        ]
        for column in COLUMNS[kind]
    ]


@GUIDES
@pytest.mark.parametrize("kind", WORDS)
def test_the_words_are_those_that_are_read(guide: Guide, kind: str) -> None:
    values = {f"`{value}`": value for value in WORDS[kind].values()}
    table = [row for row in rows(section(guide.text, guide.words[kind])) if row[0] in values]
    told = {fold_name(word): values[value] for value, said in table for word in said.split("، ")}
    assert told == WORDS[kind]


@GUIDES
def test_the_governorates_are_all_there(guide: Guide) -> None:
    told = [tuple(row) for row in rows(section(guide.text, guide.governorates))[1:]]
    assert told == [(each.code, each.ar, each.en) for each in GOVERNORATES.values()]


@GUIDES
@pytest.mark.parametrize("named", [STATUSES_OF_A_FILE, COUNTS], ids=["statuses", "counts"])
def test_the_report_is_explained(guide: Guide, named: Mapping[str, str]) -> None:
    table = rows(section(guide.text, guide.report))
    for name, shown in named.items():
        (row,) = [row for row in table if f"`{name}`" in row]
        assert guide is ENGLISH or row[0] == shown, f"the page of a report says {shown}"
        assert row[-1]


@GUIDES
@pytest.mark.parametrize("about", CODES)
def test_every_code_has_a_section_and_none_is_left_over(guide: Guide, about: str) -> None:
    told = [heading.title for heading in headings(section(guide.text, guide.codes[about]))]
    assert sorted(told) == sorted(f"`{code}`" for code in CODES[about])


@GUIDES
@pytest.mark.parametrize("code", sorted(set().union(*CODES.values())))
def test_a_code_is_told_as_the_report_tells_it_with_what_to_do(guide: Guide, code: str) -> None:
    said, *to_do = section(guide.text, f"`{code}`").strip().split("\n\n")
    assert said == f"> {getattr(message(code), guide.language)}"
    assert to_do
    assert to_do[0].endswith(".")


def test_no_number_is_one_that_arabic_text_would_turn_about() -> None:
    """After Arabic letters 2026-11-23 is shown as 23-11-2026; after Latin ones, and as code, it is not."""
    for line in re.sub("`[^`]+`", "", ARABIC.text).splitlines():
        for number in re.finditer("[0-9][-+][0-9]", line):
            letters = re.findall(r"[^\W\d_]", line[: number.start()])
            assert not letters or letters[-1].isascii(), line
