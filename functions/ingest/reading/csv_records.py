"""The records of CSV text, of which most lines need no reader of CSV."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import chain
from typing import Any, Final

from ingest.errors import FileError
from shared.spreadsheet import original

_LINE_END: Final = "\r\n"
_QUOTE: Final = ord('"')
_DIGITS: Final = frozenset(b"0123456789")
_ascii_digit: Final = re.compile(rb"[0-9]").search
_arabic_digit: Final = re.compile(rb"\xd9[\xa0-\xa9]|\xdb[\xb0-\xb9]").search
_MAX_FIELD_CHARACTERS: Final = csv.field_size_limit()


def records(lines: Iterable[str], separator: str, first_line: int = 1) -> Iterator[tuple[int, list[str]]]:
    """The records of CSV text with the line each begins on; those that are empty, or of spaces, are left out.

    lines: with their ends, broken as ``io.StringIO(text, newline="")`` breaks them.
    Raises FileError for a field of more than 128 KiB, and for a quoted one that runs over its line and does not end
    at a separator.
    """
    lines = iter(lines)
    begins = first_line
    for line in lines:
        if '"' not in line and len(line) <= _MAX_FIELD_CHARACTERS:
            # Most lines are the cells between their separators, and need no reader of CSV.
            record, taken = line.rstrip(_LINE_END).split(separator), 1
        else:
            record, taken = _quoted(line, lines, separator, begins)
        if record[0].strip() or _is_filled(record):
            yield begins, [*map(original, record)] if "'" in line or taken > 1 else record
        begins += taken


Skimmed = tuple[int, bytes | list[str]]
"""The line that a record begins on, and what it is read from: that line, or its cells where they had to be read."""


def skim(
    lines: Iterator[bytes], separator: str, first_line: int, look: Callable[[int, list[str]], object]
) -> Iterator[Skimmed]:
    """Step from the end of each record that :func:`records` finds to the next, without taking most of them apart.

    lines: of UTF-8, whose bytes below 128 stand for nothing else. look: is shown the records without a digit, and their
    lines: every row has some.
    """
    begins = first_line
    empty = f"{separator}{_LINE_END}".encode()
    for line in lines:
        if _QUOTE not in line and len(line) <= _MAX_FIELD_CHARACTERS:
            if line[0] in _DIGITS:  # as most are
                yield begins, line
            elif rest := line.strip(empty):
                if has_digit(rest):
                    yield begins, line
                elif _is_filled(record := line.decode().rstrip(_LINE_END).split(separator)):
                    look(begins, record)  # words alone, and no spaces
                    yield begins, line
            begins += 1
            continue
        record, taken = _quoted(line.decode(), map(bytes.decode, lines), separator, begins)
        if _is_filled(record):
            if not has_digit(line):
                look(begins, record)
            yield begins, record
        begins += taken


def has_digit(line: bytes) -> bool:
    """Whether a line of UTF-8 holds a digit, of ASCII or Arabic."""
    return _ascii_digit(line) is not None or _arabic_digit(line) is not None


def skimmed_records(skimmed: Iterable[Skimmed], separator: str) -> Iterator[tuple[int, list[str]]]:
    """Give the records that :func:`skim` stepped over, as :func:`records` does."""
    for begins, found in skimmed:
        if isinstance(found, bytes):
            yield from records((found.decode(),), separator, begins)
        else:
            yield begins, [original(cell) for cell in found]


def _is_filled(record: list[str]) -> bool:
    return any(map(str.strip, record))


def _quoted(line: str, lines: Iterator[str], separator: str, begins: int) -> tuple[list[str], int]:
    """The record that begins with a line, and how many lines it takes."""
    end = iter(("\n",))  # an open quote swallows this too
    reader = csv.reader(chain((line,), lines, end), _strict(separator))
    try:
        record = next(reader)
    except csv.Error:
        if reader.line_num > 1:
            # A stray quote and the next one, rows later, would make one plausible row of two rows' cells.
            raise FileError("quote_unclosed", line=begins) from None
        return _in_one_line(line, separator, begins), 1
    if next(end, None) is None:
        raise FileError("quote_unclosed", line=begins)
    return record, reader.line_num


@cache
def _strict(separator: str) -> Any:
    """The dialect, ready made: to make it anew costs more than to read a line."""
    return csv.reader((), delimiter=separator, strict=True).dialect


def _in_one_line(line: str, separator: str, begins: int) -> list[str]:
    """The record of a line in which quotes stand where none belong."""
    reader = csv.reader((line, "\n"), delimiter=separator)
    try:
        record = next(reader)
    except csv.Error:
        raise FileError("record_too_long", line=begins) from None
    if reader.line_num > 1:
        raise FileError("quote_unclosed", line=begins)
    return record
