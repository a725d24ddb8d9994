"""What an SMS says, how many parts carry it, and that nobody can take it for a fraud."""

from __future__ import annotations

import re
from string import Formatter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.domain import message
from shared.domain.plate import Plate
from shared.domain.sms_texts import TEXTS
from shared.domain.violation import Violation

LANGUAGES = ("ar", "ckb", "en")
WORST = {
    "plate_tail": "888",
    "count": "5,000",
    "total": "2,000,000,000",
    "next_total": "4,000,000,000",
    "amount": "100,000,000",
    "next_amount": "200,000,000",
    "date": "28/12/2026",
    "occurred": "28/12/2026",
    "as_of": "28/12/2026 20:48",
    "receipt_no": "GH-8888888888888",
}

# GSM 03.38 as 3GPP TS 23.038 sets it out, row by row of the table's columns; 0x1B (escape) left out.
GSM_COLUMNS = (
    "@£$¥èéùìòÇ\nØø\rÅå",
    "Δ_ΦΓΛΩΠΨΣΘΞÆæßÉ",
    " !\"#¤%&'()*+,-./",
    "0123456789:;<=>?",
    "¡ABCDEFGHIJKLMNO",
    "PQRSTUVWXYZÄÖÑÜ§",
    "¿abcdefghijklmno",
    "pqrstuvwxyzäöñüà",
)
GSM_SEPTETS = {
    **{character: 1 for column in GSM_COLUMNS for character in column},
    **dict.fromkeys("\f^{}\\[~]|€", 2),
}


def _parts(text: str) -> int:
    """Counts septets or UTF-16 units one by one, then takes parts away until nothing is left."""
    if set(text) <= GSM_SEPTETS.keys():
        left, one, split = sum(GSM_SEPTETS[character] for character in text), 160, 153
    else:
        left, one, split = sum(2 if ord(character) > 0xFFFF else 1 for character in text), 70, 67
    if left <= one:
        return 1
    count = 0
    while left > 0:
        left -= split
        count += 1
    return count


ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
GSM_TEXT = st.text(st.sampled_from(sorted(GSM_SEPTETS)), max_size=500)
ALMOST_GSM = st.text(st.sampled_from("abc€[]~\f\x1bç`غ😀"), max_size=200)
AT_THE_EDGE = st.builds(
    lambda character, length, end: character * length + end,
    st.sampled_from("aغ€😀"),
    st.sampled_from([33, 34, 35, 36, 66, 67, 68, 69, 70, 71, 76, 77, 80, 81, 134, 135, 153, 159, 160, 161, 306, 307]),
    st.sampled_from(["", "a", "غ", "^"]),
)


@given(st.one_of(ANY_TEXT, GSM_TEXT, ALMOST_GSM, AT_THE_EDGE))
@example("a" * 160)
@example("a" * 159 + "€")
@example("غ" * 70)
@example("غ" * 69 + "😀")
@example("a" * 100 + "\x1b")
@example("a" * 100 + "\f")
def test_parts_are_counted_as_an_independent_count_does(text: str) -> None:
    assert message.parts(text) == _parts(text)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("غ" * 70, 1),
        ("غ" * 71, 2),
        ("غ" * 134, 2),
        ("غ" * 135, 3),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("a" * 70 + "ç", 2),
    ],
)
def test_parts_at_the_limits(text: str, parts: int) -> None:
    assert message.parts(text) == parts


ALL_TEXTS = [(name, language) for name in sorted(TEXTS) for language in LANGUAGES]


@pytest.mark.parametrize(("name", "language"), ALL_TEXTS)
def test_every_text_at_its_longest_fits_two_parts_whole(name: str, language: str) -> None:
    text = TEXTS[name][language].format_map(WORST)
    assert message.parts(text) <= 2
    if language != "en":
        assert len(text.encode("utf-16-le")) // 2 <= 134


@pytest.mark.parametrize(("name", "language"), ALL_TEXTS)
def test_every_text_names_the_service_and_holds_no_link_demand_or_threat(name: str, language: str) -> None:
    text = TEXTS[name][language]
    assert text.startswith({"ar": "غرامة:", "ckb": "غەرامە:", "en": "Gharama:"}[language])
    assert not re.search(r"https?:|www\.|[a-z0-9-]\.[a-z]{2,}|/[a-z]|@|\bpay\b|\bclick\b", text, re.IGNORECASE)
    assert not re.search("ادفع|سدد الآن|اضغط|رابط|سيتم|حجز|بدە ئێستا|کرتە|بەستەر", text)


