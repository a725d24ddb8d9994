"""Every name that a governorate goes by leads to its code."""

from __future__ import annotations

import pytest

from shared.domain.governorates import GOVERNORATES, find_code

NAMES = {
    "11": "بغداد|بغداد الكرخ|بغداد/الكرخ|بغداد الرصافة|بغداد/الرصافة|بەغدا|Baghdad",
    "12": "نينوى|نينوا|الموصل|موصل|نینەوا|نەینەوا|Nineveh|Ninawa|Ninewa|Mosul",
    "13": "ميسان|العمارة|میسان|Maysan|Missan|Misan|Amarah|Al Amarah",
    "14": "البصرة|بصرة|بەسرە|Basra|Basrah|Al Basrah",
    "15": "الانبار|الأنبار|انبار|الرمادي|ئەنبار|Al Anbar|Anbar|Ramadi|Ar Ramadi",
    "16": "القادسية|الديوانية|قادسیە|Al-Qadisiyyah|Qadisiyyah|Al Qadisiyah|Qadisiyah|Diwaniyah|Al Diwaniyah",
    "17": "المثنى|مثنى|السماوة|موسەنا|موسەننا|Muthanna|Al Muthanna|Samawah|As Samawah",
    "18": "بابل|الحلة|Babil|Babylon|Babel|Hillah|Al Hillah|Hilla",
    "19": "كربلاء|كربلا|كربلاء المقدسة|کەربەلا|Karbala|Kerbala|Karbala'",
    "20": "ديالى|ديالي|بعقوبة|دیالا|دیالە|Diyala|Diala|Baqubah|Ba'qubah",
    "21": "السليمانية|سليمانية|سلێمانی|سليماني|Sulaymaniyah|"
    "Slemani|Sulaimaniyah|As Sulaymaniyah|Al Sulaymaniyah|Sulaimani|Sulaymaniya",
    "22": "اربيل|أربيل|هەولێر|هولير|Erbil|Hawler|Arbil|Irbil",
    "23": "حلبجة|حلبجه|هەڵەبجە|هەڵەبجەی شەهید|Halabja",
    "24": "دهوك|دهۆک|Duhok|Dohuk|Dahuk",
    "25": "كركوك|التأميم|التاميم|کەرکوک|کەرکووک|Kirkuk|Tamim|At Tamim|Al Tamim",
    "26": "صلاح الدين|صلاحالدين|تكريت|صلاحدين|سەڵاحەدین|Saladin|Salah al-Din|Salah ad-Din|Salahaddin|Salahuddin|Tikrit",
    "27": "ذي قار|ذى قار|ذيقار|الناصرية|زیقار|Dhi Qar|Thi Qar|Zi Qar|Nasiriyah|An Nasiriyah",
    "28": "النجف|نجف|النجف الاشرف|النجف الأشرف|نەجەف|Najaf|An Najaf|Al Najaf",
    "29": "واسط|الكوت|واست|واسیت|Wasit|Wassit|Kut|Al Kut",
}
ALL = [(name, code) for code, names in NAMES.items() for name in names.split("|")]
REGION = {"21", "22", "23", "24"}


@pytest.mark.parametrize(("name", "code"), ALL)
def test_every_name_finds_its_code(name: str, code: str) -> None:
    assert find_code(name) == code
    assert find_code(f" {name.upper()}\u200f ") == code
    assert find_code(name.replace(" ", "-")) == code


@pytest.mark.parametrize("code", sorted(NAMES))
def test_codes_and_shown_names_find_themselves(code: str) -> None:
    eastern = code.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    assert find_code(code) == find_code(eastern) == find_code(f" {code} ") == code
    governorate = GOVERNORATES[code]
    assert [find_code(governorate.name(language)) for language in ("ar", "ckb", "en")] == [code] * 3
    shown = (governorate.ar, governorate.ckb, governorate.en)
    assert set(shown) <= set(NAMES[code].split("|"))


def test_there_are_nineteen_and_four_are_in_the_region() -> None:
    assert sorted(GOVERNORATES) == sorted(NAMES) == [str(code) for code in range(11, 30)]
    assert {code for code, governorate in GOVERNORATES.items() if governorate.kurdistan} == REGION


@pytest.mark.parametrize("name", ["", " ", "10", "30", "011", "1 1", "ال", "لندن", "?", "بغداد البصرة", "بغدا"])
def test_anything_else_finds_none(name: str) -> None:
    assert find_code(name) is None
