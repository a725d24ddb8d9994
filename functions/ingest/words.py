"""The words for what can be wrong with a file or a row, by code, in Arabic and English. Plates' are the API's own."""

from __future__ import annotations

from typing import Final, NamedTuple

from ingest.layout import ARABIC
from shared.words import PROBLEMS


class Words(NamedTuple):
    ar: str
    en: str


FILE_ERRORS: Final = {
    "object_missing": Words("حُذف الملف قبل أن يُقرأ", "The file was deleted before it was read"),
    "file_empty": Words("الملف فارغ", "The file is empty"),
    "no_rows": Words("في الملف سطر العناوين فقط", "The file holds a header and no rows"),
    "not_text": Words("ليس ملفاً نصياً؛ احفظه بصيغة CSV UTF-8", "This is not a text file: save it as CSV UTF-8"),
    "not_utf8": Words("ترميز الملف ليس UTF-8؛ احفظه بصيغة CSV UTF-8", "The file is not in UTF-8: save it as CSV UTF-8"),
    "encoding_unknown": Words(
        "الترميز المعلن للملف غير مدعوم؛ استعمل utf-8", "The encoding declared for the file is not supported: use utf-8"
    ),
    "header_missing": Words("لا توجد أسماء أعمدة في السطر الأول", "The first line holds no column names"),
    "columns_too_many": Words("عدد الأعمدة أكبر من المسموح", "The file has too many columns"),
    "column_missing": Words("عمود مطلوب غير موجود", "A required column is missing"),
    "column_twice": Words("العمود مكرر", "The column stands twice"),
    "record_too_long": Words("سطر أو حقل أطول من المسموح", "A line or field is longer than allowed"),
    "quote_unclosed": Words("علامة اقتباس لم تُغلق", "A quotation mark is never closed"),
    "too_many_bad_rows": Words(
        "أكثر من خُمس السجلات الأولى غير صحيح، فلم يُحمَّل شيء",
        "More than a fifth of the first rows are wrong, so nothing was loaded",
    ),
    "counts_differ": Words(
        "مجموع السجلات لا يطابق عددها في الملف؛ راجع المشغّل",
        "The counts do not add up to the rows of the file: ask the operator",
    ),
}

ROW_ERRORS: Final = {
    "missing": Words("الحقل مطلوب", "The field is required"),
    "cells_missing": Words("خلايا السطر أقل من الأعمدة", "The row has fewer cells than columns"),
    "cells_too_many": Words("خلايا السطر أكثر من الأعمدة", "The row has more cells than columns"),
    "character_forbidden": Words("في الحقل رمز غير مقبول", "The field holds a control character"),
    "text_too_long": Words("النص أطول من 200 حرف", "The text is longer than 200 characters"),
    "violation_no_malformed": Words(
        "رقم المخالفة يتكون من 1 إلى 32 حرفاً أو رقماً أو / أو -",
        "The violation's number must be 1 to 32 letters, digits, / or -",
    ),
    "code_too_long": Words("الرمز أطول من 16 حرفاً", "The code is longer than 16 characters"),
    "status_unknown": Words("الحالة غير معروفة", "The status is unknown"),
    "amount_e_notation": Words(
        "المبلغ مكتوب بالصيغة العلمية؛ اجعل تنسيق العمود رقماً",
        "The amount is in E-notation: format the column as a plain number",
    ),
    "amount_fraction": Words("المبلغ يجب أن يكون ديناراً صحيحاً بلا كسور", "The amount must be whole dinars"),
    "amount_negative": Words("المبلغ لا يكون سالباً", "The amount cannot be negative"),
    "amount_out_of_range": Words("المبلغ خارج الحدود المقبولة", "The amount is out of range"),
    "amount_unreadable": Words("تعذرت قراءة المبلغ", "The amount cannot be read"),
    "date_unreadable": Words(
        "تعذرت قراءة التاريخ؛ اكتبه مثل 2026-11-23 أو 23/11/2026",
        "The date cannot be read: write it as 2026-11-23 or 23/11/2026",
    ),
    "date_not_in_calendar": Words("لا يوجد هذا التاريخ أو الوقت", "There is no such date or time"),
    "date_out_of_range": Words("التاريخ خارج الحدود المقبولة", "The date is out of range"),
    "updated_at_ahead": Words("تاريخ التحديث في المستقبل", "The update's date lies in the future"),
}

WARNINGS: Final = {
    "column_unknown": Words("عمود غير معروف، أُهمل", "An unknown column was ignored"),
    "recorded_at_defaulted": Words(
        "تاريخ التسجيل غير مذكور، فاعتُمد تاريخ المخالفة", "No recording date: the violation's date was taken"
    ),
    "category_other": Words("صنف غير معروف، سُجل «أخرى»", 'An unknown category was taken as "other"'),
}


def words(code: str) -> Words:
    """The words of a code of a file, a row, a plate or a warning."""
    for table in (ROW_ERRORS, FILE_ERRORS, WARNINGS):
        if code in table:
            return table[code]
    plate = PROBLEMS[code]
    return Words(plate["ar"], plate["en"])


def message(code: str, column: str | None) -> Words:
    """The words of a code with the name of the column that it is about."""
    found = words(code)
    if not column:
        return found
    return Words(f"{ARABIC.get(column, column)}: {found.ar}", f"{column}: {found.en}")
