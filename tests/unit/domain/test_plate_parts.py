"""Plates given in parts, as a form or a row of the directorate's file gives them."""

from __future__ import annotations

import pytest

from shared.domain.plate import (
    CATEGORIES,
    GERMAN,
    KURDISTAN,
    OLD,
    UNIFIED,
    PlateError,
    find_category,
    find_family,
    from_parts,
)


@pytest.mark.parametrize(
    ("parts", "key"),
    [
        (("german", "11", "ز", "12456"), "DE#11#ز#12456"),
        (("ألماني", "بغداد", "هـ", "١٢٤٥٦"), "DE#11#ه#12456"),
        (("المانية", "نجف", " ي ", " 12456 "), "DE#28#ى#12456"),
        (("German", "Al-Anbar", "أ", "12-456"), "DE#15#ا#12456"),
        (("old", "14", None, "00123"), "OLD#14#123"),
        (("قبل 2003", "التأميم", "", "104 415"), "OLD#25#104415"),
        (("قديم", "أربيل", None, "123456"), "KR#22#123456"),
        (("kurdistan", "22", None, "123456"), "KR#22#123456"),
        (("اقليم", "دهوك", None, "12345"), "KR#24#12345"),
        (("unified", "22", "a", "153"), "UN#22#A#153"),
        (("إنكليزية", "هەولێر", "A", "۱۵۳"), "UN#22#A#153"),
    ],
)
def test_parts(parts: tuple[str, str, str | None, str], key: str) -> None:
    assert from_parts(*parts).key == key


@pytest.mark.parametrize(
    ("parts", "code", "field"),
    [
        (("", "11", "ز", "1"), "family_unknown", "family"),
        (("فضائي", "11", "ز", "1"), "family_unknown", "family"),
        (("جديد", "11", "ز", "1"), "family_new", "family"),
        (("german", "30", "ز", "1"), "governorate_unknown", "governorate"),
        (("german", "", "ز", "1"), "governorate_unknown", "governorate"),
        (("german", "لندن", "ز", "1"), "governorate_unknown", "governorate"),
        (("kurdistan", "11", None, "1"), "governorate_not_kurdistan", "governorate"),
        (("german", "11", None, "1"), "letter_missing", "letter"),
        (("german", "11", "  ", "1"), "letter_missing", "letter"),
        (("german", "11", "لا", "1"), "letter_not_arabic", "letter"),
        (("german", "11", "Z", "1"), "letter_not_arabic", "letter"),
        (("german", "11", "?", "1"), "letter_not_arabic", "letter"),
        (("old", "11", "ز", "1"), "letter_forbidden", "letter"),
        (("unified", "11", "ا", "1"), "letter_not_latin", "letter"),
        (("unified", "11", "AB", "1"), "letter_not_latin", "letter"),
        (("unified", "11", "1", "1"), "letter_not_latin", "letter"),
        (("german", "11", "ز", ""), "number_missing", "number"),
        (("german", "11", "ز", "0"), "number_zero", "number"),
        (("german", "11", "ز", "12456.0"), "number_not_digits", "number"),
        (("german", "11", "ز", "12456،0"), "number_not_digits", "number"),
        (("german", "11", "ز", "12,456"), "number_not_digits", "number"),
        (("german", "11", "ز", "1.2E4"), "number_not_digits", "number"),
        (("german", "11", "ز", "345/22"), "number_not_digits", "number"),
        (("old", "11", None, "12345/11"), "number_not_digits", "number"),
        (("german", "11", "ز", "-12456"), "number_not_digits", "number"),
        (("german", "11", "ز", "1245?"), "number_not_digits", "number"),
        (("german", "11", "ز", "१२"), "number_not_digits", "number"),
        (("german", "11", "ز", "1" * 1_000_000), "number_too_long", "number"),
        (("unified", "11", "A", "123456"), "number_too_long", "number"),
    ],
)
def test_wrong_parts_are_named(parts: tuple[str, str, str | None, str], code: str, field: str) -> None:
    with pytest.raises(PlateError) as raised:
        from_parts(*parts)
    assert (raised.value.code, raised.value.field) == (code, field)


@pytest.mark.parametrize(
    ("category", "words"),
    [
        ("private", "خصوصي|خصوصى|الخصوصي|تایبەت"),
        ("hire", "أجرة|اجرة|اجره|الأجرة|تكسي|کرێ"),
        ("cargo", "حمل|الحمل|بارهەڵگر"),
        ("government", "حكومي|حكومية|حكوميه|میری"),
        ("agricultural", "زراعي|زراعية|کشتوکاڵی"),
        ("construction", "إنشائي|انشائي|إنشائية|انشائية|بیناسازی"),
        ("motorcycle", "دراجة|دراجة نارية|دراجه ناريه|ماتۆڕسکیل"),
        ("temporary", "مؤقت|موقت|مؤقتة|فحص مؤقت|کاتی"),
        ("other", "دبلوماسي|عسكري"),
    ],
)
def test_every_word_of_a_category(category: str, words: str) -> None:
    assert category in CATEGORIES
    assert {word: find_category(word) for word in words.split("|")} == dict.fromkeys(words.split("|"), category)


@pytest.mark.parametrize(
    ("family", "words"),
    [
        (GERMAN, "ألماني|الماني|ألمانية|المانية|ئەڵمانی|german|German"),
        (OLD, "قديم|قديمة|القديم|النظام القديم|قبل 2003|قبل ٢٠٠٣|کۆن|old"),
        (KURDISTAN, "كردستان|إقليم كردستان|إقليم|اقليم|كوردستان|هەرێمی کوردستان|kurdistan"),
        (UNIFIED, "موحد|موحدة|الموحدة|انكليزي|إنكليزية|یەکگرتوو|unified"),
    ],
)
def test_every_word_of_a_family(family: str, words: str) -> None:
    assert {word: find_family(word) for word in words.split("|")} == dict.fromkeys(words.split("|"), family)


def test_unknown_words_name_nothing() -> None:
    assert find_category("طائرة") is None
    assert find_family("") is None
