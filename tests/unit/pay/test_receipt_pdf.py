"""The receipt on paper: one page, right to left where the language is, every line on it, its code readable."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import NamedTuple

import pypdfium2 as pdfium
import pytest
import zxingcpp
from fontTools.ttLib import TTFont
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdfium2.raw import FPDF_PAGEOBJ_TEXT

from pay.receipt import pdf
from pay.receipt.pdf import Receipt, draw
from pay.receipt.texts import WORDS
from shared.domain.governorates import GOVERNORATES
from shared.domain.payment import MAX_LINES, Line, Payment, PaymentStatus
from shared.domain.plate import GERMAN_LETTERS
from shared.http import LANGUAGES

URL = "https://abcdefghij.execute-api.me-south-1.amazonaws.com/v1/receipts/GH-7K3M9QXW4T0AB"
PLATES = ("DE#11#ز#739418", "UN#11#B#12345", "OLD#19#1234567", "KR#22#98765", "DE#12#ه#12")
SAME_LINE = 2.5
"""Points by which the baselines of one line may differ: text that had to be made smaller stands a little higher."""
FONTS = sorted((Path(pdf.__file__).parent / "fonts").glob("*.ttf"))


def payment(count: int = 5, **fields: object) -> Payment:
    lines = tuple(
        Line(f"BGD-2026/{n}", 50_000 * (n % 5 + 1), PLATES[n % 5], ("7", "قاطع الكرخ")[n % 2], ("11", "")[n % 2])
        for n in range(count)
    )
    made = Payment(
        "0f3a9c5d7e1b2a4c6d8e0f1a2b3c4d5e", "ur-1", "zaincash", PaymentStatus.PAID, lines,
        sum(line.amount for line in lines),
        "2026-11-20T12:00:00+03:00", "2026-11-20T12:15:00+03:00", "https://tf.ur.gov.iq/paid", "+9647719283746",
        paid_at="2026-11-20T12:02:00+03:00", receipt_no="GH-7K3M9QXW4T0AB",
    )  # fmt: skip
    return made._replace(**fields)  # type: ignore[arg-type]


def page(count: int = 5, language: str = "ar") -> pdfium.PdfPage:
    document = pdfium.PdfDocument(draw(Receipt(payment(count), URL, language)))
    assert len(document) == 1
    return document[0]


class Glyph(NamedTuple):
    """A glyph, or several that were drawn as one, with where it stands in points from the left and from below."""

    text: str
    left: float
    right: float
    baseline: float


def glyphs(of: pdfium.PdfPage) -> list[Glyph]:
    found = []
    for drawn in of.get_objects(filter=[FPDF_PAGEOBJ_TEXT], textpage=of.get_textpage()):
        left, _, right, _ = drawn.get_bounds()
        found += [Glyph(text, left, right, drawn.get_matrix().f)] if (text := drawn.extract().strip()) else []
    return found


def lines(of: pdfium.PdfPage) -> list[str]:
    """What stands on each line of a page, from left to right as the eye sees it, without spaces."""
    found: list[list[Glyph]] = []
    for glyph in sorted(glyphs(of), key=lambda glyph: -glyph.baseline):
        if not found or found[-1][-1].baseline - glyph.baseline > SAME_LINE:
            found.append([])
        found[-1].append(glyph)
    ordered = (sorted(each, key=lambda glyph: glyph.left) for each in found)
    return ["".join(glyph.text for glyph in each).replace(" ", "") for each in ordered]


def line_with(of: pdfium.PdfPage, part: str) -> str:
    (found,) = [line for line in lines(of) if part in line]
    return found


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("count", [1, 5, MAX_LINES])
def test_everything_is_on_one_page(count: int, language: str) -> None:
    found = lines(page(count, language))
    for line in payment(count).lines:
        assert any(line.violation_no in each and f"{line.amount:,}" in each for each in found)
    for said in (f"{payment(count).amount:,}", "GH-7K3M9QXW4T0AB", "20/11/202612:02", "ZainCash", URL):
        assert any(said in each for each in found)


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_runs_over_the_edge_or_onto_another(language: str) -> None:
    """Every run of text lies within the margins, also with the longest values that a violation may have."""
    longest = Line("W" * 32, 100_000_000, "DE#14#ص#888888", "م" * 16, "14")
    full = payment()._replace(lines=(longest,) * MAX_LINES, amount=5_000_000_000)
    document = pdfium.PdfDocument(draw(Receipt(full, URL, language)))
    assert len(document) == 1
    width, _ = document[0].get_size()
    assert all(40 < glyph.left <= glyph.right < width - 40 for glyph in glyphs(document[0]))
    cells = [longest.violation_no, "100,000,000", "888888"]
    assert sum(all(cell in line for cell in cells) for line in lines(document[0])) == MAX_LINES


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("count", [1, MAX_LINES])
def test_a_reader_of_another_make_finds_the_address(count: int, language: str) -> None:
    (code,) = zxingcpp.read_barcodes(page(count, language).render(scale=1.5).to_pil())
    assert code.text == URL


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_row_reads_from_the_side_where_the_language_begins(language: str) -> None:
    """Number of the line, of the violation, plate, sector, amount; digits and Latin from left to right in all."""
    place = GOVERNORATES["11"].name(language)
    if language == "en":
        assert line_with(page(1, language), "BGD-2026/0") == f"1BGD-2026/0{place}ز739418{place}750,000"
        assert line_with(page(2, language), "BGD-2026/1").startswith("2BGD-2026/111B12345")
    else:
        assert line_with(page(1, language), "BGD-2026/0") == f"50,0007{place[::-1]}739418ز{place[::-1]}BGD-2026/01"
        assert line_with(page(2, language), "BGD-2026/1").endswith("11B12345BGD-2026/12")


@pytest.mark.parametrize(("language", "seen"), [("ar", "12ـهىونين"), ("en", "Ninevehـه12")])
def test_heh_stands_as_on_the_metal(language: str, seen: str) -> None:
    assert seen in line_with(page(5, language), "BGD-2026/4")


def test_letters_are_joined() -> None:
    """The glyphs of a word touch, as only its shaped forms do."""
    drawn = glyphs(page())
    top = max(glyph.baseline for glyph in drawn)
    title = sorted((glyph for glyph in drawn if glyph.baseline == top), key=lambda glyph: -glyph.right)
    word = title[3:8]
    assert "".join(glyph.text for glyph in word) == "تسديد"
    t, s, d, y, last = word
    assert t.left <= s.right
    assert s.left <= d.right
    assert y.left <= last.right
    assert d.left > y.right, "dal joins nothing after it"


@pytest.mark.parametrize("font", FONTS, ids=lambda path: path.stem)
def test_the_fonts_hold_every_letter(font: Path) -> None:
    has = {chr(code) for code in TTFont(font).getBestCmap()}
    words = [word for language in WORDS.values() for word in language.values()]
    names = [each.name(language) for each in GOVERNORATES.values() for language in LANGUAGES]
    assert set("".join([*words, *names, *GERMAN_LETTERS, "هـ٠١٢٣٤٥٦٧٨٩\N{LEFT-TO-RIGHT MARK}"])) <= has


def test_words_have_no_marks_that_the_library_misplaces() -> None:
    marked = [w for words in WORDS.values() for w in words.values() if any(unicodedata.combining(c) for c in w)]
    assert marked == []


texts = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=32)


@settings(max_examples=25)
@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=3), st.sampled_from(LANGUAGES))
def test_whatever_a_directorate_calls_things_is_one_page(made: list[tuple[str, str]], language: str) -> None:
    drawn = tuple(Line(number, 1_000, "DE#11#ز#739418", code[:16], "11") for number, code in made)
    odd = payment()._replace(lines=drawn, received=1_000 * len(made), amount=1_000 * len(made))
    assert len(pdfium.PdfDocument(draw(Receipt(odd, URL, language)))) == 1


def test_every_language_has_every_word() -> None:
    assert WORDS.keys() == set(LANGUAGES)
    assert len({frozenset(words) for words in WORDS.values()}) == 1


def test_the_same_payment_is_the_same_bytes() -> None:
    assert draw(Receipt(payment(), URL, "ar")) == draw(Receipt(payment(), URL, "ar"))
    assert draw(Receipt(payment(), URL, "ar")) != draw(Receipt(payment(), URL, "ckb"))


def test_nothing_of_the_payer_is_on_it() -> None:
    found = "".join(lines(page(language="en")))
    assert "7719283746" not in found
    assert "ur-1" not in found
    assert not re.search(rb"ur-1|7719283746", draw(Receipt(payment(), URL, "en")))


@pytest.mark.parametrize("fields", [{"paid_at": None}, {"receipt_no": None}])
def test_what_is_not_paid_is_not_drawn(fields: dict[str, None]) -> None:
    with pytest.raises(ValueError, match="not a paid payment"):
        draw(Receipt(payment(**fields), URL, "ar"))
