"""The nineteen governorates: two-digit plate codes, names in three languages, every name they go by.

Source: Iraq's unified number plates (codes 11-29); Kirkuk's older name from pre-2003 plates.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from shared.domain.text import clean, fold_name


class Governorate(NamedTuple):
    """code: two ASCII digits. kurdistan: within the Kurdistan Region."""

    code: str
    ar: str
    ckb: str
    en: str
    kurdistan: bool = False

    def name(self, language: str) -> str:
        """Its name in ``ar``, ``ckb`` or ``en``."""
        name: str = getattr(self, language)
        return name


GOVERNORATES: Final = {
    governorate.code: governorate
    for governorate in (
        Governorate("11", "بغداد", "بەغدا", "Baghdad"),
        Governorate("12", "نينوى", "نەینەوا", "Nineveh"),
        Governorate("13", "ميسان", "میسان", "Maysan"),
        Governorate("14", "البصرة", "بەسرە", "Basra"),
        Governorate("15", "الأنبار", "ئەنبار", "Al Anbar"),
        Governorate("16", "القادسية", "قادسیە", "Al-Qadisiyyah"),
        Governorate("17", "المثنى", "موسەننا", "Muthanna"),
        Governorate("18", "بابل", "بابل", "Babil"),
        Governorate("19", "كربلاء", "کەربەلا", "Karbala"),
        Governorate("20", "ديالى", "دیالە", "Diyala"),
        Governorate("21", "السليمانية", "سلێمانی", "Sulaymaniyah", kurdistan=True),
        Governorate("22", "أربيل", "هەولێر", "Erbil", kurdistan=True),
        Governorate("23", "حلبجة", "هەڵەبجە", "Halabja", kurdistan=True),
        Governorate("24", "دهوك", "دهۆک", "Duhok", kurdistan=True),
        Governorate("25", "كركوك", "کەرکووک", "Kirkuk"),
        Governorate("26", "صلاح الدين", "سەڵاحەدین", "Saladin"),
        Governorate("27", "ذي قار", "زیقار", "Dhi Qar"),
        Governorate("28", "النجف", "نەجەف", "Najaf"),
        Governorate("29", "واسط", "واسیت", "Wasit"),
    )
}

_ALIASES: Final = {
    "11": ("بغداد الكرخ", "بغداد الرصافة"),
    "12": ("نينوا", "الموصل", "نینەوا", "Ninawa", "Mosul"),
    "13": ("العمارة", "Missan"),
    "14": ("Basrah",),
    "15": ("الرمادي", "Anbar"),
    "16": ("الديوانية", "Qadisiyyah", "Al Diwaniyah", "Diwaniyah"),
    "17": ("السماوة", "موسەنا", "Al Muthanna"),
    "18": ("الحلة", "Babylon"),
    "19": ("كربلا", "كربلاء المقدسة", "Kerbala"),
    "20": ("ديالي", "بعقوبة", "دیالا"),
    "21": ("سليماني", "Slemani", "Sulaimaniyah"),
    "22": ("هولير", "Hawler", "Arbil"),
    "23": ("هەڵەبجەی شەهید",),
    "24": ("Dohuk",),
    "25": ("التأميم", "کەرکوک"),
    "26": ("صلاحدين", "تكريت", "Salah al-Din", "Salahaddin"),
    "27": ("الناصرية", "Thi Qar"),
    "28": ("النجف الاشرف", "An Najaf"),
    "29": ("الكوت", "واست"),
}

_BY_NAME: Final = {
    fold_name(name): code
    for code, governorate in GOVERNORATES.items()
    for name in (governorate.ar, governorate.ckb, governorate.en, *_ALIASES[code])
}
LONGEST_NAME_WORDS: Final = 3


@lru_cache(maxsize=1024)
def find_code(text: str) -> str | None:
    """The code of a governorate given as code, Arabic, Kurdish or English name or alias; None if there is none."""
    code = clean(text).strip()
    return code if code in GOVERNORATES else _BY_NAME.get(fold_name(text))
