"""The shared texts of a workbook, to which its cells refer by number: they lie on disk."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from functools import lru_cache
from struct import Struct
from typing import IO, Final

from ingest.errors import FileError
from ingest.reading.workbook_parts import TOO_COMPLEX, Attributes, drain, fed

MAX_TEXT_BYTES: Final = 1024**3
"""Bytes that the distinct texts of a workbook may take on disk."""

MAX_EMPTY_TEXTS: Final = 1_000_000
"""Shared texts that hold nothing; a text is shared once, but for some writers who share each cell's."""

MAX_CELL_CHARACTERS: Final = 32_767
"""Characters; Excel's bound, and ours."""

_REMEMBERED: Final = 2048
"""Texts at hand: the words that rows repeat. At 32,767 characters each they are still bounded."""
_ESCAPED: Final = re.compile("_x([0-9A-Fa-f]{4})_")
"""A sign that XML cannot hold or would change, such as the ``_x000D_`` of Windows' line breaks (22.9.2.19)."""


class Text:
    """The text of one element, put together from the pieces that expat gives. Raises FileError beyond a bound."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._length = 0

    def add(self, piece: str) -> None:
        self._length += len(piece)
        if self._length > MAX_CELL_CHARACTERS:
            raise FileError("excel_texts_too_large")
        self._pieces.append(piece)

    def take(self) -> str:
        text = "".join(self._pieces)
        self._pieces.clear()
        self._length = 0
        return _ESCAPED.sub(_sign, text) if "_x" in text else text


def _sign(escaped: re.Match[str]) -> str:
    return chr(int(escaped[1], 16))


class SharedStrings:
    """The texts that cells refer to by number, on disk. ``get(index)`` raises FileError where there is none."""

    _place: Final = Struct("<QI")

    def __init__(self, texts: IO[bytes], places: IO[bytes], part: Iterable[bytes]) -> None:
        self._texts, self._places = texts, places
        self._size = self._empty = 0
        self._inside = self._phonetic = False
        self._text = Text()
        drain(fed(part, start=self._start, end=self._end, text=self._take))
        texts.flush()
        places.flush()
        self.get = lru_cache(_REMEMBERED)(self._get)

    def _get(self, index: int) -> str:
        place = os.pread(self._places.fileno(), self._place.size, index * self._place.size) if index >= 0 else b""
        if len(place) < self._place.size:
            raise FileError("excel_damaged")
        start, length = self._place.unpack(place)
        return os.pread(self._texts.fileno(), length, start).decode()

    def _start(self, name: str, _: Attributes) -> None:
        if name == "rPh":  # how a text is pronounced, not what it says
            self._phonetic = True
        self._inside = name == "t" and not self._phonetic

    def _end(self, name: str) -> None:
        self._inside = False
        if name == "rPh":
            self._phonetic = False
        elif name == "si":
            text = self._text.take().encode("utf-8", "replace")
            self._empty += not text
            if self._empty > MAX_EMPTY_TEXTS:
                raise FileError(TOO_COMPLEX)
            self._places.write(self._place.pack(self._size, len(text)))
            self._texts.write(text)
            self._size += len(text)
            if self._size > MAX_TEXT_BYTES:
                raise FileError("excel_texts_too_large")

    def _take(self, text: str) -> None:
        if self._inside:
            self._text.add(text)
