"""What an SMS says, how many parts carry it, and that nobody can take it for a fraud."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from string import Formatter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.domain import message
from shared.domain.message import SHORTER, Increase, Owed
from shared.domain.money import grouped
from shared.domain.plate import KURDISTAN, Plate
from shared.domain.rules import Rules, Window
from shared.domain.sms_texts import TEXTS
from shared.domain.violation import Violation
from shared.http import LANGUAGES
from shared.policies import RULES

ONE_PART = {"ar": 70, "ckb": 70, "en": 160}
DAY = {"ar": "28/12", "ckb": "28/12", "en": "28/12/2026"}
WORST = {
    "plate_tail": "888",
    "amount": "999,999",
    "next_amount": "1,999,998",
    "count": "99",
    "total": "9,999,999",
    "rest": "9,999,999",
    "next_total": "19,999,998",
    "as_of": "28/12/2026 20:48",
    "receipt_no": "GH-8888888888888",
    "payment_no": "88888888",
}
"""The largest of what is told in full: one fine, sums and counts of several, each doubled, on a day within the year."""
WHOLE_DAY = "28/12/2026"
NEVER_LONGER = {"plate_tail", "as_of", "receipt_no", "payment_no", "date"}
"""Values that are not of more characters anywhere than in WORST, or WHOLE_DAY."""

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


def _units(text: str, language: str) -> int:
    """Septets of an English text, which is of GSM's letters alone; units of UTF-16 of the others."""
    if language == "en":
        return sum(GSM_SEPTETS[character] for character in text)
    return sum(2 if ord(character) > 0xFFFF else 1 for character in text)


def _fields(name: str) -> set[str]:
    return {field for _, field, _, _ in Formatter().parse(TEXTS[name]["ar"]) if field}


def _at_worst(name: str, language: str, day: str = "") -> str:
    day = day or DAY[language]
    return TEXTS[name][language].format_map({**WORST, "date": day, "occurred": day})


def _sent_at_worst(name: str, language: str) -> str:
    """The form that is sent at the largest of what is told in full: the first that one part carries."""
    while _units(_at_worst(name, language), language) > ONE_PART[language]:
        name = SHORTER[name]
    return name


def test_every_text_at_its_worst_is_one_part_and_says_all_that_it_should() -> None:
    """`pytest -s` prints the units of each; where two stand, the first are too many and a shorter text goes out."""
    cut = []
    for name, by_language in TEXTS.items():
        units = []
        for language in by_language:
            sent = _sent_at_worst(name, language)
            if _fields(sent) != _fields(name):
                cut.append((name, language, sent))
            forms = dict.fromkeys([name, sent])
            units.append(" -> ".join(f"{_units(_at_worst(form, language), language)}" for form in forms))
        print(f"{name:34}", *(f"{each:9}" for each in units))
    assert cut == []


@pytest.mark.parametrize("name", sorted(TEXTS.keys() - SHORTER.keys()))
def test_where_no_text_says_less_no_figure_can_make_it_longer(name: str) -> None:
    assert _fields(name) <= NEVER_LONGER
    for language in LANGUAGES:
        assert _units(_at_worst(name, language, WHOLE_DAY), language) <= ONE_PART[language]


@pytest.mark.parametrize("name", sorted(SHORTER))
def test_a_shorter_text_is_shorter_and_says_nothing_more(name: str) -> None:
    shorter = SHORTER[name]
    assert _fields(shorter) <= _fields(name)
    for language in LANGUAGES:
        longer_units = _units(_at_worst(name, language), language)
        assert _units(_at_worst(shorter, language), language) <= longer_units


def test_every_kind_has_its_text() -> None:
    assert {*message.MessageKind} <= TEXTS.keys()


@pytest.mark.parametrize(("name", "language"), ALL_TEXTS)
def test_every_text_names_the_service_and_holds_no_link_demand_or_threat(name: str, language: str) -> None:
    text = TEXTS[name][language]
    assert text.startswith({"ar": "غرامة-أور: ", "ckb": "غەرامە-ئور: ", "en": "Gharama (Ur): "}[language])
    assert not re.search(r"https?:|www\.|[a-z0-9-]\.[a-z]{2,}|/[a-z]|@|\bpay\b|\bclick\b", text, re.IGNORECASE)
    assert not re.search("ادفع|سدد الآن|اضغط|رابط|سيتم|حجز|بدە ئێستا|کرتە|بەستەر", text)


