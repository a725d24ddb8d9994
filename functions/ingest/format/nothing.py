"""What exports write where there is no value: strokes, and the words of databases, programs and people for nothing."""

from __future__ import annotations

import re
from string import ascii_letters
from typing import Final

from shared.domain.text import clean, fold, fold_name

# Strokes, points and brackets. Not "?", which stands for what an export lost, nor "#", which a column too narrow shows.
_STROKE: Final = re.escape("-‐‑‒–—―−_./\\|~*·•,،;؛:'`()[]{}<> ")
_EMPTY: Final = re.compile(rf"[{_STROKE}]*|[(<\[{{]?NULL[)>\]}}]?|\\N|#?N/A", re.IGNORECASE).fullmatch
_MAX_WORD_CHARACTERS: Final = 20
_SAID: Final = (
    *("none", "nil", "nan", "nat", "na", "null", "undefined", "empty", "not available", "not applicable"),
    *("لا يوجد", "لا توجد", "غير موجود", "غير موجودة", "لا شيء", "لا شئ", "بلا", "بدون", "فارغ", "فارغة", "لا ينطبق"),
    *("غير متوفر", "غير متوفرة", "غير محدد", "غير محددة", "غير مذكور", "غير مذكورة", "معدوم", "نییە", "هیچ"),
)
_WORDS: Final = frozenset(map(fold_name, _SAID))
_LETTERS: Final = ascii_letters + "بتثجحخدذرزسشصضطظعغفقكلمنهوي"
_BEGIN_NONE: Final = frozenset(letter for letter in _LETTERS if all(word[0] != fold(letter) for word in _WORDS))
"""Letters with which no such word begins, however it is written: a cell that begins so says something."""


def is_empty(cell: str) -> bool:
    """Whether a cell that identifies something holds nothing: NA is the code of some sector, None no code of ours."""
    return _EMPTY(clean(cell).strip()) is not None


def is_nothing(cell: str) -> bool:
    """Whether a cell that may be empty holds nothing, by whatever word."""
    if cell[-1:].isdecimal() or cell[:1] in _BEGIN_NONE:  # as no such word ends or begins, and most cells do
        return False
    value = clean(cell).strip()
    return _EMPTY(value) is not None or (len(value) <= _MAX_WORD_CHARACTERS and fold_name(value) in _WORDS)
