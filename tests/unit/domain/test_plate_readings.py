"""Plates as people type them, and what each means.

The readings are written from what is known of Iraq's plates (families, codes, letters, names, the forms that unified
numbers are typed in) and not from what the parser answers.
"""

from __future__ import annotations

import pytest

from query.plate_text import read
from shared.domain.plate import AmbiguousPlateError, PlateError

GERMAN = [
    # letter before or after the digits, the governorate anywhere
    ("بغداد ز 12456", "DE#11#ز#12456"),
    ("بغداد 12456 ز", "DE#11#ز#12456"),
    ("ز 12456 بغداد", "DE#11#ز#12456"),
    ("12456 ز بغداد", "DE#11#ز#12456"),
    ("ز12456 بغداد", "DE#11#ز#12456"),
    ("12456ز بغداد", "DE#11#ز#12456"),
    ("بغداد12456ز", "DE#11#ز#12456"),
    # the governorate as its code
    ("11 ز 12456", "DE#11#ز#12456"),
    ("12456 ز 11", "DE#11#ز#12456"),
    ("ز 12456 11", "DE#11#ز#12456"),
    ("ز 11 12456", "DE#11#ز#12456"),
    ("١١ ز ١٢٤٥٦", "DE#11#ز#12456"),
    ("22 ز 12456", "DE#22#ز#12456"),
    ("بغداد 11 ز 12456", "DE#11#ز#12456"),
    # digits of every script
    ("بغداد ز ١٢٤٥٦", "DE#11#ز#12456"),
    ("بغداد ز ۱۲۴۵۶", "DE#11#ز#12456"),
    ("بغداد ز １２４５６", "DE#11#ز#12456"),
    ("بغداد ز ١2۴5６", "DE#11#ز#12456"),
    ("بغداد ز 00012", "DE#11#ز#12"),
    ("بغداد ز ٠٠٧", "DE#11#ز#7"),
    # every letter, and those that keyboards put in its place
    ("بغداد أ 1", "DE#11#ا#1"),
    ("بغداد إ 1", "DE#11#ا#1"),
    ("بغداد آ 1", "DE#11#ا#1"),
    ("بغداد ٱ 1", "DE#11#ا#1"),
    ("بغداد ا\u0654 1", "DE#11#ا#1"),
    ("بغداد ا\u0640\u0654 1", "DE#11#ا#1"),
    ("البصرة ب 54321", "DE#14#ب#54321"),
    ("البصرة ج 54321", "DE#14#ج#54321"),
    ("البصرة د 54321", "DE#14#د#54321"),
    ("البصرة ر 54321", "DE#14#ر#54321"),
    ("البصرة ڕ 54321", "DE#14#ر#54321"),
    ("البصرة س 54321", "DE#14#س#54321"),
    ("البصرة ط 54321", "DE#14#ط#54321"),
    ("البصرة ف 54321", "DE#14#ف#54321"),
    ("البصرة ك 54321", "DE#14#ك#54321"),
    ("البصرة ک 54321", "DE#14#ك#54321"),
    ("البصرة ڪ 54321", "DE#14#ك#54321"),
    ("البصرة م 54321", "DE#14#م#54321"),
    ("البصرة ن 54321", "DE#14#ن#54321"),
    ("البصرة ه 54321", "DE#14#ه#54321"),
    ("البصرة هـ 54321", "DE#14#ه#54321"),
    ("البصرة ھ 54321", "DE#14#ه#54321"),
    ("البصرة ہ 54321", "DE#14#ه#54321"),
    ("البصرة ە 54321", "DE#14#ه#54321"),
    ("البصرة ى 54321", "DE#14#ى#54321"),
    ("البصرة ي 54321", "DE#14#ى#54321"),
    ("البصرة ی 54321", "DE#14#ى#54321"),
    ("البصرة ێ 54321", "DE#14#ى#54321"),
    ("البصرة ق 54321", "DE#14#ق#54321"),
    ("البصرة ل 54321", "DE#14#ل#54321"),
    ("البصرة ڵ 54321", "DE#14#ل#54321"),
    ("البصرة و 54321", "DE#14#و#54321"),
    ("البصرة ۆ 54321", "DE#14#و#54321"),
    ("البصرة ؤ 54321", "DE#14#و#54321"),
    # seen on the road although not among the seventeen
    ("البصرة ض 54321", "DE#14#ض#54321"),
    ("البصرة ت 54321", "DE#14#ت#54321"),
    # presentation forms and the lam-alef ligature
    ("ﺑﻐﺪﺍﺩ ﺯ 12456", "DE#11#ز#12456"),
    ("ﻛﺮﺑﻼﺀ ﻫ 12456", "DE#19#ه#12456"),
    ("صلاح الدين ﻙ 12456", "DE#26#ك#12456"),
    ("صﻻح الدين ك 12456", "DE#26#ك#12456"),
    # marks that nobody sees
    ("بغـــداد ز 12456", "DE#11#ز#12456"),
    ("\u200fبغداد\u200f \u200eز\u200e 12\u200b456", "DE#11#ز#12456"),
    ("\u2067بغداد\u2069 \u2068ز\u2069 \u206612456\u2069", "DE#11#ز#12456"),
    ("\ufeffبغداد ز\u200d 12456\u061c", "DE#11#ز#12456"),
    ("\u202bبغداد ز 12456\u202c", "DE#11#ز#12456"),
    ("بَغْدَاد زٌ 12456", "DE#11#ز#12456"),
    # separators
    ("بغداد/ز/12456", "DE#11#ز#12456"),
    ("بغداد - ز - 12456", "DE#11#ز#12456"),
    ("بغداد، ز، 12456", "DE#11#ز#12456"),
    ("بغداد_ز_12456", "DE#11#ز#12456"),
    ("بغداد | ز | 12456", "DE#11#ز#12456"),
    ("بغداد\\ز\\12456", "DE#11#ز#12456"),
    ("بغداد–ز−12456", "DE#11#ز#12456"),
    ("بغداد\u00a0ز\u00a012456", "DE#11#ز#12456"),
    ("بغداد\tز\n12456", "DE#11#ز#12456"),
    ("بغداد ز 124 56", "DE#11#ز#12456"),
    ("لوحة رقم: 12456 حرف: ز محافظة: بغداد", "DE#11#ز#12456"),
    # names in three languages
    ("Baghdad ز 12456", "DE#11#ز#12456"),
    ("baghdad ز 12456", "DE#11#ز#12456"),
    ("بەغدا ز 12456", "DE#11#ز#12456"),
    ("Al Anbar د 12456", "DE#15#د#12456"),
    ("al-anbar د 12456", "DE#15#د#12456"),
    ("بصرة ب 12456", "DE#14#ب#12456"),
    ("الموصل ن 12456", "DE#12#ن#12456"),
    ("نينوى الموصل ن 12456", "DE#12#ن#12456"),
    ("بغداد/الكرخ ز 12456", "DE#11#ز#12456"),
    ("النجف الأشرف ق 12456", "DE#28#ق#12456"),
    ("النجف الاشرف ق 12456", "DE#28#ق#12456"),
    ("ذى قار م 12456", "DE#27#م#12456"),
    ("ذيقار م 12456", "DE#27#م#12456"),
    ("حلبجه ا 12456", "DE#23#ا#12456"),
    ("هەولێر ا 12456", "DE#22#ا#12456"),
    # a letter beside a word that it would turn into another word
    ("بغداد حكومي هـ 12456", "DE#11#ه#12456 government"),
    ("سليماني هـ 12456", "DE#21#ه#12456"),
    ("بغداد زراعي ه 12456", "DE#11#ه#12456 agricultural"),
    ("بغداد الماني ه 12456", "DE#11#ه#12456"),
    # the Latin letter of an Arabic keyboard that is not there, where the family is named
    ("Baghdad Z 12456 german", "DE#11#ز#12456"),
    ("11 Z 12456 ألماني", "DE#11#ز#12456"),
    ("بغداد ز 123456", "DE#11#ز#123456"),
    # with what stands on the metal beside it, and the words that people have for a plate
    ("١٢٤٥٦ ز\nالعراق بغداد", "DE#11#ز#12456"),
    ("نمرة بغداد ز 12456", "DE#11#ز#12456"),
    ("رقم العجلة ز 12456 بغداد", "DE#11#ز#12456"),
    ("پارێزگای بەغدا پیتی ز ژمارە 12456", "DE#11#ز#12456"),
    ("Baghdad governorate, letter ز, plate no. 12456", "DE#11#ز#12456"),
    ("«بغداد» [ز] “12456”", "DE#11#ز#12456"),
]

