"""In how many parts a text goes out, against an implementation of its own; and every text at its longest values."""

from __future__ import annotations

import random
import re
import unicodedata

import pytest

from shared.domain.message import MOST_PARTS, parts
from shared.domain.sms_texts import TEXTS

# 3GPP TS 23.038, section 6.2.1: the default alphabet in the order of its codes, 0x1B being the escape.
ALPHABET = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
ESCAPED = "\f^{}\\[~]|€"
ARABIC = "غرامةلوحةتنتهيبـ٠١٢٣ئۆێ "
PLANES = "😀🚗𐎀"

LONGEST = {
    "plate_tail": "888",
    "count": "5,000",
    "total": "2,000,000,000",
    "next_total": "4,000,000,000",
    "amount": "100,000,000",
    "next_amount": "200,000,000",
    "date": "28/12/2026",
    "occurred": "28/12/2026",
    "as_of": "28/12/2026 20:48",
    "receipt_no": "GH-2026-88888888-88",
}


def segments(text: str) -> int:
    """The same by encoding: the text as bytes, 140 of which one SMS carries, less six of header where it is split."""
    if set(text) <= set(ALPHABET.replace("\x1b", "") + ESCAPED):
        septets = b"".join(b"\x1b\x00" if letter in ESCAPED else bytes([ALPHABET.index(letter)]) for letter in text)
        return _cut(septets, whole=140 * 8 // 7, piece=(140 - 6) * 8 // 7)
    return _cut(text.encode("utf-16-be", "surrogatepass"), whole=140, piece=140 - 6)


def _cut(units: bytes, *, whole: int, piece: int) -> int:
    if len(units) <= whole:
        return 1
    return len([units[start : start + piece] for start in range(0, len(units), piece)])


def random_text(chance: random.Random) -> str:
    """Around the lengths at which the count changes; Latin alone, or with what takes two places, or Arabic."""
    letters = chance.choice(
        [ALPHABET.replace("\x1b", ""), ALPHABET.replace("\x1b", "") + 4 * ESCAPED, ARABIC, ARABIC + PLANES]
    )
    length = chance.choice([67, 70, 134, 153, 160, 201, 306, 459]) + chance.randrange(-3, 4)
    return "".join(chance.choice(letters) for _ in range(length))


def test_a_thousand_texts() -> None:
    chance = random.Random(20261120)
    texts = [random_text(chance) for _ in range(1000)]
    assert [parts(text) for text in texts] == [segments(text) for text in texts]
    assert len({parts(text) for text in texts}) > 4


@pytest.mark.parametrize(
    ("text", "count"),
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
        ("😀" * 67, 2),
        ("😀" * 68, 3),
    ],
)
def test_the_edges(text: str, count: int) -> None:
    assert parts(text) == count


@pytest.mark.parametrize("language", ["ar", "ckb", "en"])
@pytest.mark.parametrize("name", sorted(TEXTS))
def test_every_text_fits_at_its_longest_values(name: str, language: str) -> None:
    text = TEXTS[name][language].format_map(LONGEST)
    assert parts(text) <= MOST_PARTS
    assert segments(text) <= MOST_PARTS


@pytest.mark.parametrize("language", ["ar", "ckb", "en"])
@pytest.mark.parametrize("name", sorted(TEXTS))
def test_no_text_holds_a_link_or_what_nobody_sees(name: str, language: str) -> None:
    text = TEXTS[name][language]
    assert not re.search(r"https?:|www\.|[a-z0-9]\.[a-z]", text.casefold().replace("no.:", ""))
    assert not [letter for letter in text if unicodedata.category(letter) == "Cf"]
    assert text.startswith({"ar": "غرامة: ", "ckb": "غەرامە: ", "en": "Gharama: "}[language])
