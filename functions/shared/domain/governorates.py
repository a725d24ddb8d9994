"""The nineteen governorates: two-digit plate codes, names in three languages, every name they go by.

Source: Iraq's unified number plates (codes 11-29); Kirkuk's older name from pre-2003 plates. In Latin letters a name is
written in several ways, with its article or without; the capital's name stands for its governorate.
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
    "12": ("نينوا", "الموصل", "نینەوا", "Ninawa", "Ninewa", "Mosul"),
    "13": ("العمارة", "Missan", "Misan", "Amarah", "Al Amarah"),
    "14": ("Basrah", "Al Basrah"),
    "15": ("الرمادي", "Anbar", "Ramadi", "Ar Ramadi"),
    "16": ("الديوانية", "Qadisiyyah", "Qadisiyah", "Al Qadisiyah", "Diwaniyah", "Al Diwaniyah"),
    "17": ("السماوة", "موسەنا", "Al Muthanna", "Samawah", "As Samawah"),
    "18": ("الحلة", "Babylon", "Babel", "Hilla", "Hillah", "Al Hillah"),
    "19": ("كربلا", "كربلاء المقدسة", "Kerbala"),
    "20": ("ديالي", "بعقوبة", "دیالا", "Diala", "Baqubah"),
    "21": (
        *("سليماني", "Slemani", "Sulaimani", "Sulaymaniya", "Sulaimaniyah"),
        *("As Sulaymaniyah", "Al Sulaymaniyah"),
    ),
    "22": ("هولير", "Hawler", "Arbil", "Irbil"),
    "23": ("هەڵەبجەی شەهید",),
    "24": ("Dohuk", "Dahuk"),
    "25": ("التأميم", "کەرکوک", "Tamim", "At Tamim", "Al Tamim"),
    "26": ("صلاحدين", "تكريت", "Salah al-Din", "Salahaddin", "Salahuddin", "Tikrit"),
    "27": ("الناصرية", "Thi Qar", "Zi Qar", "Nasiriyah", "An Nasiriyah"),
    "28": ("النجف الاشرف", "An Najaf", "Al Najaf"),
    "29": ("الكوت", "واست", "Wassit", "Kut", "Al Kut"),
}

_BY_NAME: Final = {
    fold_name(name): code
    for code, governorate in GOVERNORATES.items()
    for name in (governorate.ar, governorate.ckb, governorate.en, *_ALIASES[code])
}
MAX_NAME_WORDS: Final = 3


@lru_cache(maxsize=1024)
def find_code(text: str) -> str | None:
    """The code of a governorate given as code, Arabic, Kurdish or English name or alias; None if there is none."""
    code = clean(text).strip()
    return code if code in GOVERNORATES else _BY_NAME.get(fold_name(text))
