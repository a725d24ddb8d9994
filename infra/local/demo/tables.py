"""What the demo files are made of: people, towns and offences.

The offences are those that the traffic directorate has named together with their paragraph of article 25 of Traffic Law
8/2019, with the amounts of its statement of 20 November 2025. The populations are rough.
"""

from typing import NamedTuple

GERMAN_LETTERS = "ابجدرسطفكمنهىقلوز"

PEOPLE = {
    "11": 880,
    "12": 400,
    "13": 120,
    "14": 320,
    "15": 200,
    "16": 140,
    "17": 90,
    "18": 230,
    "19": 140,
    "20": 180,
    "21": 230,
    "22": 220,
    "23": 12,
    "24": 150,
    "25": 180,
    "26": 170,
    "27": 230,
    "28": 170,
    "29": 150,
}
"""Rough population of each governorate in ten thousands."""

KURDISTAN = ("21", "22", "23", "24")

TOWNS = {
    "11": ("الكرخ", "الرصافة", "الكاظمية", "الأعظمية", "المنصور", "الدورة", "مدينة الصدر", "بغداد الجديدة"),
    "12": ("الموصل الأيمن", "الموصل الأيسر", "تلعفر", "الحمدانية"),
    "13": ("العمارة", "المجر الكبير"),
    "14": ("العشار", "الزبير", "القرنة", "أبو الخصيب"),
    "15": ("الرمادي", "الفلوجة", "هيت", "القائم"),
    "16": ("الديوانية", "الشامية"),
    "17": ("السماوة", "الرميثة"),
    "18": ("الحلة", "المسيب", "المحاويل"),
    "19": ("كربلاء", "الهندية"),
    "20": ("بعقوبة", "المقدادية", "الخالص", "خانقين"),
    "25": ("كركوك", "الحويجة"),
    "26": ("تكريت", "سامراء", "بيجي", "بلد"),
    "27": ("الناصرية", "الشطرة", "سوق الشيوخ"),
    "28": ("النجف", "الكوفة"),
    "29": ("الكوت", "الصويرة", "النعمانية"),
}
"""A traffic sector (قاطع) for each of these towns. All are federal: the Region's own fines are in another system."""

PLACES = ("تقاطع {}", "مدخل {}", "سيطرة {}", "جسر {}", "ساحة {}", "مركز {}", "الشارع العام, {}", "")

CATEGORIES = {
    "private": 650,
    "hire": 150,
    "cargo": 100,
    "government": 30,
    "motorcycle": 30,
    "agricultural": 10,
    "construction": 10,
    "temporary": 8,
    "other": 2,
    "": 10,
}

STATUSES = {"open": 90, "paid": 7, "cancelled": 2, "disputed": 1}


class Offence(NamedTuple):
    """A violation of Traffic Law 8/2019, article 25: its cells, in the order of the columns, and what it doubles to."""

    code: str
    title: str
    legal_ref: str
    amount: str
    doubled: str


OFFENCES = {
    Offence("101", "السير عكس الاتجاه", "25/1/هـ", "200000", "400000"): 12,
    Offence("201", "عدم وضوح لوحة التسجيل", "25/2", "100000", "200000"): 12,
    Offence("202", "تلف لوحة التسجيل", "25/2", "100000", "200000"): 6,
    Offence("203", "إخفاء لوحة التسجيل", "25/2", "100000", "200000"): 6,
    Offence("301", "عدم ارتداء السائق حزام الأمان", "25/3/هـ", "50000", "100000"): 44,
    Offence("302", "عدم ارتداء الراكب الأمامي حزام الأمان", "25/3/هـ", "50000", "100000"): 14,
    Offence("303", "جلوس طفل دون الثامنة في المقعد الأمامي", "25/3/هـ", "50000", "100000"): 6,
}


class Sector(NamedTuple):
    """A traffic sector's cells and the places it records at."""

    code: str
    name: str
    governorate: str
    places: tuple[str, ...]
