"""Why an acknowledgement is refused, in words for the sector that sent it."""

from __future__ import annotations

from typing import Final

MAX_ACKNOWLEDGEMENT_BYTES: Final = 4096
"""Bytes of an acknowledgement; it holds one checksum."""

WORDS: Final = {
    "file_unknown": (
        "لا يوجد ملف تسوية بهذا الاسم. يجب أن يكون المسار كمسار ملف التسوية وينتهي بـ .json",
        "There is no such settlement file: the key must be the file's own, under settlements-ack/, with .json",
    ),
    "too_large": (
        f"إشعار الاستلام أكبر من {MAX_ACKNOWLEDGEMENT_BYTES} بايت",
        f"The acknowledgement is larger than {MAX_ACKNOWLEDGEMENT_BYTES} bytes",
    ),
    "not_json": (
        'إشعار الاستلام ليس JSON بالشكل {"sha256": "..."}',
        'The acknowledgement is not JSON such as {"sha256": "…"}',
    ),
    "checksum_missing": ("حقل sha256 مفقود أو ليس نصاً", "The field sha256 is missing or is not a text"),
    "checksum_differs": (
        "قيمة sha256 لا تطابق ملف التسوية: نزّل الملف من جديد ثم أرسل إشعار الاستلام",
        "sha256 is not the settlement file's: fetch the file again, then acknowledge it",
    ),
}
"""Why an acknowledgement is refused, in Arabic and English, by code."""
