"""Plates read back from their own text in every language, whatever marks, digits and separators a keyboard adds."""

from __future__ import annotations

import string
from collections import Counter
from contextlib import suppress
from unicodedata import normalize

from hypothesis import assume, example, given
from hypothesis import strategies as st

from query.plate_text import MAX_TEXT_CHARACTERS, read
from shared.domain.governorates import GOVERNORATES
from shared.domain.plate import (
    GERMAN,
    KURDISTAN,
    OLD,
    UNIFIED,
    AmbiguousPlateError,
    Plate,
    PlateError,
    Reading,
    from_parts,
    series,
)
from shared.domain.text import clean, fold, fold_name

REGION = ("21", "22", "23", "24")
FEDERAL = tuple(sorted(GOVERNORATES.keys() - set(REGION)))
ARABIC_LETTERS = [fold(chr(code)) for code in (*range(0x0621, 0x063B), *range(0x0641, 0x064B))]
MARKS = "\u0640\u061c\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
DIGIT_SCRIPTS = ("0123456789", "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "０１２３４５６７８９")
SEPARATORS = (" ", "  ", "-", " - ", "_", ".", "/", "\\", "|", "،", "–", "−", "\u00a0", "\t")
VARIANTS = {"ا": "اأإآٱ", "ه": "هھہە", "ى": "ىيیێ", "ك": "كکڪ", "و": "وۆؤ", "ر": "رڕ", "ل": "لڵ"}


def _serials(longest: int) -> st.SearchStrategy[str]:
    return st.integers(1, 10**longest - 1).map(str)


GERMAN_PLATES = st.builds(
    Plate, st.just(GERMAN), st.sampled_from(sorted(GOVERNORATES)), st.sampled_from(ARABIC_LETTERS), _serials(6)
)
OLD_PLATES = st.builds(Plate, st.just(OLD), st.sampled_from(FEDERAL), st.none(), _serials(7))
REGION_PLATES = st.builds(Plate, st.just(KURDISTAN), st.sampled_from(REGION), st.none(), _serials(7))
UNIFIED_PLATES = st.builds(
    Plate, st.just(UNIFIED), st.sampled_from(sorted(GOVERNORATES)), st.sampled_from(string.ascii_uppercase), _serials(5)
)
PLATES = st.one_of(GERMAN_PLATES, OLD_PLATES, REGION_PLATES, UNIFIED_PLATES)
LANGUAGES = st.sampled_from(["ar", "ckb", "en"])


def _noisy(data: st.DataObject, text: str) -> str:
    """The same text as another keyboard, export or clipboard gives it."""
    written = []
    for character in text:
        if character == " ":
            shown = data.draw(st.sampled_from(SEPARATORS))
        elif character.isdecimal():
            shown = data.draw(st.sampled_from(DIGIT_SCRIPTS))[int(character)]
        else:
            shown = data.draw(st.sampled_from(VARIANTS.get(character, character)))
            shown = data.draw(st.sampled_from((shown, shown.lower())))
        written.append(shown)
    for _ in range(data.draw(st.integers(0, 6))):
        written.insert(data.draw(st.integers(0, len(written))), data.draw(st.sampled_from(MARKS)))
    return "".join(written)


@given(PLATES, LANGUAGES)
@example(Plate(GERMAN, "11", "ه", "1"), "ar")
@example(Plate(UNIFIED, "11", "A", "12"), "en")
def test_a_plate_is_read_back_from_its_text(plate: Plate, language: str) -> None:
    assert read(plate.text(language)) == Reading(plate)


@given(PLATES, LANGUAGES, st.data())
def test_marks_digits_separators_and_letter_variants_change_nothing(
    plate: Plate, language: str, data: st.DataObject
) -> None:
    typed = _noisy(data, plate.text(language))
    assert len(typed) <= MAX_TEXT_CHARACTERS
    assert read(typed) == Reading(plate)


@given(PLATES, LANGUAGES, st.data())
def test_the_order_of_the_parts_may_add_readings_but_never_loses_the_plate(
    plate: Plate, language: str, data: st.DataObject
) -> None:
    name = GOVERNORATES[plate.governorate].name(language)
    place = data.draw(st.sampled_from([plate.governorate, name]))
    parts = data.draw(st.permutations([part for part in (place, plate.letter, plate.number) if part]))
    # About its letter the unified plate has one order, the metal's.
    assume(plate.family != UNIFIED or parts[1] != plate.letter or parts[0] == place)
    assert Reading(plate) in _readings(" ".join(parts))


@given(PLATES)
def test_a_key_is_read_back(plate: Plate) -> None:
    assert Plate.from_key(plate.key) == plate


@given(PLATES, LANGUAGES)
def test_parts_make_the_same_plate(plate: Plate, language: str) -> None:
    name = GOVERNORATES[plate.governorate].name(language)
    assert from_parts(plate.family, plate.governorate, plate.letter, plate.number) == plate
    assert from_parts(plate.family, name, plate.letter, f"00{plate.number}") == plate


@given(PLATES)
def test_the_tail_never_tells_more_than_three_digits(plate: Plate) -> None:
    assert len(plate.tail) <= 3
    assert plate.number.endswith(plate.tail)


HARD_TEXT = st.text(
    st.one_of(st.characters(), st.sampled_from(MARKS + "اأىيهھـ\u0653\u0654\u0655\u064bİıſßŉi\u0307\u0301"))
)


@given(HARD_TEXT)
@example("ا\u0640\u0654")
@example("أ\u0653")
@example("e\u200d\u0301")
@example("i\u0640\u0307")
@example("\ufe71\ufefb\ufdfa")
def test_cleaning_and_folding_twice_is_doing_it_once(text: str) -> None:
    assert clean(clean(text)) == clean(text)
    assert fold(fold(text)) == fold(text)
    assert fold(clean(text)) == fold(text)
    assert fold_name(fold(text)) == fold_name(text)


@given(HARD_TEXT)
def test_clean_text_holds_no_mark_and_only_ascii_digits(text: str) -> None:
    cleaned = clean(text)
    assert not set(cleaned) & set(MARKS + "٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹")
    assert normalize("NFKC", cleaned) == cleaned


PLATE_LIKE = st.text(st.sampled_from("0123456789١۲ azAZزهـ؟?-/. بغداد\u200f\u0654\x00१²"), max_size=MAX_TEXT_CHARACTERS)


def _readings(text: str) -> set[Reading]:
    """All ways in which a text is read; none where it is refused. Any other exception fails the test."""
    try:
        return {read(text)}
    except AmbiguousPlateError as ambiguous:
        return set(ambiguous.candidates)
    except PlateError:
        return set()


@given(st.one_of(st.text(), PLATE_LIKE))
def test_any_text_is_read_or_refused(text: str) -> None:
    for reading in _readings(text):
        assert Plate.from_key(reading.plate.key) == reading.plate
        assert read(reading.plate.text()).plate == reading.plate


@given(*[st.one_of(st.text(), PLATE_LIKE)] * 4)
def test_any_parts_make_a_plate_or_are_refused(family: str, governorate: str, letter: str, number: str) -> None:
    with suppress(PlateError):
        plate = from_parts(family, governorate, letter, number)
        assert Plate.from_key(plate.key) == plate


@given(PLATE_LIKE, st.integers(1, 1000))
def test_no_digit_is_passed_over(text: str, serial: int) -> None:
    typed = fold(f"{serial} {text}")
    digits = Counter(character for character in typed if character in "123456789")
    for plate, _ in _readings(typed):
        assert digits <= Counter(plate.governorate + plate.number)


@given(PLATES)
def test_a_series_gives_the_keys_of_its_plates(plate: Plate) -> None:
    assert series(*plate[:3]).key(plate.number) == plate.key == from_parts(*plate).key