@pytest.mark.parametrize(("name", "language"), ALL_TEXTS)
def test_every_text_can_be_read_in_one_way_alone(name: str, language: str) -> None:
    """No marks for vowels, no words that mean another thing without them, no hyphen between digits, nothing hidden."""
    text = TEXTS[name][language]
    assert not re.search("[\u064b-\u0652\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\u061c]", text)
    assert language != "ar" or not re.search(r"\b(سدد|قبل)\b", text)
    assert not re.search(r"[0-9}]\s*-|-\s*[0-9{]", text)
    assert not re.search(r"} ?\.*{", text), "two numbers with no word between them change places"


@pytest.mark.parametrize(("name", "language"), ALL_TEXTS)
def test_every_text_tells_which_plate_or_number(name: str, language: str) -> None:
    of_account = {"receipt": "{receipt_no}", "refund": "{payment_no}", "erased": ""}
    wanted = of_account.get(name.partition("_")[0], "..{plate_tail}")
    assert wanted in TEXTS[name][language]


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_a_text_says_the_same_in_every_language(name: str) -> None:
    assert set(TEXTS[name]) == set(LANGUAGES)
    told = [{field for _, field, _, _ in Formatter().parse(TEXTS[name][language]) if field} for language in LANGUAGES]
    assert told[0] == told[1] == told[2]


PLATE = Plate("german", "11", "ز", "12456")
OTHER_PLATE = Plate("old", "11", None, "7")
NOW = "2026-03-10T14:30:00+03:00"
RISING = Increase(date(2026, 4, 10), certain=True)
EARLIEST = Increase(date(2026, 4, 8), certain=False)
SOON = Increase(None, certain=False)
NOTHING = Owed(0, 0, None)


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


LASTING = _violation("9", legal_ref="26", amount=25_000)


def _said(text: str) -> str:
    """An English text without what all of them say."""
    assert text.startswith("Gharama (Ur): ")
    assert text.endswith(" Details: Ur portal. We never send links.")
    return text.removeprefix("Gharama (Ur): ").removesuffix(" Details: Ur portal. We never send links.")


def _one(increase: Increase | None = RISING, amount: int = 50_000) -> Owed:
    return Owed(1, amount, increase, increase and 2 * amount)


def _three(increase: Increase | None = RISING) -> Owed:
    return Owed(3, 150_000, increase, increase and 200_000)


def owed_for(violations: Sequence[Violation], rules: Rules = RULES) -> message.Owed:
    return message.owed([violation.outlook(NOW, rules) for violation in violations], NOW)


def test_what_is_owed_goes_by_the_first_increase_of_all() -> None:
    sooner = _violation("2", recorded_at="2026-02-20T10:00:00+03:00")
    owed = owed_for([_violation(), sooner, LASTING])
    assert owed == (3, 125_000, (date(2026, 3, 20), True), 175_000)
    assert owed_for([_violation()]) == (
        1,
        50_000,
        (date(2026, 4, 10), True),
        100_000,
    )
    assert owed_for([LASTING]) == (1, 25_000, None, None)


def test_where_readings_differ_the_first_day_that_may_be_meant_is_told_as_that() -> None:
    """Plates of the Region: 30 days from the commission may be meant, and not a month from the recording."""
    region = Plate(KURDISTAN, "21", "", "12345").key
    earlier = _violation("3", plate_key=region, occurred_at="2026-03-01T22:00:00+03:00")
    assert owed_for([earlier]) == (
        1,
        50_000,
        (date(2026, 3, 31), False),
        100_000,
    )
    assert owed_for([_violation(), earlier]) == (
        2,
        100_000,
        (date(2026, 3, 31), False),
        150_000,
    )
    sooner = _violation("2", recorded_at="2026-02-20T10:00:00+03:00")
    assert owed_for([sooner, earlier]) == (
        2,
        100_000,
        (date(2026, 3, 20), True),
        150_000,
    )
    on_one_day = [
        _violation("4", recorded_at="2026-02-28T10:00:00+03:00"),
        _violation("5", plate_key=region, occurred_at="2026-02-26T22:00:00+03:00"),
    ]
    assert owed_for(on_one_day) == (2, 100_000, (date(2026, 3, 28), False), 200_000)
    for begun in ("2026-02-09T14:00:00+03:00", "2026-02-08T10:00:00+03:00", "2026-01-31T10:00:00+03:00"):
        late = _violation("6", plate_key=region, occurred_at=begun)
        assert owed_for([sooner, late]) == (
            2,
            100_000,
            (None, False),
            150_000,
        ), begun


