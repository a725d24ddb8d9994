"""What is told of a file's rows: reasons of rejection and warnings, counted by column and code."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Notice(NamedTuple):
    """A rejection's reason or a warning: how many rows it applies to, and where first."""

    column: str
    code: str
    rows: int
    first_line: int


class Notices:
    """Notices by column and code, added up."""

    def __init__(self, notices: Iterable[Notice] = ()) -> None:
        self._seen: dict[tuple[str, str], Notice] = {}
        for notice in notices:
            self.add(*notice)

    def add(self, column: str, code: str, rows: int, first_line: int) -> None:
        """Count further rows to which a notice applies."""
        known = self._seen.get((column, code))
        if known:
            rows, first_line = known.rows + rows, min(known.first_line, first_line)
        self._seen[column, code] = Notice(column, code, rows, first_line)

    def listed(self) -> list[Notice]:
        """The most frequent first."""
        return sorted(self._seen.values(), key=lambda notice: (-notice.rows, notice.first_line, notice.column))