@pytest.mark.parametrize(("name", "language"), ALL_TEXTS)
def test_every_text_tells_which_plate_and_holds_no_hidden_mark(name: str, language: str) -> None:
    text = TEXTS[name][language]
    assert ("{receipt_no}" if name in ("receipt", "refund") else "{plate_tail}") in text
    assert not re.search("[\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\u061c]", text)


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_a_text_says_the_same_in_every_language(name: str) -> None:
    assert set(TEXTS[name]) == set(LANGUAGES)
    told = [{field for _, field, _, _ in Formatter().parse(TEXTS[name][language]) if field} for language in LANGUAGES]
    assert told[0] == told[1] == told[2]


PLATE = Plate("german", "11", "ز", "12456")
NOW = "2026-03-10T14:30:00+03:00"


def _violation(number: str = "1", **facts: object) -> Violation:
    known = {
        "violation_no": number,
        "plate_key": PLATE.key,
        "code": "1",
        "amount": 50_000,
        "occurred_at": "2026-03-09T22:00:00+03:00",
        "recorded_at": NOW,
        "sector_code": "7",
        "version": f"{NOW}#{NOW}#000000002",
        "legal_ref": "25/3",
        **facts,
    }
    return Violation(**known)  # type: ignore[arg-type]


def test_the_answer_to_a_look_up() -> None:
    assert message.query_result("en", PLATE, 3, 1_250_000, "2026-04-10T14:30:00+03:00", NOW) == (
        "Gharama: plate ending 456\nUnpaid: 3\nTotal: 1,250,000 IQD\nNext increase: 10/04/2026\nDetails: Ur portal"
    )
    assert "No further increase" in message.query_result("en", PLATE, 3, 1_250_000, None, NOW)
    assert "لا توجد مخالفة غير مسددة مسجلة بهذا الرقم حتى 10/03/2026 14:30" in message.query_result(
        "ar", PLATE, 0, 0, None, NOW
    )


def test_one_new_violation_is_told_with_what_it_becomes() -> None:
    assert message.new_violations("en", PLATE, [_violation()], NOW) == (
        "Gharama: new violation, plate ending 456\nDate: 09/03/2026\nAmount: 50,000 IQD\n"
        "Becomes 100,000 on 10/04/2026\nDetails: Ur portal"
    )
    lasting = _violation(legal_ref="26", amount=25_000)
    assert "Becomes" not in message.new_violations("en", PLATE, [lasting], NOW)
    assert "Amount: 25,000 IQD" in message.new_violations("en", PLATE, [lasting], NOW)


def test_several_new_violations_are_told_as_one_sum_and_the_nearest_increase() -> None:
    sooner = _violation("2", recorded_at="2026-02-20T10:00:00+03:00")
    text = message.new_violations("en", PLATE, [_violation(), sooner, _violation("3", legal_ref="26")], NOW)
    assert "Number: 3\nTotal: 150,000 IQD\nNext increase: 20/03/2026" in text


def test_cancelled_violations_are_told_with_the_oldest_day() -> None:
    older = _violation("2", occurred_at="2025-12-31T23:00:00+03:00")
    text = message.cancelled("en", PLATE, [_violation(), older])
    assert "Number: 2\nOldest dated: 31/12/2025\nNothing is due for them" in text


def test_a_receipt_is_told_with_its_number() -> None:
    text = message.receipt("en", 2, 150_000, NOW, "GH-8888888888888")
    assert text == (
        "Gharama: 150,000 IQD paid on 10/03/2026\nViolations: 2\nReceipt no.: GH-8888888888888\nDetails: Ur portal"
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_that_is_too_long_loses_its_last_lines_and_nothing_else(
    language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = "غرامة {plate_tail}"
    monkeypatch.setitem(TEXTS["query_result_none"], language, f"{first}\n{'أ' * 100}\n{'ب' * 30}\n{'ج' * 30}")
    text = message.query_result(language, PLATE, 0, 0, None, NOW)
    assert text == f"غرامة 456\n{'أ' * 100}"
    assert message.parts(text) == 2


def test_a_single_line_is_never_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TEXTS["query_result_none"], "ar", "غ" * 200)
    assert message.query_result("ar", PLATE, 0, 0, None, NOW) == "غ" * 200
