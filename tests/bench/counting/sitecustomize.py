"""Counts the bytes that SHA-256 goes through in a process, and writes them to stderr at its end.

Python imports it by itself where this folder is on PYTHONPATH. It stands for hashlib's SHA-256 and hmac's digest.
"""

from __future__ import annotations

import atexit
import hashlib
import hmac
import sys
from typing import Any

_sha256 = hashlib.sha256
blocks = 0


class Counted:
    """A SHA-256 that counts its blocks of 64 bytes once it is asked for, those of the padding too."""

    name, block_size, digest_size = "sha256", 64, 32

    def __init__(self, data: Any = b"", **_: Any) -> None:
        self._hash, self._length = _sha256(), 0
        self.update(data)

    def update(self, data: Any) -> None:
        self._hash.update(data)
        self._length += len(data)

    def copy(self) -> Counted:
        copy = Counted()
        copy._hash, copy._length = self._hash.copy(), self._length
        return copy

    def digest(self) -> bytes:
        global blocks
        blocks += (self._length + 8) // self.block_size + 1
        return self._hash.digest()

    def hexdigest(self) -> str:
        return self.digest().hex()


def _digest(key: bytes, message: bytes, digest: str) -> bytes:
    assert digest == "sha256"
    return hmac.new(key, message, Counted).digest()


hashlib.sha256 = Counted  # type: ignore[assignment]
hmac.digest = _digest  # type: ignore[assignment]
atexit.register(lambda: print(blocks * Counted.block_size, file=sys.stderr))
