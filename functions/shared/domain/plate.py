"""Number plates: the four families on Iraq's roads, their keys, and how people and exports write them.

German (Arabic letter), pre-2003 and old Kurdistan Region (digits only), unified (Latin letter and a two-digit code).
Nothing is guessed: what can be read in two ways is answered with both.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from shared.domain.governorates import GOVERNORATES, find_code
from shared.domain.text import clean, fold, fold_name

GERMAN: Final = "german"
OLD: Final = "old"
KURDISTAN: Final = "kurdistan"
UNIFIED: Final = "unified"

PREFIXES: Final = {GERMAN: "DE", OLD: "OLD", KURDISTAN: "KR", UNIFIED: "UN"}
_FAMILIES: Final = {prefix: family for family, prefix in PREFIXES.items()}
_MAX_DIGITS: Final = {GERMAN: 6, OLD: 7, KURDISTAN: 7, UNIFIED: 5}

# The letters known on German plates and the Latin one that people type for each. A transliteration for keyboards only:
# a German number never becomes a unified one through it.
GERMAN_LETTERS: Final = dict(zip("ابجدرسطفكمنهىقلوز", "ABJDRSTFKMNHEQLWZ", strict=True))
LATIN_FOR_GERMAN: Final = {latin: letter for letter, latin in GERMAN_LETTERS.items()}

CATEGORIES: Final = {
    "private": ("خصوصي", "تایبەت", "private"),
    "hire": ("أجرة", "اجره", "تكسي", "تاكسي", "کرێ", "hire", "taxi"),
    "cargo": ("حمل", "بارهەڵگر", "cargo"),
    "government": ("حكومي", "حكومية", "میری", "government"),
    "agricultural": ("زراعي", "زراعية", "کشتوکاڵی", "agricultural"),
    "construction": ("إنشائي", "إنشائية", "بیناسازی", "construction"),
    "motorcycle": ("دراجة نارية", "دراجة", "ماتۆڕسکیل", "motorcycle"),
    "temporary": ("مؤقت", "مؤقتة", "فحص مؤقت", "کاتی", "temporary"),
    "other": ("دبلوماسي", "عسكري", "other"),
}
FAMILY_WORDS: Final = {
    GERMAN: ("ألماني", "ألمانية", "ئەڵمانی", "german"),
    OLD: ("قديم", "قديمة", "النظام القديم", "قبل 2003", "کۆن", "old"),
    KURDISTAN: ("كردستان", "إقليم كردستان", "إقليم", "كوردستان", "هەرێمی کوردستان", "kurdistan"),
    UNIFIED: ("موحد", "موحدة", "انكليزي", "انكليزية", "إنجليزي", "إنجليزية", "یەکگرتوو", "unified"),
}
# "New" means German to some and unified to others.
REFUSED_FAMILY_WORDS: Final = ("جديد", "جديدة", "new")

_CATEGORY_OF: Final = {fold_name(word): category for category, words in CATEGORIES.items() for word in words}
_FAMILY_OF: Final = {fold_name(word): family for family, words in FAMILY_WORDS.items() for word in words}
_REFUSED: Final = frozenset(map(fold_name, REFUSED_FAMILY_WORDS))

_ARABIC_LETTER: Final = re.compile("[\u0621-\u064a]")
# What may stand between the digits of a number: not a point or comma, which may begin a fraction (12456.0), nor a
# stroke, which parts two numbers (345/22 is a serial and a governorate's code).
_GROUPED: Final = re.compile("[0-9]+(?:[ ‐–−-]+[0-9]+)*")
_GROUPING: Final = dict.fromkeys(map(ord, " -_/\\|‐–−"))


class PlateError(ValueError):
    """A plate that cannot be read. code: why, a key of the words for people. field: which part is wrong.

    value: what is not known, where that is why.
    """

    def __init__(self, code: str, field: str = "plate", value: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.field = field
        self.value = value


class Plate(NamedTuple):
    """A number plate. governorate: code. letter: None for digits-only families. number: ASCII, no leading zero."""

    family: str
    governorate: str
    letter: str | None
    number: str

    @property
    def key(self) -> str:
        """The one text under which the plate is stored, such as ``DE#11#ز#12456``."""
        return _key(*self)

    @classmethod
    def from_key(cls, key: str) -> Plate:
        """The plate of a stored key."""
        prefix, governorate, *letter, number = key.split("#")
        return cls(_FAMILIES[prefix], governorate, letter[0] if letter else None, number)

    @property
    def tail(self) -> str:
        """The last three digits: enough for its driver to know it, too little for anyone else."""
        return self.number[-3:]

    def text(self, language: str = "ar") -> str:
        """As people write it, which :mod:`query.plate_text` reads. The letter heh is as on the metal (هـ)."""
        if self.family == UNIFIED:
            return f"{self.governorate} {self.letter} {self.number}"
        letter = "هـ" if self.letter == "ه" else self.letter
        name = GOVERNORATES[self.governorate].name(language)
        return " ".join(part for part in (name, letter, self.number) if part)


