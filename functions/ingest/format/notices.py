"""What is told of a file's rows: reasons of rejection and warnings, counted by column and code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

MAX_EXAMPLES: Final = 3

NEWS_HELD: Final = "news_held"
"""Of rows of which followers hear only when somebody lets them (:mod:`ingest.held_news`)."""
FIRST: Final = (NEWS_HELD, "status_defaulted")
"""What is told before all else, however many rows other notices have."""

Lines = Sequence[tuple[int, list[str]]]
"""Records, each with the line that it begins on."""


class Finding(NamedTuple):
    """What many values of a column say. position: of the column, from 0. rows, first_line: of those that say it.

    column: our name of it, empty for none. refuses: the file, and else is only told. needed: the name that the column
    should bear.
    """

    code: str
    column: str
    position: int
    rows: int
    first_line: int
    refuses: bool = True
    needed: str = ""


class Notice(NamedTuple):
    """A rejection's reason or a warning: how many rows it applies to, where first, and some of what stands there."""

    column: str
    code: str
    rows: int
    first_line: int
    examples: tuple[str, ...] = ()


class _Tally:
    """What is counted of one notice: it is added to for most rows of some files."""

    __slots__ = ("examples", "first_line", "rows")

    def __init__(self, first_line: int) -> None:
        self.rows, self.first_line = 0, first_line
        self.examples: tuple[str, ...] = ()


class Notices:
    """Notices by column and code, added up."""

    def __init__(self, notices: Iterable[Notice] = ()) -> None:
        self._seen: dict[tuple[str, str], _Tally] = {}
        for notice in notices:
            self.add(*notice)

    def add(self, column: str, code: str, rows: int, first_line: int, examples: Iterable[str] = ()) -> None:
        """Count further rows to which a notice applies. examples: of what they hold."""
        seen = self._seen.get((column, code))
        if seen is None:
            seen = self._seen[column, code] = _Tally(first_line)
        seen.rows += rows
        if first_line < seen.first_line:
            seen.first_line = first_line
        if examples:
            seen.examples = tuple(dict.fromkeys((*seen.examples, *examples)))[:MAX_EXAMPLES]

    def drop(self, code: str) -> None:
        """Tell of a code no more."""
        self._seen = {key: tally for key, tally in self._seen.items() if key[1] != code}

    def listed(self) -> list[Notice]:
        """Those that are told first, then the most frequent."""
        return sorted(
            (Notice(*key, tally.rows, tally.first_line, tally.examples) for key, tally in self._seen.items()),
            key=lambda notice: (notice.code not in FIRST, -notice.rows, notice.first_line, notice.column),
        )
