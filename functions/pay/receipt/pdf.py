"""A receipt as a page of A4 in PDF. The same payment, address and language are the same bytes.

Only what the payment itself holds is on it, so that nothing that changes later, such as a plate that is corrected,
can show on the receipt of somebody else.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import segno
from fpdf import FPDF
from fpdf.enums import Align

from pay.receipt.texts import GATEWAYS, WORDS
from shared.domain.governorates import GOVERNORATES
from shared.domain.message import day
from shared.domain.money import grouped
from shared.domain.payment import Line, Payment
from shared.domain.plate import UNIFIED, Plate
from shared.domain.time import from_text

_FONTS: Final = Path(__file__).parent / "fonts"
_WIDTH: Final = 210.0
_MARGIN: Final = 16.0
_INNER: Final = _WIDTH - 2 * _MARGIN
_QR: Final = 34.0
_TABLE_TOP: Final = 106.0
_TABLE_BOTTOM: Final = 268.0
_FOOT: Final = 273.0
_TALLEST_ROW: Final = 8.0

_INK: Final = (24, 39, 46)
_FAINT: Final = (104, 120, 127)
_GREEN: Final = (11, 92, 84)
_PALE: Final = (232, 243, 240)
_LINE: Final = (206, 216, 218)
_WHITE: Final = (255, 255, 255)

_LRM: Final = "\N{LEFT-TO-RIGHT MARK}"


class _Column(NamedTuple):
    """A column of the table, from the side where reading begins. width: a share of the page's."""

    name: str
    width: float
    align: Align


class Receipt(NamedTuple):
    """What is drawn. check_url: where anybody can see whether it is genuine."""

    payment: Payment
    check_url: str
    language: str


def draw(receipt: Receipt) -> bytes:
    """The page. Raises ValueError for a payment without a receipt."""
    if receipt.payment.paid_at is None or receipt.payment.receipt_no is None:
        raise ValueError("not a paid payment")
    page = _Page(receipt.language, receipt.payment.payment_id)
    page.set_creation_date(from_text(receipt.payment.paid_at))
    page.set_title(f"{page.words['title']} {receipt.payment.receipt_no}")
    page.head()
    page.facts(receipt.payment)
    page.proof(receipt.check_url)
    page.violations(receipt.payment)
    page.foot(receipt.check_url)
    return bytes(page.output())