def test_what_a_window_lowers_until_then_is_asked_at_its_price() -> None:
    """A reduction that is open on the day of the increase counts in what all comes to on that day."""
    fifth = Window("fifth", "2026-03-15T00:00:00+03:00", "2026-04-01T00:00:00+03:00", "2026-03-31", articles=("26",))
    rules = Rules(RULES.policies, [fifth._replace(percent_off=20)])
    sooner = _violation("2", recorded_at="2026-02-20T10:00:00+03:00")
    assert owed_for([sooner, LASTING], rules) == (2, 75_000, (date(2026, 3, 20), True), 120_000)


@pytest.mark.parametrize(
    ("day", "in_arabic"),
    [
        ("2026-04-10", "10/04"),
        ("2027-03-09", "09/03"),
        ("2027-03-10", "10/03/2027"),
        ("2025-03-11", "11/03"),
        ("2025-03-10", "10/03/2025"),
    ],
)
def test_a_day_within_a_year_is_told_without_it(day: str, in_arabic: str) -> None:
    instant = f"{day}T00:30:00+03:00"
    assert message.short_day(instant, "ar", NOW) == message.short_day(instant, "ckb", NOW) == in_arabic
    assert message.short_day(instant, "en", NOW) == message.day(instant)


def test_the_answer_to_a_look_up() -> None:
    def said(increase: Increase | None) -> str:
        return _said(message.query_result("en", PLATE, Owed(3, 1_250_000, increase), NOW, NOW))

    assert said(RISING) == "plate ..456. Unpaid 3: 1,250,000 IQD. Next increase 10/04/2026."
    assert said(EARLIEST) == "plate ..456. Unpaid 3: 1,250,000 IQD. May rise from 08/04/2026."
    assert said(SOON) == "plate ..456. Unpaid 3: 1,250,000 IQD. May rise soon."
    assert said(None) == "plate ..456. Unpaid 3: 1,250,000 IQD. No further increase."
    text = message.query_result("ar", PLATE, Owed(3, 1_250_000, RISING), NOW, NOW)
    assert text == "غرامة-أور: لوحة ..456\nغير مسددة 3: 1,250,000 دينار\nأقرب زيادة 10/04"


def test_nothing_unpaid_is_told_with_how_far_the_records_go() -> None:
    text = message.query_result("ar", PLATE, NOTHING, NOW, NOW)
    assert text == "غرامة-أور: لوحة ..456\nلا مخالفة غير مسددة مسجلة حتى 10/03/2026 14:30"
    undated = message.query_result("en", PLATE, NOTHING, None, NOW)
    assert _said(undated) == "plate ..456. No unpaid violation in the records received so far."


def test_one_new_violation_is_told_with_what_it_becomes() -> None:
    def said(increase: Increase | None, occurred_at: str | None = None) -> str:
        return _said(message.new_violations("en", PLATE, _one(increase), NOW, occurred_at))

    for occurred_at, begin in ((None, "new violation"), ("2026-03-09T22:00:00+03:00", "violation of 09/03/2026")):
        first = f"{begin}, plate ..456."
        assert said(RISING, occurred_at) == f"{first} 50,000 IQD now, 100,000 from 10/04/2026."
        assert said(EARLIEST, occurred_at) == f"{first} 50,000 IQD now, may become 100,000 from 08/04/2026."
        assert said(SOON, occurred_at) == f"{first} 50,000 IQD now, may rise soon."
        assert said(None, occurred_at) == f"{first} Amount 50,000 IQD."


