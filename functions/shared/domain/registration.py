"""The number of a vehicle's registration card (السنوية), as people and exports write it."""

from __future__ import annotations

import re
from typing import Final

from shared.domain.text import SEPARATORS, fold

MAX_NUMBER_CHARACTERS: Final = 40
_BETWEEN: Final = dict.fromkeys(map(ord, SEPARATORS))
_NUMBER: Final = re.compile(r"[^\W_]{4,32}")


def normal(text: str) -> str | None:
    """One form for every way to write the number: folded, without separators. None where it cannot be one."""
    if len(text) > MAX_NUMBER_CHARACTERS:
        return None
    number = fold(text).translate(_BETWEEN)
    return number if _NUMBER.fullmatch(number) else None
