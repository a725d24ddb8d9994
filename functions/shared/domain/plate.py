"""Number plates: the four families on Iraq's roads, their keys, and how people and exports write them.

German (Arabic letter), pre-2003 and old Kurdistan Region (digits only), unified (Latin letter and a two-digit code).
Nothing is guessed: what can be read in two ways is answered with both.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from shared.domain.governorates import GOVERNORATES, MAX_NAME_WORDS, find_code
from shared.domain.text import SEPARATORS, clean, fold, fold_name

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
_LATIN_FOR_GERMAN: Final = {latin: letter for letter, latin in GERMAN_LETTERS.items()}

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
# What people say around a plate, and what stands on its metal for the country: the Region's unified plates bear KR.
_NOISE: Final = (
    *("لوحة", "رقم", "الرقم", "نمرة", "حرف", "محافظة", "سيارة", "مركبة", "عجلة", "العراق"),
    *("تابلۆ", "ژمارە", "پیت", "پیتی", "پارێزگا", "پارێزگای", "ئۆتۆمبێل", "عێراق"),
    *("plate", "number", "no", "letter", "governorate", "car", "vehicle", "Iraq", "IRQ", "KR"),
)

_CATEGORY_OF: Final = {fold_name(word): category for category, words in CATEGORIES.items() for word in words}
_FAMILY_OF: Final = {fold_name(word): family for family, words in FAMILY_WORDS.items() for word in words}
_REFUSED: Final = frozenset(map(fold_name, REFUSED_FAMILY_WORDS))
_IGNORED: Final = frozenset(map(fold_name, _NOISE))

_ARABIC_LETTER: Final = re.compile("[\u0621-\u064a]")
_DIGITS: Final = re.compile("[0-9]+")
_TOKENS: Final = re.compile(r"[0-9]+|[^\W\d_]+")
# Neither letter, digit nor separator: what stood there is lost (exports write "?" for it), so nothing is read past it.
_STRANGE: Final = re.compile(rf"(?![0-9])\d|[^\w{re.escape(SEPARATORS)}()#\[\]«»“”]")
# What may stand between the digits of a number: not a point or comma, which may begin a fraction (12456.0), nor a
# stroke, which parts two numbers (345/22 is a serial and a governorate's code).
_GROUPED: Final = re.compile("[0-9]+(?:[ ‐–−-]+[0-9]+)*")
_GROUPING: Final = dict.fromkeys(map(ord, " -_/\\|‐–−"))
_POINTED: Final = re.compile(r"[0-9]\s*[.,،]\s*[0-9]")
MAX_TEXT_CHARACTERS: Final = 80


class PlateError(ValueError):
    """A plate that cannot be read. code: why, a key of the words for people. field: which part is wrong."""

    def __init__(self, code: str, field: str = "plate") -> None:
        super().__init__(code)
        self.code = code
        self.field = field


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
        """As people write it, readable again by :func:`read`. The letter heh is shown as on the metal (هـ)."""
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
    return _series(found, code, written if written.translate(_GROUPING) else None)


def from_parts(family: str, governorate: str, letter: str | None, number: str) -> Plate:
    """The plate of its parts, as :func:`series` and :meth:`Series.plate` take them. Raises PlateError."""
    return series(family, governorate, letter).plate(number)


def _latin(letter: str | None) -> bool:
    return letter is not None and len(letter) == 1 and "A" <= letter <= "Z"


def _series(family: str, governorate: str, letter: str | None) -> Series:
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
    elif not _latin(letter):
        raise PlateError("letter_not_latin", "letter")
    return Series(family, governorate, letter or None, f"{_key(family, governorate, letter)}#")


class _Words(NamedTuple):
    """What the words of a text say, and the single letters and runs of digits that are left, in order."""

    governorate: str | None
    category: str | None
    family: str | None
    letter: str | None
    numbers: tuple[str, ...]
    letter_at: int
    """How many of ``numbers`` stand before the letter."""
    pointed: bool
    """Whether a point or comma parts two ``numbers``."""


class _Place(NamedTuple):
    """One way to tell governorate from serial. coded: the governorate's code was typed, not only its name."""

    governorate: str
    number: str
    coded: bool


