"""What can be wrong with a file or a cell. Codes are keys of :data:`ingest.reporting.texts.ERRORS`."""

from __future__ import annotations


class FileError(Exception):
    """The whole file is refused and nothing of it is written.

    code: why. column: which column, where it is about one. line: where in the file, the header being line 1.
    value: what was found, where that helps. accept: the words that let the file be loaded all the same.
    """

    def __init__(
        self,
        code: str,
        *,
        column: str | None = None,
        line: int | None = None,
        value: str | None = None,
        accept: str | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.column = column
        self.line = line
        self.value = value
        self.accept = accept


class CellError(ValueError):
    """One cell breaks its column's rule, and so its row is rejected. column: empty where it is the row as a whole."""

    def __init__(self, code: str, column: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.column = column