DIGITS_ONLY = [
    ("بغداد 12456", "OLD#11#12456"),
    ("12456 بغداد", "OLD#11#12456"),
    ("11 12456", "OLD#11#12456"),
    ("12456 11", "OLD#11#12456"),
    ("11-12456", "OLD#11#12456"),
    ("١١/١٢٤٥٦", "OLD#11#12456"),
    ("كركوك 104415", "OLD#25#104415"),
    ("كركوك 104 415", "OLD#25#104415"),
    ("العراق كركوك 104415", "OLD#25#104415"),
    ("11.12456", "OLD#11#12456"),
    ("بغداد 11.12456", "OLD#11#12456"),
    ("التأميم 104415", "OLD#25#104415"),
    ("التاميم ١٠٤٤١٥", "OLD#25#104415"),
    ("کەرکووک 104415", "OLD#25#104415"),
    ("بصرة 1234567", "OLD#14#1234567"),
    ("بغداد 11", "OLD#11#11"),
    ("11 11", "OLD#11#11"),
    ("11 00012", "OLD#11#12"),
    ("البصرة 12456 قديم", "OLD#14#12456"),
    ("البصرة 12456 قبل 2003", "OLD#14#12456"),
    ("البصرة 12456 النظام القديم", "OLD#14#12456"),
    ("بەسرە 12456 کۆن", "OLD#14#12456"),
    ("واست 12456", "OLD#29#12456"),
    ("السليمانية 123456", "KR#21#123456"),
    ("سلێمانی ١٢٣٤٥٦", "KR#21#123456"),
    ("أربيل 123456", "KR#22#123456"),
    ("اربيل 123456", "KR#22#123456"),
    ("هولير 123456", "KR#22#123456"),
    ("هەولێر ۱۲۳۴۵۶", "KR#22#123456"),
    ("Erbil 123456", "KR#22#123456"),
    ("22 123456", "KR#22#123456"),
    ("123456 22", "KR#22#123456"),
    ("حلبجة 12345", "KR#23#12345"),
    ("هەڵەبجەی شەهید 12345", "KR#23#12345"),
    ("دهوك 12345", "KR#24#12345"),
    ("دهۆک 12345", "KR#24#12345"),
    ("Duhok 12345", "KR#24#12345"),
    ("أربيل 123456 كردستان", "KR#22#123456"),
    ("أربيل 123456 إقليم كردستان", "KR#22#123456"),
    ("هەولێر 123456 هەرێمی کوردستان", "KR#22#123456"),
    ("أربيل 123456 قديم", "KR#22#123456"),
    ("11 22 كردستان", "KR#22#11"),
]

