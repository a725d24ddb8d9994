"""Excel workbooks for the tests, written part by part so that each can be wrong in its own way."""

from __future__ import annotations

import io
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr
from zipfile import ZIP_DEFLATED, ZipFile

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
WORKSHEET = f"{OFFICE}/worksheet"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_TYPES = (
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/first.xml" ContentType="{_KIND}.worksheet+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_KIND}.styles+xml"/>'
    f'<Override PartName="/xl/sharedStrings.xml" ContentType="{_KIND}.sharedStrings+xml"/>'
)


class Number(NamedTuple):
    """A numeric cell as it stands in the sheet. style: the position of its number format in `formats`."""

    text: str
    style: int = 0


class Formula(NamedTuple):
    text: str


class Styled(NamedTuple):
    """A text in its place. style: as that of a number."""

    text: str
    style: int


Cell = str | Number | Formula | Styled


def column(position: int) -> str:
    name = ""
    position += 1
    while position:
        position, letter = divmod(position - 1, 26)
        name = chr(ord("A") + letter) + name
    return name


def xlsx(
    rows: Iterable[Sequence[Cell]],
    *,
    formats: Sequence[str] = (),
    merged: Sequence[str] = (),
    hidden: Container[int] = (),
    since_1904: bool = False,
    parts: Mapping[str, str] | None = None,
) -> bytes:
    """A workbook of one sheet. formats: custom number formats, 1 and on. hidden: rows. parts: to write otherwise."""
    texts: dict[str, int] = {}
    body = []
    for number, cells in enumerate(rows, start=1):
        body.append(f'<row r="{number}" hidden="1">' if number in hidden else f'<row r="{number}">')
        for position, cell in enumerate(cells):
            place = f'r="{column(position)}{number}"'
            if isinstance(cell, Number):
                body.append(f'<c {place} s="{cell.style}"><v>{cell.text}</v></c>')
            elif isinstance(cell, Styled):
                inline = f"<is><t>{escape(cell.text)}</t></is>"
                body.append(f'<c {place} s="{cell.style}" t="inlineStr">{inline}</c>')
            elif isinstance(cell, Formula):
                body.append(f"<c {place}><f>{cell.text}</f><v>1</v></c>")
            elif cell:
                body.append(f'<c {place} t="s"><v>{texts.setdefault(cell, len(texts))}</v></c>')
        body.append("</row>")
    custom = "".join(f'<numFmt numFmtId="{164 + at}" formatCode={quoteattr(code)}/>' for at, code in enumerate(formats))
    styles = "".join(f'<xf numFmtId="{164 + at}"/>' for at in range(len(formats)))
    merges = "".join(f'<mergeCell ref="{cells}"/>' for cells in merged)
    written = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types">{_TYPES}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="a" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><workbookPr date1904="{int(since_1904)}"/>'
        '<sheets><sheet name="1" sheetId="1" r:id="a"/><sheet name="2" sheetId="2" r:id="b"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="b" Type="{WORKSHEET}" Target="other.xml"/>'
        f'<Relationship Id="a" Type="{WORKSHEET}" Target="worksheets/first.xml"/>'
        f'<Relationship Id="c" Type="{OFFICE}/styles" Target="styles.xml"/>'
        f'<Relationship Id="d" Type="{OFFICE}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><numFmts>{custom}</numFmts><cellStyleXfs><xf numFmtId="14"/>'
        f'</cellStyleXfs><cellXfs><xf numFmtId="0"/>{styles}</cellXfs></styleSheet>',
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">'
        + "".join(f"<si><t>{escape(text)}</t></si>" for text in texts)
        + "</sst>",
        "xl/worksheets/first.xml": f'<worksheet xmlns="{MAIN}"><sheetData>{"".join(body)}</sheetData>'
        + (f"<mergeCells>{merges}</mergeCells>" if merges else "")
        + "</worksheet>",
        **(parts or {}),
    }
    return zipped(written)


def zipped(parts: Mapping[str, str | bytes], *, misplaced: int | None = None, shifted: int = 0) -> bytes:
    """An archive. misplaced: where its table says that every part begins. shifted: how far its end is off the table."""
    out = io.BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name, content)
        if misplaced is not None:
            for part in file.infolist():
                part.header_offset = misplaced
    content = bytearray(out.getvalue())
    place = content.index(b"PK\5\6") + 16
    offset = int.from_bytes(content[place : place + 4], "little")
    content[place : place + 4] = (offset + shifted).to_bytes(4, "little")
    return bytes(content)
