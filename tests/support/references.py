"""What documents refer to as ``path::name``: a file of the repository and what it defines, or a test in it."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_REFERENCE: Final = re.compile(r"`([\w./-]+\.py)::([\w.]+)`")


class Reference(NamedTuple):
    """path: from the root of the repository. name: defined there, as ``Class.member`` where it is a class's."""

    path: str
    name: str

    @property
    def is_test(self) -> bool:
        """Whether it is a test."""
        return self.path.startswith("tests/") and self.name.startswith("test_")


def references(text: str) -> list[Reference]:
    """Everything that a text refers to, in order. That it is there is held for all documents alike."""
    return [Reference(*found) for found in _REFERENCE.findall(text)]
