"""Iraqi mobile numbers as they are typed; numbering plan of region IQ: 7[3-9] and eight digits."""

from __future__ import annotations

import pytest

from shared.domain.phone import masked, to_e164


@pytest.mark.parametrize(
    "typed",
    [
        "07701234567",
        "7701234567",
        "9647701234567",
        "+9647701234567",
        "009647701234567",
        "+96407701234567",
        "0096407701234567",
        "0770 123 4567",
        "0770-123-4567",
        "0770–123‑4567",
        "(0770) 123.4567",
        "+964 770 123 4567",
        " +964\u00a0770\u00a01234567 ",
        "٠٧٧٠١٢٣٤٥٦٧",
        "۰۷۷۰۱۲۳۴۵۶۷",
        "+٩٦٤٧٧٠١٢٣٤٥٦٧",
        "＋９６４７７０１２３４５６７",
        "\u202a+9647701234567\u202c",
        "\u200e0770\u200b1234567",
    ],
)
def test_every_way_to_type_a_mobile(typed: str) -> None:
    assert to_e164(typed) == "+9647701234567"


@pytest.mark.parametrize("prefix", ["73", "74", "75", "76", "77", "78", "79"])
def test_every_operator(prefix: str) -> None:
    assert to_e164(f"0{prefix}01234567") == f"+964{prefix}01234567"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "0",
        "+964",
        "077012345",
        "0770123456",
        "077012345678",
        "07101234567",
        "07201234567",
        "06601234567",
        "017701234",
        "+9641234567",
        "+4917012345678",
        "+77012345678",
        # a country's call prefix, but not Iraq's
        "+7701234567",
        "007701234567",
        "+07701234567",
        "+9657701234567",
        "9649647701234567",
        "+964+7701234567",
        "++9647701234567",
        "07701234567x",
        "0770१234567",
        "0770123456\n7",
        "phone",
        "0" * 1_000_000,
    ],
    ids=lambda typed: repr(typed[:20]),
)
def test_anything_else_is_none(typed: str) -> None:
    assert to_e164(typed) is None


def test_a_masked_number_shows_its_country_and_last_three_digits() -> None:
    assert masked("+9647701234567") == "+964*******567"
