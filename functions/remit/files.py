"""The files of a batch of settlements, one a sector, and their manifest. Pure: the same entries are the same bytes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple

import orjson

from shared.domain.money import CURRENCY
from shared.domain.settlement import REVERSED, Entry, Share
from shared.spreadsheet import neutral

FOLDER: Final = "settlements"
COLUMNS: Final = (
    "entry", "violation_no", "amount", "paid_at", "reversed_at", "receipt_no", "payment_id", "gateway",
    "price_held_until",
)  # fmt: skip
_KEPT: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-")


class SectorFile(NamedTuple):
    """What one sector is told. settled, reversed: dinars."""

    key: str
    sector_code: str
    sector_governorate: str
    content: bytes
    lines: int
    settled: int
    reversed: int

    @property
    def amount(self) -> int:
        """What the sector is owed by this file, in dinars; less than nothing where more was reversed than settled."""
        return self.settled - self.reversed

    @property
    def sha256(self) -> str:
        """Of the content, in hexadecimal."""
        return sha256(self.content).hexdigest()


def name(sector_code: str, sector_governorate: str) -> str:
    """A file name of its own for each sector, of characters that are safe in keys and on disks.

    ``<governorate>-<code>``, 00 for no governorate; in a code any other character is ``_`` and its bytes in
    hexadecimal.
    """
    safe = (c if c in _KEPT else "".join(f"_{byte:02X}" for byte in c.encode()) for c in sector_code)
    return f"{sector_governorate or '00'}-{''.join(safe)}"


def files(batch: str, entries: Iterable[Entry]) -> list[SectorFile]:
    """The files of a batch, in the order of their keys; every share of every entry is one line of one of them."""
    lines: dict[tuple[str, str], list[tuple[Entry, Share]]] = {}
    for entry in sorted(entries, key=lambda entry: (entry.at, entry.kind == REVERSED, entry.payment_id)):
        for share in entry.shares:
            lines.setdefault((share.sector_code, share.sector_governorate), []).append((entry, share))
    return sorted(_file(batch, *sector, found) for sector, found in lines.items())


def _file(batch: str, sector_code: str, sector_governorate: str, lines: Sequence[tuple[Entry, Share]]) -> SectorFile:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(_cells(entry, share) for entry, share in lines)
    back = sum(share.amount for entry, share in lines if entry.kind == REVERSED)
    return SectorFile(
        key=f"{FOLDER}/{batch}/{name(sector_code, sector_governorate)}.csv",
        sector_code=sector_code,
        sector_governorate=sector_governorate,
        content=b"\xef\xbb\xbf" + text.getvalue().encode(),
        lines=len(lines),
        settled=sum(share.amount for _, share in lines) - back,
        reversed=back,
    )


def _cells(entry: Entry, share: Share) -> Sequence[str | int]:
    back = entry.kind == REVERSED
    return (
        entry.kind,
        neutral(share.violation_no),
        -share.amount if back else share.amount,
        entry.paid_at,
        entry.at if back else "",
        neutral(entry.receipt_no),
        neutral(entry.payment_id),
        neutral(entry.gateway),
        share.held_until,
    )


def manifest(batch: str, made: Sequence[SectorFile]) -> tuple[str, bytes]:
    """Key and content of what tells which files a batch has, with totals and checksums. Written last: all is there."""
    document = {
        "batch": batch,
        "currency": CURRENCY,
        "totals": _totals(made),
        "files": [
            {
                "key": file.key,
                "sector": {"code": file.sector_code, "governorate": file.sector_governorate or None},
                **_totals([file]),
                "bytes": len(file.content),
                "sha256": file.sha256,
            }
            for file in made
        ],
    }
    return f"{FOLDER}/{batch}/manifest.json", orjson.dumps(document, option=orjson.OPT_INDENT_2)


def _totals(made: Sequence[SectorFile]) -> dict[str, Any]:
    return {
        "lines": sum(file.lines for file in made),
        "settled": sum(file.settled for file in made),
        "reversed": sum(file.reversed for file in made),
        "amount": sum(file.amount for file in made),
    }
