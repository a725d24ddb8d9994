"""A plate as people say and type it: letters by name, digits in groups or as words, and what they say around it.

Nothing is guessed: what can mean two plates is answered with both, and what is not known is refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import chain, product
from math import prod
from typing import Final, NamedTuple

from shared.domain.governorates import GOVERNORATES, MAX_NAME_WORDS, find_code
from shared.domain.plate import (
    GERMAN,
    KURDISTAN,
    LATIN_FOR_GERMAN,
    OLD,
    UNIFIED,
    AmbiguousPlateError,
    Plate,
    PlateError,
    Reading,
    find_category,
    find_family,
    is_latin,
    known_series,
)
from shared.domain.text import SEPARATORS, fold, fold_name

MAX_TEXT_CHARACTERS: Final = 80

# What people say around a plate, and what stands on its metal for the country: the Region's unified plates bear KR.
_NOISE: Final = (
    *("لوحة", "لوحتي", "لوحتها", "رقم", "رقمها", "رقمه", "رقمي", "نمرة", "نمرتها", "حرف", "حرفها", "محافظة", "العراق"),
    *("سيارة", "سيارتي", "سيارته", "مركبة", "مركبتي", "عجلة", "عجلتي", "مخالفة", "مخالفات", "مخالفاتي", "غرامة"),
    *("غرامات", "غراماتي", "كم", "عندي", "على", "عليها", "علي", "ما", "ماهي", "هي", "هل", "عن", "اريد", "استعلام"),
    *("تابلۆ", "تابلۆکەم", "تابلۆی", "ژمارە", "ژمارەی", "ژمارەکەی", "پیت", "پیتی", "پارێزگا", "پارێزگای", "عێراق"),
    *("ئۆتۆمبێل", "ئۆتۆمبێلم", "ئۆتۆمبێلەکەم", "ئۆتۆمبێلی", "سەیارە", "سەیارەکەم", "سەیارەی", "سزا", "سزاکان"),
    *("سزاکانم", "سزای", "غەرامە", "غەرامەکان", "غەرامەکانم", "غەرامەی", "چەند", "چەندە", "شاری"),
    *("plate", "plates", "number", "no", "letter", "governorate", "car", "vehicle", "Iraq", "IRQ", "KR", "my", "the"),
    *("is", "its", "of", "for", "on", "how", "many", "much", "what", "fine", "fines", "violation", "violations"),
    *("السلام", "سلام", "عليكم", "مرحبا", "هلا", "هلو", "شكرا", "رجاء", "لطفا", "ممكن", "اعرف", "معرفة", "فضلك", "من"),
    *("ابوي", "ابي", "والدي", "امي", "والدتي", "اخوي", "اخي", "اختي", "زوجي", "زوجتي", "ابني", "بنتي", "عائلتي"),
    *("برقم", "بلوحة", "لوحته", "لسيارة", "لسيارتي", "سيارات", "سياره", "غرامه", "مخالفه", "تحمل", "المرقمة"),
    *("سڵاو", "سوپاس", "تکایە", "باوکم", "دایکم", "براکەم", "خوشکم", "هاوسەرم", "هەیە", "چەندن", "ژمارەکەم"),
    *("سەرپێچی", "سەرپێچیی", "سەرپێچیەکان", "سەرپێچیەکانم", "سەرپێچییەکانم", "پلێت", "پلێتی", "پلێتەکەم"),
    *("hello", "hi", "please", "thanks", "show", "check", "have", "any", "there", "are", "ticket", "tickets"),
    *("father", "mother", "brother", "sister", "wife", "husband", "family", "registration", "with"),
)
_LETTER_NAMES: Final = {
    "ا": "ألف",
    "ب": "باء با",
    "ت": "تاء تا",
    "ث": "ثاء ثا",
    "ج": "جيم",
    "ح": "حاء حا",
    "خ": "خاء خا",
    "د": "دال",
    "ذ": "ذال",
    "ر": "راء را",
    "ز": "زاي زاء زين",
    "س": "سين",
    "ش": "شين",
    "ص": "صاد",
    "ض": "ضاد",
    "ط": "طاء طا",
    "ظ": "ظاء ظا",
    "ع": "عين",
    "غ": "غين",
    "ف": "فاء فا",
    "ق": "قاف",
    "ك": "كاف",
    "ل": "لام",
    "م": "ميم",
    "ن": "نون",
    "ه": "هاء ها",
    "و": "واو",
    "ى": "ياء يا",
}
_DIGIT_WORDS: Final = (
    *("صفر سفر zero", "واحد واحدة یەک one", "اثنان اثنين اثنتين ثنين دوو two", "ثلاثة ثلاث تلاثة سێ three"),
    *("أربعة أربع چوار four", "خمسة خمس پێنج five", "ستة ست شەش six", "سبعة سبع حەوت seven"),
    *("ثمانية ثمان ثماني هەشت eight", "تسعة تسع نۆ nine"),
)

_GOVERNORATE: Final = "governorate"
_CATEGORY: Final = "category"
_FAMILY: Final = "family"
_LETTER: Final = "letter"
_DIGIT: Final = "digit"
_SAID: Final = "said"

_ALEF: Final = "ا"
_THOUSAND: Final = fold("ألف")
_KURDISH_ENDINGS: Final = tuple(map(fold, ("ی", "ە", "یە", "م")))
"""Of a name in a sentence: of it, is it, mine."""
_MIN_PART_LETTERS: Final = 3
"""Letters of a word that is looked for within others: shorter ones are in too many."""
_MAX_PART_LETTERS: Final = 16
_MAX_TOKEN_LETTERS: Final = 40

_UNMARKED: Final = re.compile(r"(?:[^\W\d]|[0-9 ])*").fullmatch
"""Matches letters, digits and spaces alone, as most texts are: what looks for marks is compiled when some are met."""
_TOKENS: Final = re.compile(r"[0-9]+|[^\W\d_]+").findall
# Pictures that phones offer, with what joins and colours them; not those that show digits or letters.
_PICTURES: Final = (
    "[\u2600-\u2775\u2794-\u27bf\u2b50\u2b55\u20e3\ufe0e\ufe0f"
    "\U0001f1e6-\U0001f51e\U0001f520-\U0001faff\U000e0020-\U000e007f]"
)
_KEYCAPS: Final = "(?<=[0-9])\ufe0f?\u20e3"
# A chat's marks for bold and the like stand in pairs; a star alone may hide a digit.
_FORMATTED: Final = r"(?<![\w*~`])([*~`]{1,3})(?=[^\s*~`])([^*~`]*[^\s*~`])\1(?![\w*~`])"
_ASKED: Final = r"[\s.]*[!؟?]+[\s.!؟?]*$"
# Neither letter, digit nor separator: what stood there is lost (exports write "?" for it), so nothing is read past it.
_STRANGE: Final = rf"(?![0-9])\d|[^\w{re.escape(SEPARATORS)}()#\[\]«»“”٬٫]"
# Marks of thousands within a number; any other point or comma may begin a fraction.
_THOUSANDS: Final = r"(?<![0-9.,،٬٫])([0-9]{1,3}(?:[.,،٬][0-9]{3})+)(?![.,،٬٫]?[0-9])"
_POINTED: Final = r"[0-9]\s*[.,،٬٫]\s*[0-9]"


@cache
def _vocabulary() -> Mapping[str, tuple[str, str]]:
    """The kind and value of every word but those of places and kinds: most texts need none of them."""
    return {
        **dict.fromkeys(map(fold_name, _NOISE), (_SAID, "")),
        **{
            fold_name(name): (_LETTER, fold(letter))
            for letter, names in _LETTER_NAMES.items()
            for name in names.split()
        },
        **{fold_name(word): (_DIGIT, str(digit)) for digit, words in enumerate(_DIGIT_WORDS) for word in words.split()},
    }


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


_Parts = tuple[tuple[str, str], ...]
_MAX_WAYS: Final = 16


class _Place(NamedTuple):
    """One way to tell governorate from serial. coded: the governorate's code was typed, not only its name."""

    governorate: str
    number: str
    coded: bool


