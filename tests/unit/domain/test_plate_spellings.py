"""Plates as people say and type them on a phone: letters by name, digits in groups and words, chat and all around.

Each line is what a citizen types or dictates for one plate, written from how people speak and not from what is read.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from query.plate_text import MAX_TEXT_CHARACTERS, read
from shared.domain.governorates import GOVERNORATES
from shared.domain.plate import GERMAN, GERMAN_LETTERS, Plate, PlateError

SPELLINGS = {
    "DE#11#ا#12345": """
        بغداد ا 12 345
        بغداد ا ١٢ ٣٤٥
        بغداد ا ۱۲ ۳۴۵
        12 345 ا بغداد
        بغداد ا 12-345
        بغداد ا 123 45
        بغداد ا 12 34 5
        بغداد ا 1 2 3 4 5
        بغداد ا 1-2-3-4-5
        بغداد ا ١ ٢ ٣ ٤ ٥
        1 2 3 4 5 ا بغداد
        السلام عليكم بغداد ا 12345
        مرحبا اريد اعرف غرامات بغداد ا 12345
        سيارة ابوي بغداد ا 12345
        غرامات سيارة زوجتي بغداد ا 12345
        سيارة برقم 12345 ا بغداد
        بغداد ا 12345 شكرا
        ممكن استعلام عن بغداد ا 12345 رجاء
        سڵاو پلێتی بەغدا ا 12345
        سەرپێچی ئۆتۆمبێلی باوکم بەغدا ا 12345
        سەرپێچییەکانم بەغدا ا ١٢٣٤٥ تکایە
        hello my father car بغداد ا 12345 please
        ~بغداد ا 12345~
        `بغداد ا 12345`
        12345ابغداد
        «بغداد ا 12345»
        بغداد ا 12,345
        بغداد ا 12.345
        بغداد ا 12٬345
        بغداد ا ١٢٬٣٤٥
        بغداد ا ١٢،٣٤٥
        بغداد ألف 12345
        بغداد الف 12 345
        بغداد حرف الألف 12345
        بغداد 12345 ألف
        12345 ألف بغداد
        بغداد ا واحد اثنين ثلاثة أربعة خمسة
        بغداد ا واحد اثنان ثلاث اربع خمس
        بغداد ا 12 ثلاثة 45
        بەغدا ا یەک دوو سێ چوار پێنج
        Baghdad ا one two three four five
        بغداد ا 12345؟
        بغداد ا 12345 ؟
        بغداد ا 12345?
        بغداد ا 12345 ?
        بغداد ا 12345!
        بغداد ا 12345 !!!
        بغداد ا 12345 ؟!
        بغداد ا 12345.
        🚗 بغداد ا 12345
        بغداد ا 12345 🚗
        بغداد ا 12345 🇮🇶
        🚘🙏 بغداد ا 12345 ❤️
        بغداد ا 1️⃣2️⃣3️⃣4️⃣5️⃣
        بغداد ا ①②③④⑤
        *بغداد ا 12345*
        بغداد *ا* 12345
        بغداد ا **12345**
        _بغداد ا 12345_
        ~بغداد ا 12345~
        `بغداد ا 12345`
        "بغداد ا 12345"
        سيارتي بغداد ا 12345
        لوحتي بغداد ا 12345
        مركبتي بغداد ا 12345
        عجلتي بغداد ا 12345
        سيارتي رقمها 12345 ا بغداد
        سيارتي رقمها بغداد ا 12345
        رقم سيارتي بغداد ا 12345
        رقم لوحتي بغداد ا 12345
        رقمها بغداد ا 12345
        مخالفات بغداد ا 12345
        مخالفة بغداد ا 12345
        كم مخالفة بغداد ا 12345
        كم مخالفة على سيارتي بغداد ا 12345؟
        غرامة بغداد ا 12345
        غرامات بغداد ا 12345
        كم غرامة على بغداد ا 12345
        كم غرامات سيارتي بغداد ا 12345
        ما هي غرامات السيارة بغداد ا 12345
        هل عليها مخالفات بغداد ا 12345
        اريد مخالفات بغداد ا 12345
        استعلام عن مخالفات بغداد ا 12345
        استعلام عن غرامات المركبة بغداد ا 12345
        my car Baghdad ا 12345
        fines of my car Baghdad ا 12345
        how many fines on Baghdad ا 12345?
        what is the fine for Baghdad ا 12345
        ئۆتۆمبێلەکەم بەغدا ا 12345
        سەیارەکەم بەغدا ا 12345
        ژمارەکەی بەغدا ا 12345
        ژمارەی تابلۆ بەغدا ا 12345
        تابلۆکەم بەغدا ا 12345
        غەرامەکانم بەغدا ا 12345
        غەرامەی بەغدا ا 12345
        سزاکانم بەغدا ا 12345
        چەند غەرامە بەغدا ا 12345
        پارێزگای بەغدا ا 12345
        شاری بەغدا ا 12345
        بغدادا12345
        12345بغدادا
        بغدادا 12345
        بغدادألف12345
        سيارتيبغدادا12345
        رقمسيارتيبغدادا12345
        """,
    "DE#22#ا#12345": "هەولێرە ا 12345\nئۆتۆمبێلەکەم هەولێری ا 12345",
    "DE#11#ه#12345": """
        بغداد هاء 12345
        بغداد الهاء 12345
        بغداد حرف هاء 12345
        بغداد ها 12345
        هاء 12345 بغداد
        12345 هاء بغداد
        بغداد هـ 12 345
        بغدادهاء12345
        """,
    "DE#14#ب#54321": """
        البصرة باء 54321
        بصرة حرف الباء 54321
        البصرة با 54 321
        البصرةب54321
        """,
    "DE#14#ج#54321": "البصرة جيم 54321\nالبصرة ج خمسة اربعة ثلاثة اثنين واحد",
    "DE#14#د#54321": "البصرة دال 54321\nدال 54321 البصرة",
    "DE#14#ر#54321": "البصرة راء 54321\nالبصرة را 54321",
    "DE#14#س#54321": "البصرة سين 54321\nالبصرة حرف السين 54321",
    "DE#14#ط#54321": "البصرة طاء 54321\nالبصرة طا 54321",
    "DE#14#ف#54321": "البصرة فاء 54321\nالبصرة فا 54321",
    "DE#14#ك#54321": "البصرة كاف 54321\nالبصرة كاف 54 321",
    "DE#14#م#54321": "البصرة ميم 54321\nميم 54321 البصرة",
    "DE#14#ن#54321": "البصرة نون 54321\nالبصرة نون ٥٤٣٢١",
    "DE#14#ى#54321": "البصرة ياء 54321\nالبصرة يا 54321",
    "DE#14#ق#54321": "البصرة قاف 54321\nالبصرة حرف القاف 54321",
    "DE#14#ل#54321": "البصرة لام 54321\nلام 54321 البصرة",
    "DE#14#و#54321": "البصرة واو 54321\nالبصرة حرف الواو 54321",
    "DE#14#ز#54321": "البصرة زاي 54321\nالبصرة زين 54321\nالبصرة زاء 54321",
    "DE#14#ش#54321": "البصرة شين 54321",
    "DE#14#ص#54321": "البصرة صاد 54321",
    "OLD#11#12345": """
        بغداد 12 345
        بغداد 1 2 3 4 5
        بغداد ١٢ ٣٤٥
        بغداد 12,345
        بغداد واحد اثنين ثلاثة اربعة خمسة
        بغداد 12345 !
        بغداد 12345؟
        سيارتي بغداد 12345 🚗
        كم غرامة على بغداد 12345
        """,
    "OLD#11#22153": "بغداد 22 153\nبغداد 22153\nبغداد 221 53",
    "DE#11#ز#12000": "بغداد ز 12 ألف\n12 ألف ز بغداد",
    "OLD#11#124": "بغداد 1 2 4\nبغداد واحد اثنين اربعة",
    "KR#22#123456": """
        أربيل 123 456
        هەولێر 12 34 56
        هەولێر 1 2 3 4 5 6
        پارێزگای هەولێر 123456
        هەولێر یەک دوو سێ چوار پێنج شەش
        123,456 اربيل
        """,
    "KR#21#123456": "سلێمانییە 123456\nسلێمانی 123 456\nلوحتي السليمانية 123456",
    "KR#24#12345": "دهۆک 12 345\nتابلۆکەم دهۆک 12345",
    "UN#22#A#153": """
        كردستان 22 A 153
        22 A 153 كردستان
        إقليم كردستان 22A153
        هەرێمی کوردستان 22 A 153
        Kurdistan 22 A 153
        أربيل كردستان 22 A 153
        22 A 1 5 3
        2 2 A 1 5 3
        🚗 22 A 153
        22 A 153!
        *22 A 153*
        my plate is 22 A 153
        سيارتي 22 A 153
        """,
    "UN#11#A#70634": "11 A 70,634\n11 A 70 634\n11 A 7 0 6 3 4\n1 1 A 7 0 6 3 4\nواحد واحد A سبعة صفر ستة ثلاثة اربعة",
}
LINES = [(line.strip(), key) for key, lines in SPELLINGS.items() for line in lines.splitlines() if line.strip()]


@pytest.mark.parametrize(("typed", "key"), LINES)
def test_it_is_read_as_people_mean_it(typed: str, key: str) -> None:
    assert read(typed).plate.key == key


def test_the_table_is_as_large_as_promised() -> None:
    assert len(LINES) >= 150


@pytest.mark.parametrize(
    ("typed", "word"), [("بغدات ز 12456", "بغدات"), ("بغداد ز قطار 12456", "قطار"), ("Bagdhad ز 12456", "BAGDHAD")]
)
def test_the_word_that_is_not_known_is_named(typed: str, word: str) -> None:
    with pytest.raises(PlateError) as raised:
        read(typed)
    assert (raised.value.code, raised.value.value) == ("word_unknown", word)


NOISE = st.sampled_from(["سيارتي", "رقمها", "كم مخالفة على", "🚗", "my car", "تابلۆکەم", "غەرامەکانم", "؟", "!"])


@given(
    st.sampled_from(sorted(GOVERNORATES)),
    st.sampled_from(sorted(GERMAN_LETTERS)),
    st.integers(100_000, 999_999).map(str),
    st.lists(st.integers(1, 5), unique=True).map(sorted),
    st.sampled_from([" ", "-", "  "]),
    NOISE,
    st.sampled_from(["ar", "ckb", "en"]),
)
def test_groups_and_noise_change_nothing_or_are_asked_about(
    code: str, letter: str, number: str, cuts: list[int], gap: str, noise: str, language: str
) -> None:
    groups = [number[start:end] for start, end in zip([0, *cuts], [*cuts, 6], strict=True)]
    if code in (groups[0], groups[-1]):
        return  # its own code as a group: asked about
    name = GOVERNORATES[code].name(language)
    around = (f"{name} {letter} {gap.join(groups)}", noise)
    typed = " ".join(around if noise in "؟!" else reversed(around))
    if len(typed) <= MAX_TEXT_CHARACTERS:
        assert read(typed).plate == Plate(GERMAN, code, letter, number)