def read(text: str) -> Reading:
    """The plate that a person typed, letter before or after the digits, governorate as code or name, words of its kind.

    Raises PlateError where it cannot be read, AmbiguousPlateError where it can be read in several ways. O(len(text)).
    """
    if len(text) > MAX_TEXT_CHARACTERS:
        raise PlateError("plate_too_long")
    words = _split(text)
    candidates: dict[Plate, Reading] = {}
    problem: PlateError | None = None
    for place in _places(words):
        for family, letter in _families(words, place):
            try:
                plate = _series(family, place.governorate, letter).plate(place.number)
            except PlateError as error:
                problem = problem or error
            else:
                candidates[plate] = Reading(plate, words.category)
    if not candidates:
        raise problem or PlateError("plate_unreadable")
    if len(candidates) > 1:
        raise AmbiguousPlateError(tuple(candidates.values()))
    return next(iter(candidates.values()))


def _split(text: str) -> _Words:
    folded = fold(text)
    if _STRANGE.search(folded):
        raise PlateError("plate_unreadable")
    tokens = _TOKENS.findall(folded)
    found: dict[str, str] = {}
    numbers: list[str] = []
    letter_at = 0
    index = 0
    while index < len(tokens):
        token = tokens[index]
        kind, value, length = _word_at(tokens, index)
        if kind:
            if found.setdefault(kind, value) != value:
                raise PlateError(f"{kind}_twice", kind)
        elif _DIGITS.fullmatch(token):
            numbers.append(token)
        elif len(token) == 1:
            if "letter" in found:
                raise PlateError("letter_twice", "letter")
            found["letter"] = token
            letter_at = len(numbers)
        elif fold_name(token) not in _IGNORED:
            raise PlateError("word_unknown")
        index += length
    return _Words(
        found.get("governorate"),
        found.get("category"),
        found.get("family"),
        found.get("letter"),
        tuple(numbers),
        letter_at,
        len(numbers) == 2 and _POINTED.search(folded) is not None,
    )


def _word_at(tokens: list[str], index: int) -> tuple[str, str, int]:
    """The longest known word that begins at a token: its kind, value and how many tokens it takes.

    A single letter is the plate's and never part of a word: حكومي هـ is not حكومية.
    """
    for length in range(min(MAX_NAME_WORDS, len(tokens) - index), 0, -1):
        part = tokens[index : index + length]
        if part[0].isdecimal() or any(len(token) == 1 for token in part):
            continue
        word = " ".join(part)
        if code := find_code(word):
            return "governorate", code, length
        if category := find_category(word):
            return "category", category, length
        if family := find_family(word):
            return "family", family, length
    return "", "", 1


def _places(words: _Words) -> list[_Place]:
    """The ways to tell governorate from serial among the runs of digits."""
    named, numbers = words.governorate, words.numbers
    codes = (named,) if named else tuple(GOVERNORATES)
    if not numbers:
        raise PlateError("number_missing", "number")
    if len(numbers) > 2:
        raise PlateError("numbers_too_many", "number")
    if len(numbers) == 1:
        number = numbers[0]
        places = [_Place(named, number, coded=False)] if named else []
        if _latin(words.letter) and len(number) > 2 and number[:2] in codes:
            places.append(_Place(number[:2], number[2:], coded=True))  # A22153: the unified code runs into the serial
        if not places:
            raise PlateError("governorate_missing", "governorate")
        return places
    first, second = numbers
    places = [_Place(code, serial, coded=True) for code, serial in ((first, second), (second, first)) if code in codes]
    parted = words.letter is not None and words.letter_at == 1
    if parted and _latin(words.letter):
        places = places[:1]  # 11 A 12: on the unified plate the code stands before the letter
    if named and not parted and not words.pointed and (places or not {first, second} & GOVERNORATES.keys()):
        places.append(_Place(named, first + second, coded=False))  # one number written in groups
    if not places:
        raise PlateError("numbers_too_many", "number") if named else PlateError("governorate_unknown", "governorate")
    return places


def _families(words: _Words, place: _Place) -> list[tuple[str, str | None]]:
    """The families that a text can mean at a place, each with its letter."""
    letter, family = words.letter, words.family
    if letter is None:
        default = KURDISTAN if GOVERNORATES[place.governorate].kurdistan else OLD
        return [(family or default, None)]
    if not _latin(letter):
        return [(family or GERMAN, letter)]
    german = _LATIN_FOR_GERMAN.get(letter)
    if family == GERMAN and german:
        return [(GERMAN, german)]
    if family or german is None or place.coded:
        return [(family or UNIFIED, letter)]
    return [(UNIFIED, letter), (GERMAN, german)]