def test_a_year_is_told_in_fewer_words_not_with_fewer_digits() -> None:
    late = Increase(date(2027, 4, 10), certain=True)
    text = message.new_violations("ar", PLATE, _one(late, 250_000), NOW)
    assert text == "غرامة-أور: مخالفة جديدة ..456\n250,000 دينار تصبح 500,000 من 10/04/2027"


def test_several_new_violations_are_told_as_one_sum_and_the_nearest_increase() -> None:
    def said(increase: Increase | None) -> str:
        return _said(message.new_violations("en", PLATE, _three(increase), NOW, "2026-03-09T22:00:00+03:00"))

    assert said(RISING) == "3 new violations, plate ..456. 150,000 IQD now, first rise 10/04/2026."
    assert said(EARLIEST) == "3 new violations, plate ..456. 150,000 IQD now, may rise from 08/04/2026."
    assert said(SOON) == "3 new violations, plate ..456. 150,000 IQD now, may rise soon."
    assert said(None) == "3 new violations, plate ..456. Total 150,000 IQD."


def test_a_reminder_says_what_is_owed_and_what_it_comes_to() -> None:
    def said(increase: Increase, *, disputed: bool = False) -> str:
        return _said(message.doubling_soon("en", PLATE, _three(increase), NOW, disputed=disputed))

    assert said(RISING) == "reminder, plate ..456. 150,000 IQD now, 200,000 from 10/04/2026."
    assert said(EARLIEST) == "reminder, plate ..456. 150,000 IQD now, may become 200,000 from 08/04/2026."
    assert said(SOON) == "reminder, plate ..456. 150,000 IQD now, may become 200,000 soon."
    objected = "reminder, plate ..456, objection recorded. 150,000 IQD may still rise"
    assert said(RISING, disputed=True) == f"{objected} from 10/04/2026."
    assert said(EARLIEST, disputed=True) == f"{objected} from 08/04/2026."
    assert said(SOON, disputed=True) == f"{objected} soon."


def test_nobody_is_reminded_of_what_does_not_rise() -> None:
    with pytest.raises(ValueError, match="no amount rises"):
        message.doubling_soon("en", PLATE, _one(None), NOW)


def test_cancelled_violations_are_told_by_their_number() -> None:
    said = _said(message.cancelled("en", PLATE, 2))
    assert said == "violations cancelled, plate ..456. Number 2, no amount is due for them."


def test_an_objection_is_told_with_the_clock_that_may_run_on() -> None:
    def said(increase: Increase | None) -> str:
        return _said(message.disputed("en", PLATE, _three(increase), NOW))

    recorded = "objection recorded, plate ..456. Number 3,"
    assert said(RISING) == f"{recorded} the amount may still rise from 10/04/2026."
    assert said(EARLIEST) == f"{recorded} the amount may still rise from 08/04/2026."
    assert said(SOON) == f"{recorded} the amount may still rise soon."
    assert said(None) == f"{recorded} no further increase."


def test_a_refused_objection_is_told_with_what_is_owed() -> None:
    def said(owed: Owed) -> str:
        return _said(message.dispute_refused("en", PLATE, owed, NOW))

    first = "objection refused, plate ..456."
    assert said(_one(RISING)) == f"{first} 50,000 IQD now, 100,000 from 10/04/2026."
    assert said(_one(EARLIEST)) == f"{first} 50,000 IQD now, may become 100,000 from 08/04/2026."
    assert said(_one(SOON)) == f"{first} 50,000 IQD now, may rise soon."
    assert said(_one(None)) == f"{first} Amount 50,000 IQD."
    assert said(_three(RISING)) == f"{first} Number 3: 150,000 IQD now, first rise 10/04/2026."
    assert said(_three(EARLIEST)) == f"{first} Number 3: 150,000 IQD now, may rise from 08/04/2026."
    assert said(_three(SOON)) == f"{first} Number 3: 150,000 IQD now, may rise soon."
    assert said(_three(None)) == f"{first} Number 3: 150,000 IQD."


