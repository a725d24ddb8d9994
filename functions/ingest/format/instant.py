"""When what a file says was so, as whoever uploads it declares it."""

from __future__ import annotations

from ingest.errors import CellError, FileError
from ingest.format.columns import AS_OF
from ingest.format.parser import last_instant, read_date


def declared_instant(said: str | None, last_modified: str) -> str:
    """The instant of a declaration as a stored text, empty where there is none. last_modified: when the file came.

    Raises FileError where it is no date, or one that lies more than a day after that.
    """
    try:
        return read_date(AS_OF, (said or "").strip(), last_instant(last_modified)) or ""
    except CellError:
        raise FileError("as_of_wrong", value=said) from None