UNIFIED = [
    ("22 A 153", "UN#22#A#153"),
    ("22A153", "UN#22#A#153"),
    ("22a153", "UN#22#A#153"),
    ("A22153", "UN#22#A#153"),
    ("A 22153", "UN#22#A#153"),
    ("22153A", "UN#22#A#153"),
    ("22153 A", "UN#22#A#153"),
    ("22-A-153", "UN#22#A#153"),
    ("22.A.153", "UN#22#A#153"),
    ("22/A/153", "UN#22#A#153"),
    ("22\\A\\153", "UN#22#A#153"),
    ("22_A_153", "UN#22#A#153"),
    ("A 153 22", "UN#22#A#153"),
    ("A 22 153", "UN#22#A#153"),
    ("22 153 A", "UN#22#A#153"),
    ("153 A 22", "UN#22#A#153"),
    ("11 A 70634", "UN#11#A#70634"),
    ("IRQ 11 A 70634", "UN#11#A#70634"),
    ("KR 22 A 153", "UN#22#A#153"),
    ("22 A 153 Iraq", "UN#22#A#153"),
    ("٢٢ A ١٥٣", "UN#22#A#153"),
    ("۲۲A۱۵۳", "UN#22#A#153"),
    ("２２Ａ１５３", "UN#22#A#153"),
    ("\u200e22\u200eA\u200e153\u200e", "UN#22#A#153"),
    ("\u206622 A 153\u2069", "UN#22#A#153"),
    # on the metal the code stands before the letter
    ("11 A 12", "UN#11#A#12"),
    ("12 A 11", "UN#12#A#11"),
    # letters that stand for no Arabic one
    ("Baghdad C 12345", "UN#11#C#12345"),
    ("بغداد G 12345", "UN#11#G#12345"),
    ("أربيل X 7", "UN#22#X#7"),
    # code and name
    ("أربيل 22 A 153", "UN#22#A#153"),
    ("بغداد 11 A 12", "UN#11#A#12"),
    # the family named
    ("Baghdad A 70634 unified", "UN#11#A#70634"),
    ("بغداد A 70634 موحد", "UN#11#A#70634"),
    ("بغداد A 70634 انكليزي", "UN#11#A#70634"),
    ("بەغدا A 70634 یەکگرتوو", "UN#11#A#70634"),
    ("A221", "UN#22#A#1"),
    ("22A00153", "UN#22#A#153"),
]