def test_an_accepted_objection_leaves_nothing_to_pay() -> None:
    said = _said(message.dispute_accepted("en", PLATE, 2))
    assert said == "objection accepted, plate ..456. 2 cancelled, no amount is due for them."


def test_a_receipt_is_told_with_its_number_and_the_plate_if_there_is_one_alone() -> None:
    def said(*plates: Plate) -> str:
        return _said(message.receipt("en", plates, 150_000, NOW, "GH-8888888888888"))

    assert said(PLATE) == "150,000 IQD paid, plate ..456. Receipt GH-8888888888888."
    assert said(PLATE, OTHER_PLATE) == "150,000 IQD paid on 10/03/2026. Receipt GH-8888888888888."


def test_a_receipt_of_a_part_says_what_goes_back() -> None:
    text = message.receipt("en", [PLATE], 100_000, NOW, "GH-8888888888888", 50_000)
    assert _said(text) == "100,000 IQD paid, 50,000 IQD goes back to you. Receipt GH-8888888888888."


def test_a_refund_is_told_with_the_number_of_its_payment() -> None:
    text = message.refund("en", 150_000, "35be313d")
    assert _said(text) == "150,000 IQD was returned to you, payment 35be313d. You need do nothing."


def test_an_owner_hears_of_another_follower() -> None:
    said = _said(message.follower_added("en", PLATE))
    assert said == "another account now follows plate ..456. If you do not know it, stop it."


def test_or_of_several_at_once() -> None:
    said = _said(message.followers_added("en", PLATE))
    assert said == "new following of plate ..456. If you do not know who it is, stop it."


DAYS = st.dates(date(2020, 1, 1), date(2035, 1, 1))
INCREASES = st.one_of(st.just(SOON), st.builds(Increase, DAYS, st.booleans()))
AMOUNTS = st.one_of(st.integers(0, 999_999), st.integers(0, 10**15))
OWED = st.builds(
    Owed, st.one_of(st.integers(1, 99), st.integers(1, 10**9)), AMOUNTS, st.one_of(st.none(), INCREASES), AMOUNTS
)


@given(st.sampled_from(LANGUAGES), OWED, INCREASES, st.builds(lambda day: f"{day}T23:59:00+03:00", DAYS))
def test_no_figure_is_too_large_and_none_is_cut(language: str, owed: Owed, rising: Increase, instant: str) -> None:
    one, soon = owed._replace(number=1), owed._replace(increase=rising)
    texts = [
        *(message.query_result(language, PLATE, each, instant, NOW) for each in (owed, NOTHING)),
        message.query_result(language, PLATE, NOTHING, None, NOW),
        *(message.new_violations(language, PLATE, each, NOW, at) for each in (one, owed) for at in (None, instant)),
        *(message.doubling_soon(language, PLATE, soon, NOW, disputed=each) for each in (True, False)),
        message.cancelled(language, PLATE, owed.number),
        message.disputed(language, PLATE, owed, NOW),
        *(message.dispute_refused(language, PLATE, each, NOW) for each in (one, owed)),
        message.dispute_accepted(language, PLATE, owed.number),
        *(message.receipt(language, [PLATE] * each, owed.amount, instant, "GH-8888888888888") for each in (1, 2)),
        message.receipt(language, [PLATE], owed.amount, instant, "GH-8888888888888", owed.next_amount or 1),
        message.refund(language, owed.amount, "88888888"),
        message.follower_added(language, PLATE),
        message.followers_added(language, PLATE),
    ]
    assert [text for text in texts if _parts(text) != 1] == []
    instants = [instant, *(f"{each.rises_on}" for each in (owed.increase, rising) if each)]
    days = {shown for each in instants for shown in (message.day(each), message.day(each)[:5])}
    figures = {grouped(each) for each in (1, owed.number, owed.amount, owed.next_amount or owed.amount)}
    allowed = figures | days | {"23:59", "456", "88888888", "8888888888888"}
    for text in texts:
        assert {*re.findall("[0-9][0-9,/:]*[0-9]|[0-9]", text)} <= allowed


def test_a_single_text_is_never_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TEXTS["query_result_none_undated"], "ar", "غ" * 200)
    assert message.query_result("ar", PLATE, NOTHING, None, NOW) == "غ" * 200
