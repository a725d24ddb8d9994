"""Read the rows of a file of violations, format version 1: records in, rows or rejects out. Knows nothing of AWS."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

import orjson
from xxhash import xxh3_64_hexdigest

from ingest.errors import CellError
from ingest.format import cells
from ingest.format.columns import VIOLATION_COLUMNS
from ingest.format.header import Layout
from ingest.format.origins import LIVE
from ingest.format.parser import (
    REMEMBERED,
    Parser,
    Source,
    identifier,
    optional,
    read_category,
    read_date,
    read_plate_key,
    required,
)
from shared.domain import fine
from shared.domain.violation import OPEN, PAID, SAID, Violation, make_version
from shared.policies import RULES
from shared.stores.violation_rows import Row, doubles_no_more, doubling_day

_EVER: Final = "9999"
"""No instant is later: a doubling may be told before its day."""
_VERSION: Final = Violation._fields.index("version")
_SETTLEMENT: Final = len(SAID)

_new: Final = tuple.__new__
"""Makes a named tuple of all its fields, at half the cost of calling its class."""


class ViolationParser(Parser[Row]):
    """Rows of a file of violations."""

    columns = VIOLATION_COLUMNS

    def __init__(self, layout: Layout, source: Source) -> None:
        super().__init__(layout, source)
        self._says_status = "status" in layout.columns

    def _row(self, line: int, record: tuple[str, ...]) -> Row:
        (
            number, family, plate_governorate, kind, letter, serial, code, title, legal_ref, amount, due, doubled_at,
            occurred_at, recorded_at, sector_code, sector_name, sector_governorate, place, status, paid_at, receipt_no,
            updated_at, notified_at,
        ) = record  # fmt: skip
        violation_no = number if cells.plain_number(number) else identifier("violation_no", number, cells.violation_no)
        plate_key = read_plate_key(family, plate_governorate, letter, serial)
        category, is_unknown = read_category(kind)
        file_id, origin, _, announce_from, min_amount, as_of = self._source
        offence_code, offence_title, article, dinars, said_status, article_unknown = _offence(
            code, title, legal_ref, amount, status, min_amount
        )
        sector, its_name, its_governorate = _sector(sector_code, sector_name, sector_governorate)
        latest = self._latest
        occurred = read_date("occurred_at", occurred_at, latest)
        recorded = read_date("recorded_at", recorded_at, latest) if recorded_at else None
        if occurred is None:
            raise CellError("missing", "occurred_at")
        updated = read_date("updated_at", updated_at, latest)
        counted_from = recorded or occurred
        paid = None
        if paid_at and (paid := read_date("paid_at", paid_at, latest)) and said_status == OPEN:
            if self._says_status:
                raise CellError("status_contradicted", "status")
            said_status = PAID  # nobody is to be asked for it again
        is_open = said_status == OPEN
        amount_due = _amount_due(due)
        violation = _new(
            Violation,
            (
                violation_no,
                plate_key,
                offence_code,
                dinars,
                occurred,
                counted_from,
                sector,
                make_version(updated, self._instant, line, said_status, self._uploaded_at),
                said_status,
                category,
                offence_title,
                article,
                amount_due,
                read_date("doubled_at", doubled_at, _EVER) if doubled_at else None,
                its_name,
                its_governorate,
                _place(place),
                paid,
                optional("receipt_no", receipt_no, cells.receipt_no) if receipt_no else None,
                read_date("notified_at", notified_at, latest) if notified_at else None,
                None,  # the settlement
                None,
                None,
                None,
                None,
                None,
                None,
            ),
        )
        has_doubled = False
        if amount_due is not None and is_open:
            if 0 < amount_due < min_amount:
                raise CellError("amount_too_small", "amount_due")
            has_doubled = doubling_day(violation) is None
            self._warn_of_due(violation, amount_due, line, has_doubled=has_doubled)
        if is_unknown:
            self._warn_of_category(line)
        if recorded is None:
            self.warnings.add("recorded_at", "recorded_at_defaulted", 1, line)
        if not self._says_status:
            self.warnings.add("status", "status_defaulted" if is_open else "status_from_paid_at", 1, line)
        if article_unknown:
            self.warnings.add("legal_ref", "article_unknown", 1, line, (article or "",))
        recent = counted_from >= announce_from
        if not recent and origin == LIVE and is_open:
            self.warnings.add("recorded_at", "not_announced", 1, line)
        said = content(violation, has_doubled=has_doubled)
        dated = updated is not None
        return _new(Row, (violation, said, dated, f"{file_id}#{line}", origin, recent, dated or as_of != ""))

    def _warn_of_due(self, violation: Violation, due: int, line: int, *, has_doubled: bool) -> None:
        """Tell of debts that may be meant otherwise: an empty one that was written as 0, one that is doubled early."""
        if due == 0:
            self.warnings.add("amount_due", "due_nothing", 1, line)
        elif due < 2 * violation.amount:
            return
        elif not has_doubled:
            code = "due_doubled_ahead" if violation.doubled_at else "due_above_doubled"
            self.warnings.add("amount_due", code, 1, line)
        elif not violation.doubled_at and not doubles_no_more(violation):
            facts = violation.facts
            if fine.is_doubled_early(facts, fine.chosen(facts, RULES).policy):
                self.warnings.add("amount_due", "due_doubled_early", 1, line)


class _Offence(NamedTuple):
    code: str
    title: str | None
    legal_ref: str | None
    amount: int
    status: str
    article_unknown: bool


@lru_cache(REMEMBERED)
def _offence(code: str, title: str, legal_ref: str, amount: str, status: str, min_amount: int) -> _Offence:
    read = _Offence(
        identifier("violation_code", code, cells.code),
        optional("violation_title", title, cells.text),
        reference := optional("legal_ref", legal_ref, cells.legal_ref),
        required("amount", amount, cells.amount),
        optional("status", status, cells.status) or OPEN,
        reference is not None and not RULES.knows_article(reference),
    )
    if read.amount < min_amount:
        raise CellError("amount_too_small", "amount")
    return read


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
        identifier("sector_code", code, cells.code),
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
