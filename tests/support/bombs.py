"""Workbooks that ask for far more memory or time than their size says, written piece by piece into a file."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import IO, Final
from zipfile import ZIP_DEFLATED, ZipFile

from tests.support.workbooks import MAIN, OFFICE, WORKSHEET

BOOK: Final = "xl/workbook.xml"
RELATIONS: Final = "xl/_rels/workbook.xml.rels"
STYLES: Final = "xl/styles.xml"
SHEET: Final = "xl/worksheets/s.xml"
TEXTS: Final = "xl/sharedStrings.xml"

_STEP: Final = 4096
_RELATION: Final = '<Relationship Id="r%d" Type="' + WORKSHEET + '" Target="worksheets/s.xml"/>'
_WORDS: Final = (
    f'<worksheet xmlns="{MAIN}"><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>violation_no</t></is></c></row>'
)
_PARTS: Final[Mapping[str, Iterable[str]]] = {
    BOOK: [f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets><sheet name="a" r:id="r1"/></sheets></workbook>'],
    RELATIONS: [f"<Relationships>{_RELATION % 1}</Relationships>"],
    SHEET: [f"{_WORDS}</sheetData></worksheet>"],
}


def repeated(before: str, unit: str, times: int, after: str) -> Iterator[str]:
    """A part that says the same again and again."""
    yield before
    for _ in range(times // _STEP):
        yield unit * _STEP
    yield unit * (times % _STEP) + after


def counted(before: str, unit: str, times: int, after: str) -> Iterator[str]:
    """A part that says the same again and again, each time with its number at every ``%d``."""
    yield before
    signs = unit.count("%d")
    for start in range(1, times + 1, _STEP):
        yield "".join(unit % ((at,) * signs) for at in range(start, min(start + _STEP, times + 1)))
    yield after


def _sheet(parts: Iterable[str]) -> dict[str, Iterable[str]]:
    return {SHEET: parts}


_FORMAT: Final = '<numFmt numFmtId="200" formatCode="&quot;' + "a" * 240 + '&quot;0"/>'
_STYLES_OF_ONE_FORMAT: Final = f"<styleSheet><numFmts>{_FORMAT}</numFmts><cellXfs>"

BOMBS: Final[Mapping[str, Callable[[], Mapping[str, Iterable[str]]]]] = {
    "entities in entities": lambda: {
        TEXTS: ['<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><sst><si><t>&b;</t></si></sst>']
    },
    "elements in one another, of a sheet": lambda: _sheet(repeated("<worksheet>", "<a>", 20_000_000, "")),
    "elements in one another, of styles": lambda: {STYLES: repeated("<styleSheet>", "<a>", 20_000_000, "")},
    "elements in one another, of texts": lambda: {TEXTS: repeated("<sst>", "<si>", 15_000_000, "")},
    "styles": lambda: {STYLES: repeated("<styleSheet><cellXfs>", "<xf/>", 12_000_000, "</cellXfs></styleSheet>")},
    "fonts": lambda: {STYLES: repeated("<styleSheet><fonts>", "<font/>", 4_000_000, "</fonts></styleSheet>")},
    "formats": lambda: {
        STYLES: counted(
            "<styleSheet><numFmts>", '<numFmt numFmtId="%d" formatCode="00%d"/>', 1_200_000, "</numFmts></styleSheet>"
        )
    },
    "styles of a long format": lambda: {
        STYLES: repeated(_STYLES_OF_ONE_FORMAT, '<xf numFmtId="200"/>', 200_000, "</cellXfs></styleSheet>")
    },
    "sheets": lambda: {
        BOOK: repeated('<workbook xmlns:r="r"><sheets>', '<sheet r:id="r1"/>', 3_400_000, "</sheets></workbook>")
    },
    "relationships": lambda: {RELATIONS: counted("<Relationships>", _RELATION, 600_000, "</Relationships>")},
    "attributes": lambda: _sheet(counted("<worksheet><x ", 'a%d="" ', 90_000, "/></worksheet>")),
    "a long attribute": lambda: _sheet(repeated('<worksheet a="', "x", 40_000_000, '"/>')),
    "names": lambda: _sheet(counted("<worksheet>", "<a%d/>", 300_000, "</worksheet>")),
    "far columns": lambda: _sheet(
        counted(
            "<worksheet><sheetData>", '<row r="%d"><c r="XFD%d"><v>1</v></c></row>', 200_000, "</sheetData></worksheet>"
        )
    ),
    "rows as wide as the first": lambda: _sheet(
        counted(
            '<worksheet><sheetData><row><c r="XFD1"><v>1</v></c></row>',
            "<row><c><v>%d</v></c></row>",
            200_000,
            "</sheetData></worksheet>",
        )
    ),
    "texts": lambda: {TEXTS: repeated("<sst>", "<si/>", 12_000_000, "</sst>")},
    "elements of no meaning": lambda: _sheet(repeated("<worksheet>", "<a/>", 15_000_000, "</worksheet>")),
    "one long text in every cell": lambda: {
        TEXTS: repeated("<sst><si><t>", "x", 32_000, "</t></si></sst>"),
        SHEET: repeated(
            "<worksheet><sheetData>", '<row><c t="s"><v>0</v></c></row>', 400_000, "</sheetData></worksheet>"
        ),
    },
}
"""By what they have too much of, the parts of each."""


def write(file: IO[bytes], parts: Mapping[str, Iterable[str]]) -> None:
    """Write a workbook of one sheet and these parts."""
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        for name, pieces in {**_PARTS, **parts}.items():
            with archive.open(name, "w", force_zip64=True) as part:
                for piece in pieces:
                    part.write(piece.encode())


def write_entries(file: IO[bytes], entries: int) -> None:
    """Write an archive whose table lists so many empty entries."""
    header = struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 0, 0, 33, 0, 0, 0, 6, 0)
    table = bytearray()
    for number in range(entries):
        name = f"{number:06d}".encode()
        fields = (b"PK\1\2", 20, 20, 0, 0, 0, 33, 0, 0, 0, 6, 0, 0, 0, 0, 0, file.tell())
        table += struct.pack("<4s6H3I5H2I", *fields) + name
        file.write(header + name)
    at = file.tell()
    file.write(table)
    file.write(struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, entries & 0xFFFF, entries & 0xFFFF, len(table), at, 0))
