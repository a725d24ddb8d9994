"""Files whose cells spreadsheets and exports changed end as their table says is right (tests/files/README.md)."""

from __future__ import annotations

import io
from pathlib import Path
from typing import NamedTuple

import pytest

from ingest.chunking import RULES, scan
from ingest.errors import FileError
from ingest.format.parser import MIN_AMOUNT, Reject, Source
from ingest.format.violations import ViolationParser
from ingest.reading.csv_records import records
from shared.domain.violation import Violation
from shared.policies import RULES as RULES_OF_MONEY
from tests.support.aws import template
from tests.support.feeds import blocks

FILES = Path(__file__).parents[2] / "files"
SOURCE = Source("f00d", "live", "2026-11-30T09:00:00+03:00", announce_from="2026-10-16T09:00:00+03:00")


class End(NamedTuple):
    """What became of a file's rows, by number: kept, or the code of its rejection; and the codes that are told."""

    kept: dict[str, Violation]
    rejected: dict[str, str]
    told: dict[str, int]


def end(name: str) -> End:
    content = (FILES / name).read_bytes()
    found = scan(blocks(content), SOURCE, RULES._replace(max_bad_share=1))
    parser = ViolationParser(found.layout, SOURCE)
    kept, rejected = {}, {}
    text = io.StringIO(content.decode("utf-8-sig"), newline="")
    for line, record in records(text, found.layout.separator):
        if line > 1:
            row = parser.parse(line, record)
            if isinstance(row, Reject):
                rejected[record[0]] = row.code
            elif row:
                kept[row.identity] = row.violation
    told = {notice.code: notice.rows for notice in parser.warnings.listed()}
    assert found.rows == len(kept) + len(rejected) + told.get("header_repeated", 0)
    return End(kept, rejected, told)


@pytest.mark.parametrize(
    ("name", "kept", "rejected", "told"),
    [
        ("06-1-system.csv", 24, [], {}),
        ("06-2-saved-by-excel.csv", 12, ["spreadsheet_date"] * 12, {}),
        ("08-null-everywhere.csv", 20, [], {}),
        ("13-legal-ref.csv", 6, [], {"article_unknown": 6, "not_announced": 6}),
        ("15-text-tricks-codes.csv", 21, ["missing"], {}),
        ("small-town.csv", 6, [], {"due_nothing": 1}),
        ("put-together.csv", 4, [], {"header_repeated": 1}),
        ("thousands-lost.csv", 1, ["amount_too_small"] * 2, {}),
        ("true-and-long.csv", 2, ["spreadsheet_truth", "number_e_notation"], {}),
        ("doubled-early.csv", 2, [], {"due_doubled_early": 1, "due_above_doubled": 1}),
        ("doubled-ahead.csv", 2, [], {"due_doubled_ahead": 1}),
        ("no-status.csv", 3, [], {"status_defaulted": 2, "status_from_paid_at": 1}),
    ],
)
def test_a_file_ends_as_is_right(name: str, kept: int, rejected: list[str], told: dict[str, int]) -> None:
    found = end(name)
    assert (len(found.kept), [*found.rejected.values()], found.told) == (kept, rejected, told)


def test_what_excel_left_of_a_file_says_what_the_system_said() -> None:
    system, excel = end("06-1-system.csv"), end("06-2-saved-by-excel.csv")
    assert {number: kept._replace(version="") for number, kept in excel.kept.items()}.items() <= {
        number: kept._replace(version="") for number, kept in system.kept.items()
    }.items()


def test_codes_are_what_stood_in_their_cells() -> None:
    tricks = end("15-text-tricks-codes.csv")
    assert (tricks.kept["V-90"].code, tricks.kept["V-90"].sector_code) == ("101", "007")
    assert [*tricks.rejected] == ["V-91"]
    town = end("small-town.csv")
    assert [kept.sector_code for kept in town.kept.values()] == ["BG-7", "NA", "12E3", "MAR-12", "BG-7", "BG-7"]
    assert {kept.amount for kept in town.kept.values()} == {5_000, 7_500}
    assert [kept.occurred_at[11:16] for kept in town.kept.values()] == ["10:15"] * 5 + ["22:15"]


def test_null_is_an_empty_cell_wherever_that_may_be_empty() -> None:
    for kept in end("08-null-everywhere.csv").kept.values():
        assert (kept.title, kept.legal_ref, kept.amount_due, kept.doubled_at, kept.place) == (None,) * 5
        assert (kept.counter_paid_at, kept.counter_receipt_no) == (None, None)


def test_a_payment_date_alone_says_that_a_fine_is_paid() -> None:
    assert [kept.status for kept in end("no-status.csv").kept.values()] == ["paid", "open", "open"]


def test_a_debt_doubled_early_is_what_it_says() -> None:
    after = "2027-01-01T00:00:00+03:00"
    assert [kept.due(after, RULES_OF_MONEY).amount for kept in end("doubled-early.csv").kept.values()] == [
        100_000,
        240_000,
    ]


def test_a_header_of_another_order_refuses_the_file() -> None:
    with pytest.raises(FileError) as refused:
        end("put-together-otherwise.csv")
    assert (refused.value.code, refused.value.line) == ("header_again", 4)


def test_the_least_fine_is_that_of_the_template() -> None:
    """`make prepare`, which knows no stack, checks by it."""
    assert template()["Parameters"]["MinAmount"]["Default"] == MIN_AMOUNT