def read(text: str) -> Reading:
    """The plate that a person typed, letter before or after the digits, governorate as code or name, words of its kind.

    Raises PlateError where it cannot be read, AmbiguousPlateError where it can be read in several ways. O(len(text)²),
    of at most 80 characters.
    """
    if len(text) > MAX_TEXT_CHARACTERS:
        raise PlateError("plate_too_long")
    candidates: dict[Plate, Reading] = {}
    problem: PlateError | None = None
    for meant in _ways(text):
        try:
            words = _words(*meant)
            for place in _places(words):
                for family, letter in _families(words, place):
                    try:
                        plate = known_series(family, place.governorate, letter).plate(place.number)
                    except PlateError as error:
                        problem = problem or error
                    else:
                        candidates[plate] = Reading(plate, words.category)
        except PlateError as error:
            problem = problem or error
    if not candidates:
        raise problem or PlateError("plate_unreadable")
    if len(candidates) > 1:
        raise AmbiguousPlateError(tuple(candidates.values()))
    return next(iter(candidates.values()))


class _Meant(NamedTuple):
    """What the parts of a text mean, in their order: kinds and values.

    pointed: a point or comma parts two runs of digits. lossy: a "?" stands at the end, where a letter may have been.
    """

    parts: Sequence[tuple[str, str]]
    pointed: bool
    lossy: bool


