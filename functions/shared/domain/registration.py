"""Registrations: which number stands on the registration card (السنوية) of which vehicle, however it is written."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

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


class Registration(NamedTuple):
    """One accepted row of a file: a vehicle and the number on its card, in its normal form.

    version: what tells which writing is newer. dated: whether the row named its own ``updated_at``. ref: the file
    version and line it stands on. uploaded_at: when that file was uploaded, as a stored text.
    """

    plate_key: str
    category: str | None
    number: str
    version: str
    dated: bool
    ref: str
    uploaded_at: str

    @property
    def identity(self) -> tuple[str, str | None]:
        """The vehicle: its plate and category."""
        return self.plate_key, self.category


class Proof(NamedTuple):
    """What came of a number: whether it stands on the plate's card.

    category: that of the card, where the plate's number is registered in several. wrong_today: how many wrong numbers
    the plate has had today.
    """

    right: bool
    category: str | None = None
    wrong_today: int = 0
