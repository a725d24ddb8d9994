"""Folding of typed and exported text: one form for every way in which Iraq writes the same thing; and digests.

Sources: the Unicode character database; the letters that Arabic, Kurdish and Persian keyboards and Windows-1256
exports put in one another's place.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Final
from unicodedata import normalize

_ARABIC_INDIC: Final = "٠١٢٣٤٥٦٧٨٩"
_EXTENDED: Final = "۰۱۲۳۴۵۶۷۸۹"
DIGITS: Final = {ord(digit): str(value) for digits in (_ARABIC_INDIC, _EXTENDED) for value, digit in enumerate(digits)}

# Tatweel, zero-width and bidirectional marks: seen by nobody, kept by copy and paste and by old exports.
_MARKS: Final = (0x0640, 0x061C, *range(0x200B, 0x2010), *range(0x202A, 0x202F), 0x2060, *range(0x2066, 0x206A), 0xFEFF)
_HARAKAT: Final = (*range(0x064B, 0x0653), 0x0670)
_MADDA_AND_HAMZA: Final = range(0x0653, 0x0656)

SEPARATORS: Final = " \t\r\n\u2028-_./\\|،,;؛:‐–—−'’\""
_LETTERS: Final = {
    **dict.fromkeys(map(ord, "أإآٱ"), "ا"),
    **dict.fromkeys(map(ord, "ھہە"), "ه"),
    **dict.fromkeys(map(ord, "يیێ"), "ى"),
    **dict.fromkeys(map(ord, "کڪ"), "ك"),
    **dict.fromkeys(map(ord, "ۆؤ"), "و"),
    ord("ڕ"): "ر",
    ord("ڵ"): "ل",
}
_CAPITALS: Final = {ord(letter): letter.upper() for letter in "abcdefghijklmnopqrstuvwxyz"}
_CLEAN: Final[dict[int, str | None]] = {**dict.fromkeys((*_MARKS, *_HARAKAT)), **DIGITS}
_FOLD: Final[dict[int, str | None]] = {**dict.fromkeys(_MADDA_AND_HAMZA), **_LETTERS, **_CAPITALS}
_NAME: Final[dict[int, str | None]] = {ord("ة"): "ه", **dict.fromkeys(map(ord, SEPARATORS))}


def clean(text: str) -> str:
    """NFKC, without marks that nobody sees, digits of any script as ASCII. Letters stay as people write them.

    NFKC takes quadratic time over a run of combining marks, so callers bound the length of what they pass.
    """
    if text.isascii():
        return text
    # Twice, because what a mark kept apart can compose once the mark is gone.
    return normalize("NFKC", normalize("NFKC", text).translate(_CLEAN))


def fold(text: str) -> str:
    """:func:`clean`, and letters that stand for one another as one; Latin in capitals. For keys, never for show."""
    if text.isascii():
        return text.upper()
    return normalize("NFKC", clean(text).translate(_FOLD))


def fold_name(text: str) -> str:
    """The key under which a name or word is found: folded, without spaces, separators or a leading ال."""
    name = fold(text).translate(_NAME)
    return name[2:] if name.startswith("ال") and len(name) > 3 else name


def digest(*parts: str) -> str:
    """Digest texts, in their order, to 32 hexadecimal digits.

    An id that is the digest of what a thing says, and to whom, makes saying it twice the same as saying it once.
    """
    return blake2b("\x1f".join(parts).encode(), digest_size=16).hexdigest()