def _ways(text: str) -> Iterator[_Meant]:
    """The ways to take a text's words. Raises PlateError for a word that is unknown, and for what is no text."""
    said, pointed, lossy = fold(text), False, False
    if not _UNMARKED(said):
        said, pointed, lossy = _without_marks(said)
    each = list(_meanings(_TOKENS(said)))
    if prod(map(len, each)) > _MAX_WAYS:
        raise PlateError("plate_unreadable")
    for parts in product(*each):
        yield _Meant([*chain.from_iterable(parts)], pointed, lossy)


def _without_marks(folded: str) -> tuple[str, bool, bool]:
    """A text without pictures, a chat's formatting, thousands marks and what it ends in; then as :class:`_Meant`.

    Raises PlateError for what is no text.
    """
    shown = re.sub(_PICTURES, " ", re.sub(_KEYCAPS, "", folded))
    asked = re.search(_ASKED, shown)
    said = re.sub(_FORMATTED, r" \2 ", shown[: asked.start()] if asked else shown)
    if re.search(_STRANGE, said):
        raise PlateError("plate_unreadable")
    joined = re.sub(_THOUSANDS, lambda found: re.sub("[^0-9]", "", found[1]), said)
    return joined, re.search(_POINTED, joined) is not None, asked is not None and "?" in asked[0]


def _words(parts: Sequence[tuple[str, str]], pointed: bool, lossy: bool) -> _Words:
    found: dict[str, str] = {}
    numbers: list[str] = []
    letter_at = 0
    for kind, value in parts:
        if kind == _DIGIT:
            numbers.append(value)
        elif kind == _LETTER and _LETTER in found:
            raise PlateError("letter_twice", "letter")
        elif kind != _SAID and found.setdefault(kind, value) != value:
            raise PlateError(f"{kind}_twice", kind)
        if kind == _LETTER:
            letter_at = len(numbers)
    if lossy and _LETTER not in found:
        raise PlateError("plate_unreadable")
    governorate, category = found.get(_GOVERNORATE), found.get(_CATEGORY)
    return _Words(governorate, category, found.get(_FAMILY), found.get(_LETTER), tuple(numbers), letter_at, pointed)


def _meanings(tokens: list[str]) -> Iterator[list[_Parts]]:
    """What each word of a text may mean, in its order. Raises PlateError for a word that is unknown."""
    index = 0
    while index < len(tokens):
        token = tokens[index]
        if token.isdecimal():
            yield [((_DIGIT, token),)]
        elif len(token) == 1:
            yield [((_LETTER, token),)]
        elif _is_thousand(tokens, index):
            yield [((_LETTER, _ALEF),), ((_DIGIT, "000"),)]
        elif known := _word_at(tokens, index):
            kind, value, length = known
            yield [((kind, value),)]
            index += length
            continue
        else:
            yield _within(token)
        index += 1


def _is_thousand(tokens: list[str], index: int) -> bool:
    """Whether the name of the letter alef may mean a thousand: behind a number, and none behind it."""
    followed = index + 1 < len(tokens) and tokens[index + 1].isdecimal()
    return tokens[index] == _THOUSAND and index > 0 and tokens[index - 1].isdecimal() and not followed


def _word_at(tokens: list[str], index: int) -> tuple[str, str, int] | None:
    """The longest known word that begins at a token: its kind, value and how many tokens it takes.

    A single letter is the plate's and never part of a word: حكومي هـ is not حكومية.
    """
    for length in range(min(MAX_NAME_WORDS, len(tokens) - index), 0, -1):
        part = tokens[index : index + length]
        if part[0].isdecimal() or any(len(token) == 1 for token in part):
            continue
        if known := _meaning(" ".join(part)):
            return (*known, length)
    return None


