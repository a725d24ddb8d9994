"""Unpacking gzip in constant memory, with bounds on what a small file may become."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Final

from ingest.errors import FileError

MAX_FILE_BYTES: Final = 5 * 1024**3
"""Bytes of a file, unpacked."""

MAX_UNPACKING_RATIO: Final = 200
"""Rows of violations shrink ten- to thirtyfold; what shrinks more is no such file."""

UNSUSPICIOUS: Final = 64 * 1024 * 1024
"""Up to so many bytes the ratio does not matter."""

_BLOCK: Final = 256 * 1024
_GZIP: Final = 31  # zlib's window bits for a gzip header


def require_bounds(packed: int, unpacked: int, bomb: str) -> None:
    """Raises FileError where so many bytes may not become so many. bomb: the code for an implausible ratio."""
    if unpacked > UNSUSPICIOUS and unpacked > MAX_UNPACKING_RATIO * packed:
        raise FileError(bomb)
    if unpacked > MAX_FILE_BYTES:
        raise FileError("file_too_large")


def gunzip(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The content of a gzip file of one or more members (RFC 1952).

    Raises FileError where it ends early, is damaged or grows beyond bounds.
    """
    member = zlib.decompressobj(_GZIP)
    packed = unpacked = 0
    for block in blocks:
        packed += len(block)
        rest = block
        while rest:
            if member.eof:
                rest = rest.lstrip(b"\0")  # padding, as tapes and some writers leave it
                if not rest:
                    break
                member = zlib.decompressobj(_GZIP)
            try:
                content = member.decompress(rest, _BLOCK)
            except zlib.error:
                raise FileError("gzip_damaged") from None
            unpacked += len(content)
            require_bounds(packed, unpacked, "gzip_bomb")
            yield content
            rest = member.unused_data if member.eof else member.unconsumed_tail
    yield from _flushed(member)


def _flushed(member: zlib._Decompress) -> Iterator[bytes]:
    """Give out what a member that was fed to its end still holds back."""
    try:
        yield member.flush()
    except zlib.error:
        raise FileError("gzip_damaged") from None
    if not member.eof:
        raise FileError("gzip_truncated")
