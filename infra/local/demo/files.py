"""Generator of directorate files (file format 1), deterministic and in constant memory.

    python -m infra.local.demo.files --rows 4402119 --out national.csv.gz

The files have the shape of the announcement: of 4,402,119 violations 2,408,444 are on German plates. How the rest
splits over the other families, how populous a governorate is and how many violations a plate has are plausible, not
known. The generator shares no code with the readers of the format, so that it can be used to test them.
"""

import argparse
import calendar
import csv
import gzip
import io
import string
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from itertools import accumulate, islice
from math import isqrt
from pathlib import Path
from random import Random
from typing import NamedTuple, TextIO, TypeVar

from infra.local.demo.tables import (
    CATEGORIES,
    GERMAN_LETTERS,
    KURDISTAN,
    OFFENCES,
    PEOPLE,
    PLACES,
    STATUSES,
    TOWNS,
    Sector,
)

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
    "amount_due",
    "doubled_at",
    "occurred_at",
    "recorded_at",
    "sector_code",
    "sector_name",
    "sector_governorate",
    "place",
    "status",
    "paid_at",
    "receipt_no",
    "updated_at",
)

NATIONAL = {"german": 2_408_444, "old": 358_862, "kurdistan": 677_850, "unified": 956_963}
"""Violations of the national file by plate family; the total and the German share are the announcement's."""

NATIONAL_TOTAL = sum(NATIONAL.values())

UNTIL = date(2026, 1, 1)
"""The day at whose start a file ends unless told otherwise: fixed, so that the same arguments give the same file."""

BACKLOG_DAYS = 5 * 365 + 1
LIVE_DAYS = 3
DAY = 24 * 60  # minutes
MAX_FLEET_VIOLATIONS = 5_000  # violations on one plate
MAX_ROWS = 10**8 - 1
MAX_SEED = 10**6
BAGHDAD = timezone(timedelta(hours=3))


class Fault(NamedTuple):
    """What is wrong with a bad row: its name, and the cells that replace the good ones."""

    name: str
    cells: Mapping[str, str]


FAULTS = (
    Fault("unknown governorate", {"plate_governorate": "30"}),
    Fault("amount in E-notation", {"amount": "5e4"}),
    Fault("day that does not exist", {"occurred_at": "31/02/2026"}),
    Fault("letter on an old plate", {"plate_family": "old", "plate_governorate": "11", "plate_letter": "ب"}),
    Fault("negative amount", {"amount": "-1"}),
    Fault("violation code missing", {"violation_code": ""}),
    Fault("ambiguous family", {"plate_family": "جديد"}),
    Fault("amount with a fraction", {"amount": "50000.5"}),
    Fault("letter of two characters", {"plate_family": "german", "plate_letter": "اب"}),
    Fault("plate number missing", {"plate_number": ""}),
    Fault("german plate without a letter", {"plate_family": "german", "plate_letter": ""}),
    Fault("question mark in the plate number", {"plate_number": "12?45"}),
)

_K = TypeVar("_K")