def _meaning(word: str) -> tuple[str, str] | None:
    """The kind and value of a word. Raises PlateError for one that must not be taken for any."""
    if code := find_code(word):
        return _GOVERNORATE, code
    if category := find_category(word):
        return _CATEGORY, category
    if family := find_family(word):
        return _FAMILY, family
    return _vocabulary().get(fold_name(word))


def _within(token: str) -> list[_Parts]:
    """What a token may mean that is no known word: several without a space, or a Kurdish one with its ending.

    Raises PlateError where it means nothing.
    """
    meanings = {tuple(part for part in parts if part[0] != _SAID): None for parts in _cuts(token)}
    for ending in _KURDISH_ENDINGS:
        stem = token.removesuffix(ending)
        if stem != token and len(stem) >= _MIN_PART_LETTERS and (known := _meaning(stem)):
            meanings[(known,) if known[0] != _SAID else ()] = None
    if not meanings:
        raise PlateError("word_unknown", value=token)
    return list(meanings)


def _cuts(token: str) -> Iterator[_Parts]:
    """Every way to cut a token into known words and at most one letter, at least one of the words a place or a kind."""

    @cache
    def rest(start: int, lettered: bool) -> tuple[_Parts, ...]:
        if start == len(token):
            return ((),)
        ways = []
        for end in range(start + 1, min(len(token), start + _MAX_PART_LETTERS) + 1):
            part = token[start:end]
            if end == start + 1:
                meaning = None if lettered else (_LETTER, part)
            else:
                meaning = _meaning(part) if len(part) >= _MIN_PART_LETTERS else None
            if meaning:
                ways += [(meaning, *more) for more in rest(end, lettered or meaning[0] == _LETTER)]
        return tuple(ways)

    for way in rest(0, False) if len(token) <= _MAX_TOKEN_LETTERS else ():
        if any(kind not in (_LETTER, _DIGIT) for kind, _ in way):
            yield way


def _places(words: _Words) -> list[_Place]:
    """The ways to tell governorate from serial among the runs of digits."""
    named, numbers = words.governorate, words.numbers
    if not numbers:
        raise PlateError("number_missing", "number")
    if len(numbers) == 1:
        return _in_one(words, numbers[0])
    parted = words.letter is not None and 0 < words.letter_at < len(numbers)
    cuts = [words.letter_at] if parted else range(1, len(numbers))
    places = []
    for cut in cuts:
        before, after = numbers[:cut], numbers[cut:]
        for code, serial in ((before, after), (after, before)):
            # Beside its name the code is a run of its own, or else digits of the number.
            if named and len(code) > 1:
                continue
            found = "".join(code)
            if found in ((named,) if named else GOVERNORATES):
                places.append(_Place(found, "".join(serial), coded=True))
    if parted and is_latin(words.letter):
        places = places[:1]  # 11 A 12: on the unified plate the code stands before the letter
    if words.pointed and len(numbers) > 2:
        raise PlateError("numbers_too_many", "number")
    if named and not parted and not words.pointed:
        places.append(_Place(named, "".join(numbers), coded=False))  # one number written in groups
    if not places:
        raise PlateError("numbers_too_many", "number") if named else PlateError("governorate_unknown", "governorate")
    return places


def _in_one(words: _Words, number: str) -> list[_Place]:
    named = words.governorate
    places = [_Place(named, number, coded=False)] if named else []
    codes = (named,) if named else tuple(GOVERNORATES)
    if is_latin(words.letter) and len(number) > 2 and number[:2] in codes:
        places.append(_Place(number[:2], number[2:], coded=True))  # A22153: the unified code runs into the serial
    if not places:
        raise PlateError("governorate_missing", "governorate")
    return places


def _families(words: _Words, place: _Place) -> list[tuple[str, str | None]]:
    """The families that a text can mean at a place, each with its letter."""
    letter, family = words.letter, words.family
    if letter is None:
        default = KURDISTAN if GOVERNORATES[place.governorate].kurdistan else OLD
        return [(family or default, None)]
    if not is_latin(letter):
        return [(family or GERMAN, letter)]
    if family == KURDISTAN:
        # Beside a Latin letter the Region's name is a place, not the older plates of digits alone.
        if not GOVERNORATES[place.governorate].kurdistan:
            raise PlateError("governorate_not_kurdistan", "governorate")
        family = None if not place.coded else UNIFIED
    german = LATIN_FOR_GERMAN.get(letter)
    if family == GERMAN and german:
        return [(GERMAN, german)]
    if family or german is None or place.coded:
        return [(family or UNIFIED, letter)]
    return [(UNIFIED, letter), (GERMAN, german)]