WITH_CATEGORY = [
    ("بغداد ز 12456 خصوصي", "DE#11#ز#12456 private"),
    ("خصوصي بغداد ز 12456", "DE#11#ز#12456 private"),
    ("بغداد ز 12456 تایبەت", "DE#11#ز#12456 private"),
    ("بغداد ز 12456 أجرة", "DE#11#ز#12456 hire"),
    ("بغداد ز 12456 اجره", "DE#11#ز#12456 hire"),
    ("تكسي بغداد ز 12456", "DE#11#ز#12456 hire"),
    ("تاكسي بغداد ز 12456", "DE#11#ز#12456 hire"),
    ("بغداد ز 12456 کرێ", "DE#11#ز#12456 hire"),
    ("بغداد ز 12456 حمل", "DE#11#ز#12456 cargo"),
    ("بغداد ز 12456 بارهەڵگر", "DE#11#ز#12456 cargo"),
    ("بغداد ز 12456 حكومية", "DE#11#ز#12456 government"),
    ("بغداد ز 12456 میری", "DE#11#ز#12456 government"),
    ("بغداد ز 12456 زراعي", "DE#11#ز#12456 agricultural"),
    ("بغداد ز 12456 کشتوکاڵی", "DE#11#ز#12456 agricultural"),
    ("بغداد ز 12456 انشائية", "DE#11#ز#12456 construction"),
    ("بغداد ز 12456 إنشائي", "DE#11#ز#12456 construction"),
    ("بغداد 123 دراجة نارية", "OLD#11#123 motorcycle"),
    ("بغداد 123 دراجة", "OLD#11#123 motorcycle"),
    ("بغداد 123 ماتۆڕسکیل", "OLD#11#123 motorcycle"),
    ("بغداد 123 فحص مؤقت", "OLD#11#123 temporary"),
    ("بغداد 123 مؤقت", "OLD#11#123 temporary"),
    ("بغداد 123 دبلوماسي", "OLD#11#123 other"),
    ("22 A 153 taxi", "UN#22#A#153 hire"),
]

