"""A text file's encoding: told by its byte order mark, else as declared, never guessed; and its text as UTF-8."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from typing import Final

from ingest.errors import FileError

UTF8: Final = "utf-8"
WINDOWS_1256: Final = "windows-1256"

_MARKS: Final = {codecs.BOM_UTF8: UTF8, codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_NAMES: Final = {"utf-8": UTF8, "utf8": UTF8, "windows-1256": WINDOWS_1256, "cp1256": WINDOWS_1256}
_MAX_NAME_CHARACTERS: Final = 40


def encoding_of(head: bytes, declared: str) -> str:
    """The encoding of a file that begins so. Raises FileError, which names it, where the declared one is not taken."""
    for mark, encoding in _MARKS.items():
        if head.startswith(mark):
            return encoding
    known = _NAMES.get(declared.strip().lower())
    if known is None:
        raise FileError("encoding_unknown", value=declared[:_MAX_NAME_CHARACTERS])
    return known


def as_utf8(blocks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """A file of another encoding in UTF-8. Raises FileError for bytes that are no text in it."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for block in blocks:
            yield decoder.decode(block).encode()
        yield decoder.decode(b"", final=True).encode()
    except UnicodeDecodeError:
        raise FileError("not_utf16") from None  # every byte is a letter in Windows-1256
