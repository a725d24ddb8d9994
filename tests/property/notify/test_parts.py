"""In how many parts a text goes out, against an implementation of its own."""

from __future__ import annotations

import random

from shared.domain.message import parts

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