AMBIGUOUS = [
    # a name and a Latin letter: unified, or German on a Latin keyboard
    ("Baghdad A 12456", {"UN#11#A#12456", "DE#11#ا#12456"}),
    ("بغداد Z 12345", {"UN#11#Z#12345", "DE#11#ز#12345"}),
    ("Erbil H 153", {"UN#22#H#153", "DE#22#ه#153"}),
    ("Basra H 123", {"UN#14#H#123", "DE#14#ه#123"}),
    ("هەولێر E 153", {"UN#22#E#153", "DE#22#ى#153"}),
    ("بغداد Z 12345 خصوصي", {"UN#11#Z#12345 private", "DE#11#ز#12345 private"}),
    # two numbers that are both codes
    ("11 12", {"OLD#11#12", "OLD#12#11"}),
    ("22 21", {"KR#22#21", "KR#21#22"}),
    ("11 22", {"OLD#11#22", "KR#22#11"}),
    ("A 11 12", {"UN#11#A#12", "UN#12#A#11"}),
    # a German plate bears no code, and its letter stands on either side: position tells nothing
    ("11 ز 12", {"DE#11#ز#12", "DE#12#ز#11"}),
    # a code beside its name: said twice, or the head of a number written in groups
    ("أربيل 22 153", {"KR#22#153", "KR#22#22153"}),
    # a letter's name, or a thousand
    ("بغداد 12 ألف", {"DE#11#ا#12", "OLD#11#12000"}),
    # a letter without a space, or the ending of a name in a sentence
    ("بغدادي 12456", {"OLD#11#12456", "DE#11#ى#12456"}),
    ("هەولێرە 123456", {"KR#22#123456", "DE#22#ه#123456"}),
    ("دهۆکە 12345", {"KR#24#12345", "DE#24#ه#12345"}),
    ("بغداد ا 11 345", {"DE#11#ا#345", "DE#11#ا#11345"}),
    ("بغداد 11 34 5", {"OLD#11#345", "OLD#11#11345"}),
    ("11 12 13", {"OLD#11#1213", "OLD#13#1112"}),
    ("أربيل A 12456 كردستان", {"UN#22#A#12456", "DE#22#ا#12456"}),
    ("Erbil A22153", {"UN#22#A#153", "UN#22#A#22153", "DE#22#ا#22153"}),
]