def apportion(total: int, weights: Mapping[_K, int]) -> dict[_K, int]:
    """Split a total in proportion to the weights, by largest remainder: the parts add up to the total."""
    whole = sum(weights.values())
    parts = {key: total * weight // whole for key, weight in weights.items()}
    by_remainder = sorted(weights, key=lambda key: -(total * weights[key] % whole))
    for key in islice(by_remainder, total - sum(parts.values())):
        parts[key] += 1
    return parts


def family_counts(count: int) -> dict[str, int]:
    """How many of so many rows are on plates of each family."""
    return apportion(count, NATIONAL)


def fault_at(index: int, bad_per_mille: int) -> Fault | None:
    """The fault of the row at this index (from 0), or None: bad rows are spread evenly and take the faults in turn."""
    before = (index * bad_per_mille + 500) // 1000
    after = ((index + 1) * bad_per_mille + 500) // 1000
    return FAULTS[before % len(FAULTS)] if after > before else None


_TABLE = 1024


def _table(weights: Mapping[_K, int]) -> tuple[_K, ...]:
    """Spread the keys over 1,024 cells by weight, so that ten random bits draw one."""
    return tuple(key for key, cells in apportion(_TABLE, weights).items() for _ in range(cells))


def _layers(count: int) -> list[int]:
    """How many plates of a family have at least 1, 2, 3, … violations, which add up to the count.

    A power law of exponent 3/2, in integers to be the same everywhere: seven plates of eight have one to three.
    """
    scale = count * 1000 // 2612  # zeta(3/2)
    heavier = [isqrt(scale * scale // k**3) for k in range(2, MAX_FLEET_VIOLATIONS + 1)]
    return [count - sum(heavier), *filter(None, heavier)]


@dataclass(frozen=True)
class _Fleet:
    """The plates of one family: maps a plate's rank to the plate, one to one."""

    family: str
    letters: str
    serials: int
    offset: int
    cells: tuple[tuple[str, int, int], ...]  # governorate, its cells, this one's place among them
    categories: tuple[str, ...] = _table(CATEGORIES)

    def plate(self, rank: int) -> tuple[str, str, str, str, str]:
        """The plate's cells: family, governorate, category, letter, number."""
        governorate, width, place = self.cells[rank * 389 % _TABLE]
        letters = len(self.letters) or 1
        # 6,700,417 is a prime that divides no space of plates, so that no two ranks meet.
        code = (((rank >> 10) * width + place) * 6_700_417 + self.offset) % (letters * self.serials)
        serial, letter = divmod(code, letters)
        category = self.categories[(code * 2_654_435_761 >> 16) % _TABLE]
        return self.family, governorate, category, self.letters[letter : letter + 1], str(serial + 1)


def _fleet(family: str, letters: str, serials: int, governorates: Sequence[str], seed: int) -> _Fleet:
    widths = apportion(_TABLE, {code: PEOPLE[code] for code in governorates})
    cells = tuple((code, width, place) for code, width in widths.items() for place in range(width))
    return _Fleet(family, letters, serials, seed * 48_271, cells)


def _fleets(seed: int) -> dict[str, _Fleet]:
    federal = [code for code in PEOPLE if code not in KURDISTAN]
    fleets = (
        _fleet("german", GERMAN_LETTERS, 999_999, federal, seed),
        _fleet("old", "", 999_999, federal, seed),
        _fleet("kurdistan", "", 999_999, KURDISTAN, seed),
        _fleet("unified", string.ascii_uppercase, 99_999, list(PEOPLE), seed),
    )
    return {fleet.family: fleet for fleet in fleets}


def _sectors() -> dict[str, tuple[Sector, ...]]:
    return {
        code: tuple(
            Sector(f"{code}{number:02}", f"قاطع مرور {town}", code, tuple(place.format(town) for place in PLACES))
            for number, town in enumerate(towns, 1)
        )
        for code, towns in TOWNS.items()
    }


def _scattered(count: int, seed: int) -> Iterator[int]:
    """Every number below the count once, in an order that looks random: a generator of full period, mixed."""
    bits = max(count.bit_length(), 3)
    mask, half = (1 << bits) - 1, bits // 2
    state = seed * 2_654_435_761 & mask
    for _ in range(mask + 1):
        state = (state * 6_364_136_223_846_793_005 + 1_442_695_040_888_963_407) & mask
        number = state ^ state >> half
        if number < count:
            yield number


def _month_later(day: date) -> date:
    """The same day of the next month, or that month's last day."""
    year, month = (day.year + 1, 1) if day.month == 12 else (day.year, day.month + 1)
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def _records(count: int, seed: int, live: bool, until: date) -> Iterator[tuple[str, ...]]:
    """The cells of good rows, in the order of the columns. Moments are minutes since the file's first day."""
    fleets = _fleets(seed)
    layers = [(fleets[family], plates) for family, part in family_counts(count).items() for plates in _layers(part)]
    starts = [0, *accumulate(plates for _, plates in layers)]

    days = LIVE_DAYS if live else BACKLOG_DAYS
    calendar_days = [until - timedelta(days - day) for day in range(days + 1)]
    day_texts = [day.isoformat() for day in calendar_days]
    time_texts = [f"T{minute // 60:02}:{minute % 60:02}:00" for minute in range(DAY)]
    # The directorate doubles in the night after the month is over, whichever way the month is counted.
    doubling_days = [(_month_later(day) - calendar_days[0]).days + 1 for day in calendar_days]
    end = days * DAY

    offences, statuses = _table(OFFENCES), _table({"open": 1} if live else STATUSES)
    sectors = _sectors()
    recording = _table({code: PEOPLE[code] for code in TOWNS})
    series = (2 * seed + live) * (MAX_ROWS + 1)
    random = Random(seed).random  # noqa: S311  the one method whose numbers Python promises to keep

    def text(moment: int) -> str:
        return day_texts[moment // DAY] + time_texts[moment % DAY]

    for index, slot in enumerate(_scattered(count, seed)):
        layer = bisect_right(starts, slot) - 1
        family, governorate, category, letter, number = layers[layer][0].plate(slot - starts[layer])

        # Each of the 53 bits of a draw is used for one thing only.
        draw, again = int(random() * (1 << 53)), int(random() * (1 << 53))
        offence = offences[draw & 1023]
        at_home = draw >> 10 & 7 and governorate in sectors
        nearby = sectors[governorate if at_home else recording[draw >> 13 & 1023]]
        sector = nearby[(draw >> 23 & 1023) % len(nearby)]
        status = statuses[draw >> 36 & 1023]

        occurred = index * days // count * DAY + ((again & 0x3FFF) * DAY >> 14)
        recorded = min(occurred + ((again >> 14 & 1023) ** 3 * 4 * DAY >> 30), end)
        updated = recorded
        amount_due = doubled_at = paid_at = receipt_no = ""
        serial = series + index + 1
        if status == "open":
            doubling = doubling_days[recorded // DAY] * DAY
            if doubling < end and again >> 34 & 1:
                updated = doubling
                amount_due, doubled_at = offence.doubled, text(doubling)
        elif status == "paid":
            updated = min(recorded + ((again >> 24 & 1023) * 90 * DAY >> 10), end)
            paid_at, receipt_no = text(updated), f"{sector.code}/{serial}"
        else:
            updated = min(recorded + ((again >> 24 & 1023) * 20 * DAY >> 10), end)

        yield (
            f"{sector.governorate}-{day_texts[occurred // DAY][:4]}-{serial}",
            family,
            governorate,
            category,
            letter,
            number,
            offence.code,
            offence.title,
            offence.legal_ref,
            offence.amount,
            amount_due,
            doubled_at,
            text(occurred),
            text(recorded),
            sector.code,
            sector.name,
            sector.governorate,
            sector.places[draw >> 33 & 7],
            status,
            paid_at,
            receipt_no,
            text(updated),
        )


def _spoiled(records: Iterator[tuple[str, ...]], bad_per_mille: int) -> Iterator[tuple[str, ...]]:
    for index, record in enumerate(records):
        if fault := fault_at(index, bad_per_mille):
            cells = {**dict(zip(COLUMNS, record, strict=True)), **fault.cells}
            yield tuple(cells.values())
        else:
            yield record


def _all_records(count: int, seed: int, bad_per_mille: int, live: bool, until: date) -> Iterator[tuple[str, ...]]:
    for name, value, largest in (
        ("rows", count, MAX_ROWS),
        ("seed", seed, MAX_SEED),
        ("bad rows", bad_per_mille, 1000),
    ):
        if not 0 <= value <= largest:
            raise ValueError(f"{name}: {value} is not in 0 to {largest}")
    records = _records(count, seed, live, until)
    return _spoiled(records, bad_per_mille) if bad_per_mille else records


def rows(
    count: int, seed: int = 1, *, bad_per_mille: int = 0, live: bool = False, until: date = UNTIL
) -> Iterator[dict[str, str]]:
    """The rows of a file, by column.

    The rows are in the order of their days and end at the start of the day `until`, Baghdad time. A backlog covers
    five years. A live file covers three days, all of it open. Files of different seeds share no violation number, nor
    do a live file and a backlog of the same seed. `fault_at` tells which rows are bad. Raises ValueError for arguments
    out of bounds.
    """
    records = _all_records(count, seed, bad_per_mille, live, until)
    return (dict(zip(COLUMNS, record, strict=True)) for record in records)


def write(
    path: Path, count: int, seed: int = 1, *, bad_per_mille: int = 0, live: bool = False, until: date = UNTIL
) -> None:
    """Write the rows as CSV in UTF-8 with a header; gzipped, without name or time, where the name ends in .gz."""
    records = _all_records(count, seed, bad_per_mille, live, until)
    with _text_file(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(records)


@contextmanager
def _text_file(path: Path) -> Iterator[TextIO]:
    with path.open("wb") as file:
        if path.suffix == ".gz":
            with (
                gzip.GzipFile("", "wb", 6, file, mtime=0) as packed,
                io.TextIOWrapper(packed, "utf-8", newline="") as text,
            ):
                yield text
        else:
            with io.TextIOWrapper(file, "utf-8", newline="") as text:
                yield text


def main() -> None:
    """Write one file as the command line says."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.demo.files", description="Write a directorate file.")
    parser.add_argument("--rows", type=int, default=NATIONAL_TOTAL, help="default: the national file, %(default)s")
    parser.add_argument("--seed", type=int, default=1, help="files of different seeds share no violation")
    parser.add_argument("--out", type=Path, required=True, help="the file, .csv or .csv.gz")
    parser.add_argument("--bad-rows", type=int, default=0, metavar="PER_MILLE", help="rows of a thousand that are bad")
    parser.add_argument("--live", action="store_true", help="open violations of the last three days only")
    parser.add_argument(
        "--until",
        type=date.fromisoformat,
        metavar="YYYY-MM-DD",
        help=f"the file ends at the start of this day; default: {UNTIL}, and today for a live file",
    )
    options = parser.parse_args()
    until = options.until or (datetime.now(BAGHDAD).date() if options.live else UNTIL)
    try:
        write(options.out, options.rows, options.seed, bad_per_mille=options.bad_rows, live=options.live, until=until)
    except (ValueError, OSError) as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
    bad = sum(fault_at(index, options.bad_rows) is not None for index in range(options.rows))
    print(f"{options.out}: {options.rows:,} rows, {bad:,} of them bad")


if __name__ == "__main__":
    main()
