"""What is declared of columns and fields: whole, each once, and followed by what reads, hashes, stores and shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Final, get_type_hints

import orjson
import pytest

from ingest.format.columns import PLATE_KIND, REGISTRATION_COLUMNS, REPORTED, VIOLATION_COLUMNS, Column
from ingest.format.registrations import RegistrationParser
from shared.domain.text import fold_name
from shared.domain.violation import ALL, AUDIENCES, FIELDS, NUMBERS, SAID, Field, Violation, declared
from shared.stores.violation_rows import Row, attributes, read
from tests.support.feeds import GOOD, NAMES, parser, row

FULL: Final = {**GOOD, "status": "مسددة", "paid_at": "2026-11-01", "receipt_no": "و-77", "notified_at": "2026-10-25"}
"""Every cell is filled, with what no field holds by default."""

OTHER: Final = {
    "violation_no": "11-2026-8",
    "plate_family": "قديم",
    "plate_governorate": "12",
    "plate_category": "حمل",
    "plate_letter": "ب",
    "plate_number": "7",
    "violation_code": "102",
    "violation_title": "تجاوز الإشارة",
    "legal_ref": "25/2",
    "amount": "100000",
    "amount_due": "0",
    "doubled_at": "2026-11-18",
    "occurred_at": "2026-10-01",
    "recorded_at": "2026-10-19",
    "sector_code": "BG-8",
    "sector_name": "قاطع الرصافة",
    "sector_governorate": "12",
    "place": "جسر الجادرية",
    "status": "ملغاة",
    "paid_at": "2026-11-02",
    "receipt_no": "و-78",
    "updated_at": "2026-11-20",
    "notified_at": "2026-10-26",
}
"""Another cell for each column than that of FULL."""

ALONG: Final = {"plate_family": {"plate_letter": ""}}
"""What another cell of a column needs beside it."""

IN_PARTS: Final = {"plate_key": 4}
"""Fields that several columns fill together."""

YESTERDAY: Final = {
    "violation_no": "11-2026-7",
    "plate_family": "german",
    "plate_governorate": "بغداد",
    "plate_category": "خصوصي",
    "plate_letter": "ز",
    "plate_number": "12456",
    "violation_code": "101",
    "violation_title": "عدم ارتداء حزام الأمان",
    "legal_ref": "25/3/هـ",
    "amount": "50000",
    "amount_due": "0",
    "doubled_at": "2026-11-19",
    "occurred_at": "2026-10-18T20:30:00",
    "recorded_at": "2026-10-18T21:00:00",
    "sector_code": "BG-7",
    "sector_name": "قاطع الكرخ",
    "sector_governorate": "11",
    "place": "شارع حيفا",
    "status": "مسددة",
    "paid_at": "2026-11-01",
    "receipt_no": "و-77",
    "updated_at": "2026-11-19T01:00:00",
}
"""A row that was loaded before any other column was declared."""

OPEN: Final = {"status": "", "paid_at": "", "receipt_no": "", "amount_due": "100000"}
BARE: Final = dict.fromkeys(
    ("plate_category", "violation_title", "legal_ref", "amount_due", "doubled_at", "recorded_at", "sector_name",
     "sector_governorate", "place", "status", "paid_at", "receipt_no", "updated_at"), ""
)  # fmt: skip


# ---------------------------------------------------------------- columns


def faults(columns: Sequence[Column], fields: Sequence[str]) -> Iterator[str]:
    """Tell what is wrong with the columns of a kind of file. fields: those that they may fill."""
    known = {fold_name(name) for name in (PLATE_KIND, *REPORTED)}
    for column in columns:
        for name in (column.name, *column.arabic):
            if fold_name(name) in known:
                yield f"{name} is declared twice"
            known.add(fold_name(name))
    for column in columns:
        if not column.arabic:
            yield f"{column.name} has no Arabic name"
        if column.field not in fields:
            yield f"{column.name} fills no field: {column.field}"


def undecided(columns: Sequence[Column]) -> Iterator[str]:
    """Tell where a column of violations is not followed yet."""
    for column in columns:
        if column.field not in SAID:
            yield f"functions/shared/domain/violation.py: Violation has no field {column.field}, last of INGEST's"
        for name, cells in {
            "tests/support/feeds.py: GOOD": GOOD,
            "tests/unit/ingest/test_columns.py: OTHER": OTHER,
        }.items():
            if column.name not in cells:
                yield f"{name} has no {column.name}"
    if not takes(len(columns)):
        yield f"functions/ingest/format/violations.py: ViolationParser._row does not take {len(columns)} cells"


def takes(cells: int) -> bool:
    """True if a row of so many cells is taken apart."""
    try:
        parser()._row(2, ("",) * cells)
    except ValueError as error:
        return "to unpack" not in str(error)
    return True


def test_every_column_is_declared_once_and_fills_a_field() -> None:
    assert not list(faults(VIOLATION_COLUMNS, SAID))
    assert not list(faults(REGISTRATION_COLUMNS, get_type_hints(RegistrationParser._row)["return"]._fields))


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        (Column("amount", "code", ("رقم",)), "amount is declared twice"),
        (Column("Amount", "code", ("رقم",)), "Amount is declared twice"),
        (Column("fine", "amount", ("مبلغ الغرامه",)), "مبلغ الغرامه is declared twice"),
        (Column("kind", "category", (PLATE_KIND,)), f"{PLATE_KIND} is declared twice"),
        (Column("line", "place", ("سطر",)), "line is declared twice"),
        (Column("weather", "place", ()), "weather has no Arabic name"),
        (Column("weather", "weather", ("الطقس",)), "weather fills no field: weather"),
        (Column("paid_by", "paid_by", ("دفع",)), "paid_by fills no field: paid_by"),
    ],
)
def test_a_bad_column_is_caught(bad: Column, fault: str) -> None:
    assert list(faults((*VIOLATION_COLUMNS, bad), SAID)) == [fault]


def test_every_column_is_followed() -> None:
    left = list(undecided(VIOLATION_COLUMNS))
    assert not left, "\n".join(left)


def test_a_column_that_is_declared_alone_is_caught() -> None:
    assert len(list(undecided((*VIOLATION_COLUMNS, Column("weather", "weather", ("الطقس",)))))) == 4


def test_every_field_of_the_directorate_is_filled_by_one_column() -> None:
    assert Counter(column.field for column in VIOLATION_COLUMNS) == {**dict.fromkeys(SAID, 1), **IN_PARTS}


# ---------------------------------------------------------------- fields


def misdeclared(fields: dict[str, Field]) -> Iterator[str]:
    """Tell which fields have no attribute of their own, or are for no audience."""
    stored = Counter(field.attribute for field in fields.values())
    for name, field in fields.items():
        if not field.attribute or stored[field.attribute] > 1:
            yield f"{name} has no attribute of its own"
        if field.audience not in AUDIENCES:
            yield f"{name} is for no audience"


def test_every_field_has_an_attribute_and_an_audience() -> None:
    assert tuple(FIELDS) == Violation._fields
    assert not list(misdeclared(FIELDS))


def test_what_the_directorate_says_stands_first() -> None:
    """The digest of a row ends where the settlement begins."""
    assert Violation._fields[: len(SAID)] == SAID


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        (Field("", ALL), "weather has no attribute of its own"),
        (Field("weather", ""), "weather is for no audience"),
        (Field("weather", "owners"), "weather is for no audience"),
    ],
)
def test_a_field_without_attribute_or_audience_is_caught(bad: Field, fault: str) -> None:
    assert list(misdeclared({**FIELDS, "weather": bad})) == [fault]


def test_two_fields_of_one_attribute_are_caught() -> None:
    assert len(list(misdeclared({**FIELDS, "weather": Field("place", ALL)}))) == 2


@pytest.mark.parametrize("hint", [str | None, Annotated[str | None, "of that day"]])
def test_a_field_that_declares_nothing_is_named(hint: Any) -> None:
    with pytest.raises(TypeError, match=r"Violation\.weather"):
        declared("weather", hint)


def test_instants_and_numbers_are_declared_as_such() -> None:
    said = row(**FULL).violation._asdict()
    instants = {name for name in SAID if str(said[name])[4:5] == "-" and str(said[name])[10:11] == "T"}
    assert {name for name in SAID if FIELDS[name].instant} == instants - {"version"}
    assert {name for name in SAID if isinstance(said[name], int)} == {*NUMBERS} & {*SAID}


# ---------------------------------------------------------------- what follows


def stored(subject: Row) -> Violation:
    """Read back the item that a row becomes."""
    return read({"pk": {"S": subject.identity}, **orjson.loads(b"{%b}" % attributes(subject, None))})


@pytest.mark.parametrize("column", NAMES)
def test_a_cell_reaches_its_field_its_attribute_and_the_digest(column: str) -> None:
    (declaration,) = [each for each in VIOLATION_COLUMNS if each.name == column]
    before, after = row(**FULL), row(**{**FULL, **ALONG.get(column, {}), column: OTHER[column]})
    for old, new in ((before.violation, after.violation), (stored(before), stored(after))):
        pairs = zip(Violation._fields, old, new, strict=True)
        assert [name for name, one, other in pairs if one != other] == [declaration.field]
    assert (before.content != after.content) is (declaration.field != "version")


def test_every_field_of_the_directorate_is_stored_and_read_back() -> None:
    found = row(**FULL)
    assert len(found.violation) == len(Violation._fields)
    unlike_default = {name: getattr(found.violation, name) != Violation._field_defaults.get(name) for name in SAID}
    assert unlike_default == dict.fromkeys(SAID, True)
    assert stored(found) == found.violation


def test_what_an_item_lacks_is_absent() -> None:
    empty = {each.name: "" for each in VIOLATION_COLUMNS if not (each.required or each.name == "plate_letter")}
    found = row(**empty)
    lacking = {name: getattr(stored(found), name) for name, value in Violation._field_defaults.items() if value is None}
    assert stored(found) == found.violation
    assert lacking == dict.fromkeys(lacking)


@pytest.mark.parametrize("name", [name for name in FIELDS if name not in Violation._field_defaults])
def test_an_item_without_what_each_has_is_no_violation(name: str) -> None:
    item = {"pk": {"S": "V1"}, **orjson.loads(b"{%b}" % attributes(row(**FULL), None))}
    del item[FIELDS[name].attribute]
    with pytest.raises(KeyError, match=FIELDS[name].attribute):
        read(item)


@pytest.mark.parametrize(
    ("cells", "content"),
    [
        ({}, "f7b7ceb814b47769"),
        (OPEN, "8e400330ecda388e"),
        ({**OPEN, "doubled_at": ""}, "fc50d206ba6a8d0a"),
        (BARE, "8510941af070026d"),
    ],
    ids=["paid", "doubled", "doubles no more", "bare"],
)
def test_a_row_of_yesterday_says_the_same_today(cells: dict[str, str], content: str) -> None:
    """Else all rows of the next full export are written, and go through the streams, though they say nothing new.

    The digest goes by the order of the fields: a new one stands after the directorate's others.
    """
    record = {**YESTERDAY, **cells}
    found = parser(tuple(record)).parse(2, [*record.values()])
    assert isinstance(found, Row)
    assert found.content == content