REFUSED = [
    ("", "number_missing"),
    ("   ", "number_missing"),
    ("بغداد", "number_missing"),
    ("ز", "number_missing"),
    ("\u200f\u200e\u2066\u2069", "number_missing"),
    ("12456", "governorate_missing"),
    ("ز 12456", "governorate_missing"),
    ("ا22153", "governorate_missing"),
    ("A30153", "governorate_missing"),
    ("A22", "governorate_missing"),
    ("30 12456", "governorate_unknown"),
    ("10 A 153", "governorate_unknown"),
    ("011 12456", "governorate_unknown"),
    ("بغداد البصرة 12456", "governorate_twice"),
    ("بغداد ز 12456 خصوصي حمل", "category_twice"),
    ("بغداد ز 12456 ألماني موحد", "family_twice"),
    ("بغداد ز ب 12456", "letter_twice"),
    ("بغداد ز A 12456", "letter_twice"),
    ("بغداد 12456 ألماني", "letter_missing"),
    ("11 12456 موحد", "letter_missing"),
    ("بغداد ز 12456 قديم", "letter_forbidden"),
    ("بغداد ز 12456 موحد", "letter_not_latin"),
    ("بغداد C 12456 ألماني", "letter_not_arabic"),
    ("بغداد گ 12456", "letter_not_arabic"),
    ("بغداد é 12456", "letter_not_arabic"),
    ("بغداد 12456 كردستان", "governorate_not_kurdistan"),
    ("بغداد ز 12456 جديد", "family_new"),
    ("بغداد ز 12456 جديدة", "family_new"),
    ("بغداد 0", "number_zero"),
    ("بغداد ز 000", "number_zero"),
    ("22 A 0", "number_zero"),
    ("بغداد ز 1234567", "number_too_long"),
    ("بغداد 12345678", "number_too_long"),
    ("22A123456", "number_too_long"),
    ("A22123456", "number_too_long"),
    # a fraction, as spreadsheets make of a number: not one number in groups
    ("بغداد ز 12456.0", "numbers_too_many"),
    ("بغداد ز 12456  .  0", "numbers_too_many"),
    ("بغداد 12456,5", "numbers_too_many"),
    ("بغداد ١٢٤٥٦،٠", "numbers_too_many"),
    ("بغداد 22 A 153", "numbers_too_many"),
    ("بغدات ز 12456", "word_unknown"),
    ("بغداد AB 12456", "word_unknown"),
    ("بغداد لا 12456", "word_unknown"),
    ("<script>", "plate_unreadable"),
    # exports write ? for what they could not encode
    ("بغداد ? 12456", "plate_unreadable"),
    ("بغداد ز 12?56", "plate_unreadable"),
    ("بغداد ز ?", "number_missing"),
    ("بغداد 12456 ?", "plate_unreadable"),  # where its letter may have stood
    ("🚗", "number_missing"),
    # pictures of digits and letters are not passed over
    ("بغداد ز 1245🔟", "plate_unreadable"),
    ("بغداد 🅰 12456", "plate_unreadable"),
    ("بغداد ز 1245❻", "letter_twice"),
    # nor stars that may hide digits
    ("بغداد ز 123**", "plate_unreadable"),
    ("بغداد ز 12*45*6", "plate_unreadable"),
    ("بغداد ز *12456", "plate_unreadable"),
    # more than one digit by one word is not read
    ("بغداد ز خمسة وعشرين", "word_unknown"),
    ("بغداد ز 12 ثلاثمئة", "word_unknown"),
    ("بغداد 12 ز 456", "numbers_too_many"),
    ("بغداد ز 12,45", "numbers_too_many"),
    ("بغداد ز 1,234.5", "numbers_too_many"),
    ("بغداد ز 1٫5", "numbers_too_many"),
    ("بغداد ز 12\ufffd456", "plate_unreadable"),
    # digits of scripts that no Iraqi writes are not passed over
    ("بغداد ز १2456", "plate_unreadable"),
    ("22A\x00153", "plate_unreadable"),
    ("22A153\x7f", "plate_unreadable"),
    ("بغداد ز 12\x1b456", "plate_unreadable"),
    pytest.param("1" * 1_000_000, "plate_too_long", id="a million digits"),
    pytest.param("\u0301\u0316" * 500_000, "plate_too_long", id="marks that are slow to put in order"),
    pytest.param("ز" * 81, "plate_too_long", id="81 letters"),
    pytest.param("ﷺ" * 80, "word_unknown", id="ligatures that unfold to 1,440 letters"),
]


@pytest.mark.parametrize(("typed", "expected"), [*GERMAN, *DIGITS_ONLY, *UNIFIED, *WITH_CATEGORY])
def test_one_reading(typed: str, expected: str) -> None:
    key, _, category = expected.partition(" ")
    reading = read(typed)
    assert (reading.plate.key, reading.category) == (key, category or None)


@pytest.mark.parametrize(("typed", "expected"), AMBIGUOUS)
def test_several_readings_are_all_answered(typed: str, expected: set[str]) -> None:
    with pytest.raises(AmbiguousPlateError) as raised:
        read(typed)
    found = [f"{reading.plate.key} {reading.category or ''}".strip() for reading in raised.value.candidates]
    assert set(found) == expected
    assert len(found) == len(expected)


@pytest.mark.parametrize(("typed", "code"), REFUSED)
def test_what_cannot_be_read_says_why(typed: str, code: str) -> None:
    with pytest.raises(PlateError) as raised:
        read(typed)
    assert raised.value.code == code


def test_the_table_is_as_large_as_promised() -> None:
    assert len(GERMAN) + len(DIGITS_ONLY) + len(UNIFIED) + len(WITH_CATEGORY) + len(AMBIGUOUS) >= 150
