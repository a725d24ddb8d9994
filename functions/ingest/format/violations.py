"""Read the rows of a file of violations, format version 1: records in, rows or rejects out. Knows nothing of AWS."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

import orjson
from xxhash import xxh3_64_hexdigest

from ingest.errors import CellError
from ingest.format import cells
from ingest.format.columns import VIOLATION_COLUMNS
from ingest.format.origins import LIVE
from ingest.format.parser import REMEMBERED, Parser, optional, read_category, read_date, read_plate_key, required
from shared.domain.violation import OPEN, SAID, Violation, make_version
from shared.stores.violation_rows import Row, doubling_day

_EVER: Final = "9999"
"""No instant is later: a doubling may be told before its day."""
_VERSION: Final = Violation._fields.index("version")
_SETTLEMENT: Final = len(SAID)

_new: Final = tuple.__new__
"""Makes a named tuple of all its fields, at half the cost of calling its class."""


class ViolationParser(Parser[Row]):
    """Rows of a file of violations."""

    columns = VIOLATION_COLUMNS

    def _row(self, line: int, record: tuple[str, ...]) -> Row:
        (
            number, family, plate_governorate, kind, letter, serial, code, title, legal_ref, amount, due, doubled_at,
            occurred_at, recorded_at, sector_code, sector_name, sector_governorate, place, status, paid_at, receipt_no,
            updated_at,
        ) = record  # fmt: skip
        violation_no = number if cells.plain_number(number) else required("violation_no", number, cells.violation_no)
        plate_key, category = read_plate_key(family, plate_governorate, letter, serial), read_category(kind)
        offence = _offence(code, title, legal_ref, amount, status)
        sector = _sector(sector_code, sector_name, sector_governorate)
        latest = self._latest
        occurred = read_date("occurred_at", occurred_at, latest)
        recorded = read_date("recorded_at", recorded_at, latest) if recorded_at else None
        if occurred is None:
            raise CellError("missing", "occurred_at")
        updated = read_date("updated_at", updated_at, latest)
        paid = read_date("paid_at", paid_at, latest) if paid_at else None
        if paid and offence.status == OPEN:  # nobody is to be asked for it again
            raise CellError("status_contradicted", "status")
        file_id, origin, last_modified, announce_from = self._source
        amount_due = _amount_due(due)
        violation = _new(
            Violation,
            (
                violation_no,
                plate_key,
                offence.code,
                offence.amount,
                occurred,
                recorded or occurred,
                sector.code,
                make_version(updated, last_modified, line),
                offence.status,
                category.name,
                offence.title,
                offence.legal_ref,
                amount_due,
                read_date("doubled_at", doubled_at, _EVER) if doubled_at else None,
                sector.name,
                sector.governorate,
                _place(place),
                paid,
                optional("receipt_no", receipt_no, cells.text) if receipt_no else None,
                None,  # the settlement
                None,
                None,
                None,
                None,
            ),
        )
        if category.unknown:
            self._warn_of_category(line)
        if recorded is None:
            self.warnings.add("recorded_at", "recorded_at_defaulted", 1, line)
        has_doubled = False
        if amount_due is not None and offence.status == OPEN:
            has_doubled = doubling_day(violation) is None
            self._warn_of_due(violation, amount_due, line, has_doubled=has_doubled)
        recent = violation.recorded_at >= announce_from
        if not recent and origin == LIVE and offence.status == OPEN:
            self.warnings.add("recorded_at", "not_announced", 1, line)
        said = content(violation, has_doubled=has_doubled)
        return _new(Row, (violation, said, updated is not None, f"{file_id}#{line}", origin, recent))

    def _warn_of_due(self, violation: Violation, due: int, line: int, *, has_doubled: bool) -> None:
        """Tell of debts that may be meant otherwise: an empty one that was written as 0, one that doubles once more."""
        if due == 0:
            self.warnings.add("amount_due", "due_nothing", 1, line)
        elif due >= 2 * violation.amount and not violation.doubled_at and not has_doubled:
            self.warnings.add("amount_due", "due_doubled_early", 1, line)


class _Offence(NamedTuple):
    code: str
    title: str | None
    legal_ref: str | None
    amount: int
    status: str


@lru_cache(REMEMBERED)
def _offence(code: str, title: str, legal_ref: str, amount: str, status: str) -> _Offence:
    return _Offence(
        required("violation_code", code, cells.code),
        optional("violation_title", title, cells.text),
        optional("legal_ref", legal_ref, cells.legal_ref),
        required("amount", amount, cells.amount),
        optional("status", status, cells.status) or OPEN,
    )


@lru_cache(REMEMBERED)
def _amount_due(cell: str) -> int | None:
    return optional("amount_due", cell, cells.amount_due)


class _Sector(NamedTuple):
    code: str
    name: str | None
    governorate: str | None


@lru_cache(REMEMBERED)
def _sector(code: str, name: str, governorate: str) -> _Sector:
    return _Sector(
        required("sector_code", code, cells.code),
        optional("sector_name", name, cells.text),
        optional("sector_governorate", governorate, cells.governorate),
    )


@lru_cache(REMEMBERED)
def _place(cell: str) -> str | None:
    return optional("place", cell, cells.text)


def content(violation: Violation, *, has_doubled: bool) -> str:
    """A digest of everything the directorate wrote but the version: equal for rows that say the same.

    What is absent at its end adds nothing: a field that is declared after the others changes no digest of a row that
    leaves it out.
    has_doubled: a debt is stated for a fine that doubles no more. Stated before the doubling, the same figure left that
    out.
    Of 64 bits, since it meets no other than what the same violation said before.
    """
    said = orjson.dumps((has_doubled, violation[:_VERSION], violation[_VERSION + 1 : _SETTLEMENT]))
    # Nulls and brackets at the end; no value is cut, since a text ends with a quote and a number with a digit.
    return xxh3_64_hexdigest(said.rstrip(b"nul,]"))
