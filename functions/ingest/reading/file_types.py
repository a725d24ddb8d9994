"""What a file is by its first bytes, whatever its name says."""

from __future__ import annotations

from typing import Final

from ingest.errors import FileError

GZIP: Final = "gzip"
ZIP: Final = "zip"
TEXT: Final = "text"

_GZIP: Final = b"\x1f\x8b"
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
# Published signatures: each names a type that is refused, with words that say how to save it instead.
_REFUSED: Final = {
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "file_is_xls",
    b"%PDF": "file_is_pdf",
    b"\x89PNG": "file_is_image",
    b"\xff\xd8\xff": "file_is_image",
    b"GIF8": "file_is_image",
    b"II*\0": "file_is_image",
    b"MM\0*": "file_is_image",
    b"Rar!": "file_is_archive",
    b"7z\xbc\xaf\x27\x1c": "file_is_archive",
    b"BZh": "file_is_archive",
    b"\xfd7zXZ": "file_is_archive",
    b"\x28\xb5\x2f\xfd": "file_is_archive",
}
_BEFORE_MARKUP: Final = b"\xef\xbb\xbf \t\r\n"


def file_type(head: bytes) -> str:
    """Tell a file's type: GZIP, ZIP (Excel's files are too) or TEXT. Raises FileError for one that is not taken."""
    for signature, code in _REFUSED.items():
        if head.startswith(signature):
            raise FileError(code)
    if head.lstrip(_BEFORE_MARKUP).startswith(b"<"):
        raise FileError("file_is_markup")
    if head.startswith(_GZIP):
        return GZIP
    return ZIP if head.startswith(_ZIP) else TEXT
