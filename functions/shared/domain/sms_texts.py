"""The texts of every SMS, in Arabic, Kurdish and English.

Each names the service and the end of the plate. None holds a link, asks for money or threatens: that is how a person
tells them from a fraud. At their longest values they fit two parts (tests hold that).
"""

from __future__ import annotations

from typing import Final

VERSION: Final = 2
"""Kept on each message: which edition of the texts it was written from."""

TEXTS: Final = {
    "query_result": {
        "ar": (
            "غرامة: لوحة تنتهي بـ{plate_tail}\n"
            "مخالفات غير مسددة: {count}\n"
            "المجموع: {total} دينار\n"
            "أقرب زيادة: {date}\n"
            "التفاصيل: بوابة أور"
        ),
        "ckb": (
            "غەرامە: تابلۆی بە کۆتایی {plate_tail}\n"
            "غەرامەی نەدراو: {count}\n"
            "کۆی گشتی: {total} دینار\n"
            "نزیکترین زیادبوون: {date}\n"
            "وردەکاری: دەروازەی ئور"
        ),
        "en": (
            "Gharama: plate ending {plate_tail}\n"
            "Unpaid: {count}\n"
            "Total: {total} IQD\n"
            "Next increase: {date}\n"
            "Details: Ur portal"
        ),
    },
    "query_result_no_increase": {
        "ar": (
            "غرامة: لوحة تنتهي بـ{plate_tail}\n"
            "مخالفات غير مسددة: {count}\n"
            "المجموع: {total} دينار\n"
            "لا زيادة أخرى\n"
            "التفاصيل: بوابة أور"
        ),
        "ckb": (
            "غەرامە: تابلۆی بە کۆتایی {plate_tail}\n"
            "غەرامەی نەدراو: {count}\n"
            "کۆی گشتی: {total} دینار\n"
            "زیادبوونی تر نییە\n"
            "وردەکاری: دەروازەی ئور"
        ),
        "en": (
            "Gharama: plate ending {plate_tail}\n"
            "Unpaid: {count}\n"
            "Total: {total} IQD\n"
            "No further increase\n"
            "Details: Ur portal"
        ),
    },
    "query_result_none": {
        "ar": (
            "غرامة: لوحة تنتهي بـ{plate_tail}\n"
            "لا توجد مخالفة غير مسددة مسجلة بهذا الرقم حتى {as_of}\n"
            "التفاصيل: بوابة أور"
        ),
        "ckb": (
            "غەرامە: تابلۆی بە کۆتایی {plate_tail}\n"
            "تا {as_of} هیچ غەرامەیەکی نەدراو بەم ژمارەیە تۆمار نەکراوە\n"
            "وردەکاری: دەروازەی ئور"
        ),
        "en": (
            "Gharama: plate ending {plate_tail}\n"
            "No unpaid violation recorded under this number as of {as_of}\n"
            "Details: Ur portal"
        ),
    },
    "new_violation": {
        "ar": (
            "غرامة: مخالفة جديدة، لوحة تنتهي بـ{plate_tail}\n"
            "بتاريخ {occurred}\n"
            "المبلغ: {amount} دينار\n"
            "يصبح {next_amount} من {date}\n"
            "التفاصيل: بوابة أور"
        ),
        "ckb": (
            "غەرامە: سەرپێچیی نوێ، تابلۆی بە کۆتایی {plate_tail}\n"
            "بەروار: {occurred}\n"
            "بڕ: {amount} دینار\n"
            "لە {date}: {next_amount}\n"
            "وردەکاری: دەروازەی ئور"
        ),
        "en": (
            "Gharama: new violation, plate ending {plate_tail}\n"
            "Date: {occurred}\n"
            "Amount: {amount} IQD\n"
            "Becomes {next_amount} on {date}\n"
            "Details: Ur portal"
        ),
    },
    "new_violation_no_increase": {
        "ar": (
            "غرامة: مخالفة جديدة، لوحة تنتهي بـ{plate_tail}\n"
            "بتاريخ {occurred}\n"
            "المبلغ: {amount} دينار\n"
            "التفاصيل: بوابة أور"
        ),
        "ckb": (
            "غەرامە: سەرپێچیی نوێ، تابلۆی بە کۆتایی {plate_tail}\n"
            "بەروار: {occurred}\n"
            "بڕ: {amount} دینار\n"
            "وردەکاری: دەروازەی ئور"
        ),
        "en": (
            "Gharama: new violation, plate ending {plate_tail}\n"
            "Date: {occurred}\n"
            "Amount: {amount} IQD\n"
            "Details: Ur portal"
        ),
    },
    "new_violations": {
        "ar": (
            "غرامة: مخالفات جديدة، لوحة تنتهي بـ{plate_tail}\n"
            "العدد: {count}\n"
            "المجموع: {total} دينار\n"
            "أقرب زيادة: {date}\n"
            "التفاصيل: بوابة أور"
        ),
        "ckb": (
            "غەرامە: سەرپێچیی نوێ، تابلۆی بە کۆتایی {plate_tail}\n"
            "ژمارە: {count}\n"
            "کۆ: {total} دینار\n"
            "نزیکترین زیادبوون: {date}\n"
            "وردەکاری: دەروازەی ئور"
        ),
        "en": (
            "Gharama: new violations, plate ending {plate_tail}\n"
            "Number: {count}\n"
            "Total: {total} IQD\n"
            "Next increase: {date}\n"
            "Details: Ur portal"
        ),
    },
    "new_violations_no_increase": {
        "ar": (
            "غرامة: مخالفات جديدة، لوحة تنتهي بـ{plate_tail}\n"
            "العدد: {count}\n"
            "المجموع: {total} دينار\n"
            "التفاصيل: بوابة أور"
        ),
        "ckb": (
            "غەرامە: سەرپێچیی نوێ، تابلۆی بە کۆتایی {plate_tail}\n"
            "ژمارە: {count}\n"
            "کۆ: {total} دینار\n"
            "وردەکاری: دەروازەی ئور"
        ),
        "en": (
            "Gharama: new violations, plate ending {plate_tail}\n"
            "Number: {count}\n"
            "Total: {total} IQD\n"
            "Details: Ur portal"
        ),
    },
    "doubling_soon": {
        "ar": (
            "غرامة: تذكير، لوحة تنتهي بـ{plate_tail}\n"
            "مخالفات: {count}\n"
            "الآن: {total} دينار\n"
            "يصبح {next_total} من {date}\n"
            "التفاصيل: بوابة أور"
        ),
        "ckb": (
            "غەرامە: بیرخستنەوە، تابلۆی بە کۆتایی {plate_tail}\n"
            "سەرپێچی: {count}\n"
            "ئێستا: {total} دینار\n"
            "لە {date}: {next_total}\n"
            "وردەکاری: دەروازەی ئور"
        ),
        "en": (
            "Gharama: reminder, plate ending {plate_tail}\n"
            "Violations: {count}\n"
            "Now: {total} IQD\n"
            "Becomes {next_total} on {date}\n"
            "Details: Ur portal"
        ),
    },
    "cancelled": {
        "ar": (
            "غرامة: إلغاء مخالفات، لوحة تنتهي بـ{plate_tail}\n"
            "العدد: {count}\n"
            "تاريخ أقدمها: {occurred}\n"
            "لا مبلغ عليها\n"
            "التفاصيل: بوابة أور"
        ),
        "ckb": (
            "غەرامە: هەڵوەشاندنەوەی سەرپێچی، تابلۆی بە کۆتایی {plate_tail}\n"
            "ژمارە: {count}\n"
            "کۆنترین: {occurred}\n"
            "هیچ پارەیەکی لەسەر نییە\n"
            "وردەکاری: دەروازەی ئور"
        ),
        "en": (
            "Gharama: violations cancelled, plate ending {plate_tail}\n"
            "Number: {count}\n"
            "Oldest dated: {occurred}\n"
            "Nothing is due for them\n"
            "Details: Ur portal"
        ),
    },
    "receipt": {
        "ar": (
            "غرامة: تم تسديد {total} دينار يوم {date}\nالمخالفات: {count}\nرقم الوصل: {receipt_no}\nالتفاصيل: بوابة أور"
        ),
        "ckb": (
            "غەرامە: {total} دینار وەرگیرا لە {date}\n"
            "سەرپێچی: {count}\n"
            "ژمارەی پسوولە: {receipt_no}\n"
            "وردەکاری: دەروازەی ئور"
        ),
        "en": (
            "Gharama: {total} IQD paid on {date}\nViolations: {count}\nReceipt no.: {receipt_no}\nDetails: Ur portal"
        ),
    },
    "refund": {
        "ar": ("غرامة: يعاد إليكم مبلغ {total} دينار\nرقم الدفعة: {receipt_no}\nالتفاصيل: بوابة أور"),
        "ckb": ("غەرامە: {total} دینار دەگەڕێتەوە بۆ ئێوە\nژمارەی پارەدان: {receipt_no}\nوردەکاری: دەروازەی ئور"),
        "en": ("Gharama: {total} IQD will be returned to you\nPayment no.: {receipt_no}\nDetails: Ur portal"),
    },
    "follower_added": {
        "ar": (
            "غرامة: لوحة تنتهي بـ{plate_tail} يتابعها حساب آخر منذ {date}\n"
            "إن لم توافق فأوقف المتابعة\n"
            "التفاصيل: بوابة أور"
        ),
        "ckb": (
            "غەرامە: تابلۆی بە کۆتایی {plate_tail}، هەژمارێکی تر لە {date} بەدواداچوونی دەکات\n"
            "ئەگەر ڕازی نیت بیوەستێنە\n"
            "وردەکاری: دەروازەی ئور"
        ),
        "en": (
            "Gharama: plate ending {plate_tail} is followed by another account since {date}\n"
            "If you do not agree, stop it\n"
            "Details: Ur portal"
        ),
    },
}
