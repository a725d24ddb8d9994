"""Directorate files for end-to-end tests, written by hand and not by the product."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from itertools import count

BAGHDAD = timezone(timedelta(hours=3))
COLUMNS = (
    "violation_no",
    "plate_family",
    "plate_governorate",
    "plate_category",
    "plate_letter",
    "plate_number",
    "violation_code",
    "violation_title",
    "legal_ref",
    "amount",
    "occurred_at",
    "recorded_at",
    "sector_code",
    "sector_name",
    "sector_governorate",
    "place",
    "status",
    "updated_at",
)
CARD_COLUMNS = ("plate_family", "plate_governorate", "plate_letter", "plate_number", "registration_no", "updated_at")


def now(days: float = 0) -> str:
    return (datetime.now(BAGHDAD) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S+03:00")


def row(plate_number: str, **cells: str) -> dict[str, str]:
    """An open violation of today on the German plate ``بغداد ز <number>``, with a number of its own."""
    return {
        "violation_no": f"T-{secrets.token_hex(6)}",
        "plate_family": "german",
        "plate_governorate": "بغداد",
        "plate_category": "خصوصي",
        "plate_letter": "ز",
        "plate_number": plate_number,
        "violation_code": "25-3-H",
        "violation_title": "عدم ارتداء حزام الأمان",
        "legal_ref": "25/3/هـ",
        "amount": "50000",
        "occurred_at": now(-1),
        "recorded_at": now(-0.5),
        "sector_code": "BG-07",
        "sector_name": "قاطع مرور الكرخ",
        "sector_governorate": "11",
        "place": "شارع حيفا",
        "status": "open",
        "updated_at": now(-0.1),
        **cells,
    }


def csv(rows: Iterable[Mapping[str, str]]) -> bytes:
    lines = [",".join(COLUMNS), *(",".join(row[column] for column in COLUMNS) for row in rows)]
    return ("\r\n".join(lines) + "\r\n").encode()


def card(plate_number: str, registration_no: str, updated_at: str = "") -> bytes:
    """The directorate's file of registrations with one vehicle, ``بغداد ز <number>``."""
    line = ("ألماني", "بغداد", "ز", plate_number, registration_no, updated_at)
    return f"{','.join(CARD_COLUMNS)}\r\n{','.join(line)}\r\n".encode()


_drawn = count(secrets.randbelow(900_000))


def plate_number() -> str:
    """A serial that no other test of this run uses, far from the last."""
    return str(100_000 + next(_drawn) * 370_661 % 900_000)  # prime to the other: each comes once


def phone() -> str:
    return f"+96477{secrets.randbelow(10**8):08d}"