def _key(family: str, *parts: str | None) -> str:
    return "#".join(part for part in (PREFIXES[family], *parts) if part)


class Reading(NamedTuple):
    """One way to read what was typed. category: where a word for it was given."""

    plate: Plate
    category: str | None = None


class AmbiguousPlateError(ValueError):
    """A text with several readings; the citizen chooses."""

    def __init__(self, candidates: tuple[Reading, ...]) -> None:
        super().__init__("plate_ambiguous")
        self.candidates = candidates


def find_category(word: str) -> str | None:
    """The category of a word in any of the three languages, or None."""
    return _CATEGORY_OF.get(fold_name(word))


def find_family(word: str) -> str | None:
    """The family of a word in any of the three languages, or None. Raises PlateError for "new", which names none."""
    folded = fold_name(word)
    if folded in _REFUSED:
        raise PlateError("family_new", "family")
    return _FAMILY_OF.get(folded)


class Series(NamedTuple):
    """The plates of one family, governorate and letter. stem: what their keys begin with, all but the number."""

    family: str
    governorate: str
    letter: str | None
    stem: str

    def plate(self, number: str) -> Plate:
        """The plate of a number in digits of any script, grouped or not. Raises PlateError."""
        return Plate(self.family, self.governorate, self.letter, self._serial(number))

    def key(self, number: str) -> str:
        """The key of that plate. Raises PlateError."""
        return self.stem + self._serial(number)

    def _serial(self, number: str) -> str:
        if not (number.isascii() and number.isdecimal()):
            number = clean(number).strip()
            if not _GROUPED.fullmatch(number):
                raise PlateError("number_not_digits" if number else "number_missing", "number")
            number = number.translate(_GROUPING)
        serial = number.lstrip("0")
        if not 0 < len(serial) <= _MAX_DIGITS[self.family]:
            raise PlateError("number_too_long" if serial else "number_zero", "number")
        return serial


def series(family: str, governorate: str, letter: str | None) -> Series:
    """The series of a plate's parts as a file or a form gives them. Raises PlateError naming the part that is wrong.

    family: one of the four names, or a word for one. governorate: code or name.
    """
    found = family if family in PREFIXES else find_family(family)
    if found is None:
        raise PlateError("family_unknown", "family")
    code = find_code(governorate)
    if code is None:
        raise PlateError("governorate_unknown", "governorate")
    written = fold(letter or "").strip()
    # Strokes alone are no letter; beside one they are no part of it: \N, a database's word for nothing, is not N.
    return known_series(found, code, written if written.translate(_GROUPING) else None)


def from_parts(family: str, governorate: str, letter: str | None, number: str) -> Plate:
    """The plate of its parts, as :func:`series` and :meth:`Series.plate` take them. Raises PlateError."""
    return series(family, governorate, letter).plate(number)


def is_latin(letter: str | None) -> bool:
    return letter is not None and len(letter) == 1 and "A" <= letter <= "Z"


def known_series(family: str, governorate: str, letter: str | None) -> Series:
    """The series of a family, a governorate's code and a folded letter. Raises PlateError."""
    kurdistan = GOVERNORATES[governorate].kurdistan
    if family == OLD and kurdistan:
        family = KURDISTAN  # digits only in the Region: one key, whatever the file calls it
    if family == KURDISTAN and not kurdistan:
        raise PlateError("governorate_not_kurdistan", "governorate")
    if family in (OLD, KURDISTAN):
        if letter:
            raise PlateError("letter_forbidden", "letter")
    elif not letter:
        raise PlateError("letter_missing", "letter")
    elif family == GERMAN:
        if not _ARABIC_LETTER.fullmatch(letter):
            raise PlateError("letter_not_arabic", "letter")
    elif not is_latin(letter):
        raise PlateError("letter_not_latin", "letter")
    return Series(family, governorate, letter or None, f"{_key(family, governorate, letter)}#")