class _Page(FPDF):
    """One page in a language; places are measured in millimetres from the side where reading begins."""

    def __init__(self, language: str, identity: str) -> None:
        super().__init__(format="A4", unit="mm")
        self.words = WORDS[language]
        self._language = language
        self._rtl = language != "en"
        self._identity = identity
        self.set_lang(language)
        self.set_producer("Gharama")
        self.set_auto_page_break(False)
        self.set_margin(0)
        self.c_margin = 0
        self.add_font("Vazirmatn", "", _FONTS / "Vazirmatn-Regular.ttf")
        self.add_font("Vazirmatn", "B", _FONTS / "Vazirmatn-Bold.ttf")
        self.add_page()

    def file_id(self) -> str:
        """Named by the payment, where the library would take the time."""
        return f"<{self._identity}><{self._identity}>"

    # ------------------------------------------------------------------ parts

    def head(self) -> None:
        words = self.words
        self._box(0, 0, _WIDTH, 34, _GREEN)
        self._text(_MARGIN, 7, 110, 11, words["title"], size=20, bold=True, colour=_WHITE)
        self._text(_MARGIN, 19.5, 110, 7, words["service"], size=12, colour=_PALE)
        self._box(_WIDTH - _MARGIN - 32, 11, 32, 12, _WHITE, radius=3)
        self._text(_WIDTH - _MARGIN - 32, 11, 32, 12, words["paid"], size=13, bold=True, colour=_GREEN, align=Align.C)

    def facts(self, payment: Payment) -> None:
        words, at = self.words, str(payment.paid_at)
        self._text(_MARGIN, 42, 100, 5, words["total"], size=9.5, colour=_FAINT)
        amount = words["dinars"].format(grouped(payment.settled))
        self._text(_MARGIN, 47, 120, 12, amount, size=24, bold=True, colour=_GREEN)
        facts = (
            ("receipt_no", str(payment.receipt_no)),
            ("paid_at", f"{day(at)} {at[11:16]}"),
            ("count", grouped(len(payment.settled_lines))),
            ("gateway", GATEWAYS.get(payment.gateway, payment.gateway)),
        )
        for index, (name, value) in enumerate(facts):
            x, y = _MARGIN + 66 * (index % 2), 64 + 15 * (index // 2)
            self._text(x, y, 62, 5, words[name], size=9, colour=_FAINT)
            self._text(x, y + 5, 62, 7, value, size=12, bold=True, ltr=True)
        self._text(_MARGIN, 94, 128, 4.5, words["payment_id"], size=8, colour=_FAINT)
        self._text(_MARGIN, 98, 128, 5, payment.payment_id, size=8, ltr=True)

    def proof(self, check_url: str) -> None:
        left = _WIDTH - _MARGIN - _QR
        code = segno.make(check_url, error="m", boost_error=False)
        self._modules(left, 43, code)
        self._text(left, 43 + _QR + 1.5, _QR, 5, self.words["check"], size=8.5, bold=True, align=Align.C)

    def violations(self, payment: Payment) -> None:
        columns = (
            _Column("line", 0.06, Align.C),
            _Column("violation_no", 0.29, Align.L),
            _Column("plate", 0.25, Align.L),
            _Column("sector", 0.24, Align.L),
            _Column("amount", 0.16, Align.R),
        )
        height = min(_TALLEST_ROW, (_TABLE_BOTTOM - _TABLE_TOP) / (len(payment.settled_lines) + 2))
        size = min(10.5, height * 1.95)
        y = _TABLE_TOP
        self._box(_MARGIN, y, _INNER, height, _GREEN, radius=min(1.5, height / 3))
        self._row(
            y, height, size, columns, [(self.words[column.name], False) for column in columns], bold=True, white=True
        )
        for number, line in enumerate(payment.settled_lines, 1):
            y += height
            if number % 2 == 0:
                self._box(_MARGIN, y, _INNER, height, _PALE)
            self._row(y, height, size, columns, [*self._cells(number, line)])
        y += height
        self.set_draw_color(*_GREEN)
        self.set_line_width(0.5)
        self.line(_MARGIN, y, _WIDTH - _MARGIN, y)
        total = [("", False), (self.words["sum"], False), ("", False), ("", False), (grouped(payment.settled), True)]
        self._row(y, height, size + 0.5, columns, total, bold=True)

    def foot(self, check_url: str) -> None:
        self.set_draw_color(*_LINE)
        self.set_line_width(0.2)
        self.line(_MARGIN, _FOOT, _WIDTH - _MARGIN, _FOOT)
        self._text(_MARGIN, _FOOT + 2, _INNER, 5, self.words["how"], size=8.5, colour=_FAINT)
        self._text(_MARGIN, _FOOT + 7, _INNER, 5, check_url, size=8.5, bold=True, ltr=True, link=check_url)
        self._text(_MARGIN, _FOOT + 13, _INNER, 5, self.words["note"], size=8.5, colour=_FAINT)

    # ------------------------------------------------------------------ pieces

    def _cells(self, number: int, line: Line) -> Iterator[tuple[str, bool]]:
        plate = Plate.from_key(line.plate_key)
        yield grouped(number), True
        yield line.violation_no, True
        yield self._plate(plate), plate.family == UNIFIED
        place = GOVERNORATES[line.sector_governorate].name(self._language) if line.sector_governorate else ""
        yield f"{place} {line.sector_code}".strip(), False
        yield grouped(line.amount), True

    def _plate(self, plate: Plate) -> str:
        text = plate.text(self._language)
        # An Arabic letter in a line of Latin text would draw the digits after it to its other side.
        return text if self._rtl else f"{text.removesuffix(plate.number)}{_LRM}{plate.number}"

    def _row(
        self,
        y: float,
        height: float,
        size: float,
        columns: tuple[_Column, ...],
        cells: list[tuple[str, bool]],
        *,
        bold: bool = False,
        white: bool = False,
    ) -> None:
        x = _MARGIN
        for column, (text, ltr) in zip(columns, cells, strict=True):
            width = column.width * _INNER
            colour = _WHITE if white else _INK
            self._text(
                x + 2, y, width - 4, height, text, size=size, bold=bold, colour=colour, align=column.align, ltr=ltr
            )
            x += width

    def _box(
        self, x: float, y: float, width: float, height: float, colour: tuple[int, int, int], radius: float = 0
    ) -> None:
        self.set_fill_color(*colour)
        left = _WIDTH - x - width if self._rtl else x
        self.rect(left, y, width, height, style="F", round_corners=radius > 0, corner_radius=radius)

    def _text(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        text: str,
        *,
        size: float,
        bold: bool = False,
        colour: tuple[int, int, int] = _INK,
        align: Align = Align.L,
        ltr: bool = False,
        link: str = "",
    ) -> None:
        """One line of text, made smaller where it would not fit. align: L is where reading begins; R is the right side,
        under which digits stand in their places in every language. ltr: such as numbers."""
        rtl = self._rtl and not ltr
        self.set_text_shaping(True, direction="rtl" if rtl else "ltr")
        self.set_text_color(*colour)
        self.set_font("Vazirmatn", "B" if bold else "", size)
        if (needed := self.get_string_width(text)) > width:
            self.set_font_size(size * width / needed)
        if self._rtl:
            x = _WIDTH - x - width
            align = Align.R if align == Align.L else align
        self.set_xy(x, y)
        self.cell(width, height, text, align=align, link=link)

    def _modules(self, x: float, y: float, code: segno.QRCode) -> None:
        left = _WIDTH - x - _QR if self._rtl else x
        rows = [list(row) for row in code.matrix]
        side = _QR / len(rows)
        self.set_fill_color(*_INK)
        for number, row in enumerate(rows):
            for start, end in _runs(row):
                self.rect(left + start * side, y + number * side, (end - start) * side, side, style="F")


def _runs(row: list[int]) -> Iterator[tuple[int, int]]:
    """Where the dark modules of a row begin and end."""
    start = None
    for index, dark in enumerate([*row, 0]):
        if dark and start is None:
            start = index
        elif not dark and start is not None:
            yield start, index
            start = None
