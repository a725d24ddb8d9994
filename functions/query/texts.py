"""What answers say in words beside their numbers, in Arabic, Kurdish and English."""

from __future__ import annotations

from typing import Final

NOTES: Final = {
    "none": {
        "ar": "لا توجد مخالفة غير مسددة مسجلة بهذا الرقم حتى {}",
        "ckb": "تا {} هیچ غەرامەیەکی نەدراو بەم ژمارەیە تۆمار نەکراوە",
        "en": "No unpaid violation recorded under this number as of {}",
    },
}
"""By name and language."""
