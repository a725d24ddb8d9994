"""Files and rows for the tests of the format."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping

from ingest.format.columns import VIOLATION_COLUMNS
from ingest.format.header import Layout
from ingest.format.parser import Reject, Source
from ingest.format.violations import ViolationParser
from shared.stores.violation_rows import Row

SOURCE = Source("f00d", "live", "2026-11-20T12:00:00+03:00", announce_from="2026-10-06T12:00:00+03:00")
NAMES = tuple(column.name for column in VIOLATION_COLUMNS)
REQUIRED = tuple(column.name for column in VIOLATION_COLUMNS if column.required)
GOOD = {
    "violation_no": "11-2026-7",
    "plate_family": "german",
    "plate_governorate": "بغداد",
    "plate_category": "خصوصي",
    "plate_letter": "ز",
    "plate_number": "012456",
    "violation_code": "101",
    "violation_title": "عدم ارتداء حزام الأمان",
    "legal_ref": "25/3/هـ",
    "amount": "50,000",
    "amount_due": "100000",
    "doubled_at": "2026-11-19",
    "occurred_at": "18/10/2026 08:30 م",
    "recorded_at": "2026-10-18T21:00:00",
    "sector_code": "BG-7",
    "sector_name": "قاطع الكرخ",
    "sector_governorate": "11",
    "place": "شارع حيفا",
    "status": "غير مسددة",
    "paid_at": "",
    "receipt_no": "",
    "updated_at": "2026-11-19T01:00:00",
    "notified_at": "",
}


def parser(columns: tuple[str, ...] = NAMES, source: Source = SOURCE) -> ViolationParser:
    return ViolationParser(Layout(",", columns, columns), source)


def parse(source: Source = SOURCE, line: int = 2, **cells: str) -> Row | Reject:
    """What a good row becomes with these cells instead."""
    row = {**GOOD, **cells}
    return parser(source=source).parse(line, [row[name] for name in NAMES])


def row(source: Source = SOURCE, line: int = 2, **cells: str) -> Row:
    found = parse(source, line, **cells)
    assert isinstance(found, Row), found
    return found


def refusal(**cells: str) -> tuple[str, str]:
    """The column and code for which a good row with these cells instead is rejected."""
    found = parse(**cells)
    assert isinstance(found, Reject), found
    return found.column, found.code


def csv_text(*rows: Mapping[str, str], header: tuple[str, ...] = NAMES, separator: str = ",") -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator)
    writer.writerow(header)
    writer.writerows([*row.values()] for row in rows)
    return out.getvalue().encode()


def good_rows(count: int) -> Iterator[dict[str, str]]:
    return ({**GOOD, "violation_no": f"N-{index}"} for index in range(count))


def blocks(content: bytes, size: int = 1000) -> Iterator[bytes]:
    return (content[start : start + size] for start in range(0, len(content), size))
