"""Cells of the CSV files that we write, which people open in spreadsheets."""

from __future__ import annotations

import re
from typing import Final

# What a spreadsheet passes over before it looks at a cell: white space, controls, and marks that nobody sees
# (Unicode's categories Z, Cc and Cf, and letters without a shape); quotation marks belong to the CSV.
_PASSED_OVER: Final = (
    r"\x00-\x20\x7f-\xa0\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u1680\u17b4\u17b5"
    r"\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    r"\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff\""
)
# Any of them may be what another country's spreadsheet splits a line at.
_SEPARATORS: Final = ",;|\t\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029"
# = + - @, and what Unicode's NFKC makes of others: full-width, small, raised and lowered forms; and the minus sign.
_SIGNS: Final = "=+\\-@＝＋－＠﹦﹢﹣﹫⁼⁺⁻₌₊₋﬩⩵⩶\u2212"

_has_sign: Final = re.compile(f"[{_SIGNS}]").search
# Possessive, so that no run is read twice.
_RUN: Final = re.compile(f"(\\A|(?=[{_SEPARATORS}{_PASSED_OVER}']))([{_SEPARATORS}{_PASSED_OVER}']*+)([{_SIGNS}]?)")
_last_separator: Final = re.compile(f".*[{_SEPARATORS}]", re.DOTALL).match


def neutral(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula, whatever it splits the line at: a ``'`` makes it text.

    It stands before what would begin a formula: at the cell's start, and after a separator inside it.
    """
    return _RUN.sub(_marked, cell) if _has_sign(cell) else cell


def original(cell: str) -> str:
    """What :func:`neutral` was given; a cell that it did not write stays as it is."""
    return _RUN.sub(_unmarked, cell) if "'" in cell and _has_sign(cell) else cell


def _marked(found: re.Match[str]) -> str:
    head, tail = _parts(found)
    if not found[3] or (found.start() and not head):
        return found[0]
    return f"{_mark(head, found)}{head}'{tail}{found[3]}"


def _unmarked(found: re.Match[str]) -> str:
    head, tail = _parts(found)
    mark = _mark(head, found)
    if not found[3] or (found.start() and not head) or not (head.startswith(mark) and tail.startswith("'")):
        return found[0]
    return f"{head[len(mark) :]}{tail[1:]}{found[3]}"


def _parts(found: re.Match[str]) -> tuple[str, str]:
    """What passes for nothing before a sign: up to its last separator, and behind that."""
    last = _last_separator(found[2])
    at = last.end() if last else 0
    return found[2][:at], found[2][at:]


def _mark(head: str, found: re.Match[str]) -> str:
    """The mark at the start of a cell that begins with a separator: it is another cell where nothing is split there."""
    return "'" if head and not found.start() else ""
