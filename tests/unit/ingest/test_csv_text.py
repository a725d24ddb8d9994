"""Kinds and encodings of files: what is taken, as what text, and for what the others are refused."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator

import pytest

from ingest.chunking import Scan, scan
from ingest.errors import FileError
from ingest.format.columns import VIOLATION_COLUMNS
from ingest.reading import unpacking
from ingest.reading.csv_text import as_csv_text
from ingest.reporting.texts import message
from tests.support.feeds import GOOD, NAMES, SOURCE, blocks, csv_text, good_rows

ARABIC_HEADER = tuple(column.arabic[0] for column in VIOLATION_COLUMNS)
CSV = csv_text(*good_rows(9))


def read(content: bytes, declared: str = "utf-8", size: int = 1000) -> tuple[bytes, Scan]:
    """The text that a file becomes, and what its scan finds in it."""
    kept: dict[int, bytes] = {}
    with as_csv_text(blocks(content, size), len(content), declared) as text:
        given: list[bytes] = []

        def noted() -> Iterator[bytes]:
            for block in text.blocks:
                given.append(block)
                yield block

        keep = kept.__setitem__ if text.rewritten else None
        found = scan(noted(), SOURCE, unproven=text.unproven, keep=keep)
    if text.rewritten:
        assert b"".join(kept.values()) == b"".join(given).partition(b"\n")[2]
        assert all((chunk.start, chunk.end) == (0, len(kept[chunk.number])) for chunk in found.chunks)
    else:
        assert not kept
    return b"".join(given), found


def refusal(content: bytes, declared: str = "utf-8") -> FileError:
    with pytest.raises(FileError) as caught:
        read(content, declared)
    said = message(caught.value.code, caught.value.column, caught.value.value)
    assert said.ar != said.en
    return caught.value


# ---------------------------------------------------------------------- encodings


@pytest.mark.parametrize("declared", ["utf-8", "UTF8", " Utf-8 "])
def test_utf8_is_read_where_it_lies(declared: str) -> None:
    assert read(CSV, declared)[0] == CSV


@pytest.mark.parametrize("declared", ["windows-1256", "Windows-1256", "cp1256"])
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_windows_1256_becomes_utf8(declared: str, size: int) -> None:
    text, found = read(CSV.decode().encode("cp1256"), declared, size)
    assert text == CSV
    assert (found.rows, found.chunks[0].line) == (9, 2)


@pytest.mark.parametrize("declared", ["utf-8", "windows-1256", "klingon"])
@pytest.mark.parametrize(("encoding", "mark"), [("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff")])
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_byte_order_mark_decides(encoding: str, mark: bytes, declared: str, size: int) -> None:
    text, found = read(mark + CSV.decode().encode(encoding), declared, size)
    assert text == b"\xef\xbb\xbf" + CSV
    assert found.layout.columns == NAMES


def test_utf8_with_a_mark_is_utf8_whatever_was_declared() -> None:
    assert read(b"\xef\xbb\xbf" + CSV, "windows-1256")[1].rows == 9


@pytest.mark.parametrize("declared", ["iso-8859-6", "utf-16", "utf-7", "klingon", "", "x" * 99])
def test_any_other_encoding_is_refused_by_name(declared: str) -> None:
    error = refusal(CSV, declared)
    assert (error.code, error.value) == ("encoding_unknown", declared[:40])


def test_bytes_that_are_no_utf16_are_refused() -> None:
    assert refusal(b"\xff\xfe" + CSV.decode().encode("utf-16-le") + b"\x00\xd8\x41\x00").code == "not_utf16"
    assert refusal(b"\xff\xfe" + CSV.decode().encode("utf-16-le") + b"x").code == "not_utf16"


def misread(written: str, read_as: str, header: tuple[str, ...] = NAMES) -> str:
    """A file that was written in one encoding and read in another."""
    return csv_text(*good_rows(9), header=header).decode().encode(written, "replace").decode(read_as, "replace")


@pytest.mark.parametrize("header", [NAMES, ARABIC_HEADER])
@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("utf-8", "cp1256"),
        ("utf-8", "cp1252"),
        ("utf-8", "latin-1"),
        ("cp1256", "iso8859-6"),
        ("iso8859-6", "cp1256"),
        ("cp1256", "latin-1"),
        ("cp1256", "cp1252"),
    ],
)
def test_a_text_that_was_misread_on_its_way_is_refused(written: str, read_as: str, header: tuple[str, ...]) -> None:
    assert refusal(misread(written, read_as, header).encode()).code == "encoding_wrong"


@pytest.mark.parametrize("header", [NAMES, ARABIC_HEADER])
def test_a_wrong_declaration_is_caught(header: tuple[str, ...]) -> None:
    text = csv_text(*good_rows(9), header=header).decode()
    assert refusal(text.encode(), "windows-1256").code == "encoding_wrong"
    assert refusal(text.encode("iso8859-6", "replace"), "windows-1256").code == "encoding_wrong"
    assert refusal(text.encode("cp1256")).code == "not_utf8"


def test_a_code_page_that_nothing_proves_is_refused() -> None:
    """Governorates by code, families in English: ه could as well be م, and the plate another's."""
    bare = {**GOOD, "plate_governorate": "11", "plate_category": "أجرة", "status": "", "plate_letter": "ه"}
    rows = [{**bare, "violation_no": f"N-{index}"} for index in range(9)]
    content = csv_text(*rows).decode().encode("cp1256")
    assert refusal(content, "windows-1256").code == "encoding_unproven"
    assert read(csv_text(*rows))[1].rows == 9
    assert read(csv_text(*rows, header=ARABIC_HEADER).decode().encode("cp1256"), "windows-1256")[1].rows == 9
    latin = [{**row, "plate_letter": "A", "plate_family": "UN", "plate_category": ""} for row in rows]
    for row in latin:
        row.update(plate_family="unified", violation_title="", legal_ref="", sector_name="", place="")
        row.update(occurred_at="2026-10-18")
    assert read(csv_text(*latin), "windows-1256")[1].rows == 9


