"""Folding of typed and exported text: one form for every way in which Iraq writes the same thing.

Sources: the Unicode character database; the letters that Arabic, Kurdish and Persian keyboards and Windows-1256
exports put in one another's place.
"""

from __future__ import annotations

import unicodedata
from typing import Final

_ARABIC_INDIC: Final = "٠١٢٣٤٥٦٧٨٩"
_EXTENDED: Final = "۰۱۲۳۴۵۶۷۸۹"
DIGITS: Final = {ord(digit): str(value) for digits in (_ARABIC_INDIC, _EXTENDED) for value, digit in enumerate(digits)}

# Tatweel, zero-width and bidirectional marks: seen by nobody, kept by copy and paste and by old exports.
_MARKS: Final = (0x0640, 0x061C, *range(0x200B, 0x2010), *range(0x202A, 0x202F), 0x2060, *range(0x2066, 0x206A), 0xFEFF)
_HARAKAT: Final = (*range(0x064B, 0x0653), 0x0670)
_INVISIBLE: Final[dict[int, str | None]] = dict.fromkeys((*_MARKS, *_HARAKAT))

_LETTERS: Final = {
    **dict.fromkeys(map(ord, "أإآٱ"), "ا"),
    **dict.fromkeys(map(ord, "ھہە"), "ه"),
    **dict.fromkeys(map(ord, "يیێ"), "ى"),
    **dict.fromkeys(map(ord, "کڪ"), "ك"),
    **dict.fromkeys(map(ord, "ۆؤ"), "و"),
    ord("ڕ"): "ر",
    ord("ڵ"): "ل",
}
_SEPARATORS: Final = " \t\r\n-_./\\|،,;:–—−'’\""
_CLEAN: Final[dict[int, str | None]] = {**_INVISIBLE, **DIGITS}
_FOLD: Final[dict[int, str | None]] = {**_CLEAN, **_LETTERS}
_NAME: Final[dict[int, str | None]] = {**_FOLD, ord("ة"): "ه", **dict.fromkeys(map(ord, _SEPARATORS))}


def clean(text: str) -> str:
    """NFKC, without marks that nobody sees, digits of any script as ASCII. Letters stay as people write them."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFKC", text).translate(_CLEAN)


def fold(text: str) -> str:
    """:func:`clean`, and letters that stand for one another as one; Latin in capitals. For keys, never for show."""
    if text.isascii():
        return text.upper()
    return unicodedata.normalize("NFKC", text).translate(_FOLD).upper()


def fold_name(text: str) -> str:
    """The key under which a name or word is found: folded, without spaces, separators or a leading ال."""
    name = unicodedata.normalize("NFKC", text).translate(_NAME).upper()
    return name[2:] if name.startswith("ال") and len(name) > 3 else name