def test_names_that_are_none_are_refused() -> None:
    rows = [{**GOOD, "plate_governorate": "ББ", "violation_no": f"N-{index}"} for index in range(9)]
    assert refusal(csv_text(*rows)).code == "governorates_unreadable"


@pytest.mark.parametrize("sign", ["?", "\ufffd"])
@pytest.mark.parametrize("column", ["plate_letter", "plate_number", "plate_governorate"])
def test_letters_lost_in_many_plates_refuse_the_file_and_in_one_the_row(sign: str, column: str) -> None:
    bad = {**GOOD, column: sign}
    assert read(csv_text(*good_rows(99), bad))[1].rows == 100
    assert refusal(csv_text(*good_rows(98), bad, bad)).code == "characters_lost"


def test_a_few_misread_rows_do_not_refuse_the_file() -> None:
    bad = {**GOOD, "plate_governorate": "بغداد".encode().decode("cp1256")}
    assert read(csv_text(*good_rows(99), bad))[1].rows == 100


# ---------------------------------------------------------------------- gzip


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_gzip_is_unpacked(size: int) -> None:
    assert read(gzip.compress(CSV), size=size)[0] == CSV


def test_members_of_gzip_follow_one_another_and_may_be_padded() -> None:
    middle = len(CSV) // 2
    packed = gzip.compress(CSV[:middle]) + gzip.compress(CSV[middle:])
    assert read(packed)[0] == CSV
    assert read(packed + bytes(600))[0] == CSV


def test_what_gzip_holds_has_an_encoding_too() -> None:
    assert read(gzip.compress(CSV.decode().encode("cp1256")), "windows-1256")[0] == CSV
    assert read(gzip.compress(CSV.decode().encode("utf-16")))[1].rows == 9


def test_gzip_that_ends_early_or_is_damaged() -> None:
    packed = gzip.compress(csv_text(*good_rows(2000)))
    for length in (len(packed) - 1, len(packed) - 8, len(packed) // 2, 30, 5, 2):
        assert refusal(packed[:length]).code == "gzip_truncated"
    wrong_sum = bytearray(packed)
    wrong_sum[-6] ^= 1
    assert refusal(bytes(wrong_sum)).code == "gzip_damaged"
    assert refusal(packed + b"garbage").code == "gzip_damaged"


def test_a_gzip_bomb_is_stopped_soon() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    line = csv_text(*good_rows(1)).partition(b"\n")[2]
    bomb = packer.compress(CSV) + b"".join(packer.compress(line * 4000) for _ in range(100)) + packer.flush()
    assert len(bomb) < 500_000
    assert refusal(bomb).code == "gzip_bomb"


def test_gzip_unpacks_to_no_more_than_a_plain_file_may_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "MAX_FILE_BYTES", 10 * len(CSV))
    assert refusal(gzip.compress(csv_text(*good_rows(200)))).code == "file_too_large"


def test_a_plain_file_has_a_bound() -> None:
    with pytest.raises(FileError, match="file_too_large"), as_csv_text(blocks(CSV), 5 * 1024**3 + 1, "utf-8"):
        pass


# ---------------------------------------------------------------------- other kinds


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "file_is_image"),
        (b"\xff\xd8\xff\xe0" + bytes(50), "file_is_image"),
        (b"GIF89a" + bytes(50), "file_is_image"),
        (b"%PDF-1.7\n", "file_is_pdf"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(50), "file_is_xls"),
        (b"Rar!\x1a\x07\x01\x00", "file_is_archive"),
        (b"7z\xbc\xaf\x27\x1c\x00", "file_is_archive"),
        (b"BZh91AY", "file_is_archive"),
        (b"\xfd7zXZ\x00", "file_is_archive"),
        (b"(\xb5/\xfd", "file_is_archive"),
        (gzip.compress(gzip.compress(CSV, mtime=0), mtime=0), "file_is_archive"),
        (gzip.compress(b"%PDF-1.7\n", mtime=0), "file_is_pdf"),
        (b"<html><table>", "file_is_markup"),
        (b"\xef\xbb\xbf\r\n <?xml version='1.0'?>", "file_is_markup"),
        (b"\x7fELF\x02\x01\x01" + bytes(50), "nul_byte"),
        (CSV.decode().encode("utf-16-le"), "nul_byte"),
        (b"PK\x03\x04" + bytes(50), "excel_damaged"),
    ],
)
def test_what_is_no_text_says_how_to_save_it(content: bytes, code: str) -> None:
    assert refusal(content).code == code


def test_a_nul_byte_is_found_on_its_line() -> None:
    assert (refusal(CSV + b"a\0b\n").code, refusal(CSV + b"a\0b\n").line) == ("nul_byte", 11)
