"""The words for what can be wrong with a file or a row, by code, in Arabic and English. Plates' are the API's own."""

from __future__ import annotations

from typing import Final

from ingest.format.columns import ARABIC
from ingest.reporting.warning_texts import WARNINGS, Words
from shared.domain.file import MAX_KEY_BYTES
from shared.problem_texts import PROBLEMS

ONLY_CHECKED: Final = Words(
    "هذا فحص فقط: لم يُحمَّل شيء ولم يُبلَّغ أحد", "This was only a check: nothing was loaded, and nobody was told"
)

FILE_ERRORS: Final = {
    "object_missing": Words("حُذف الملف قبل أن يُقرأ", "The file was deleted before it was read"),
    "key_too_long": Words(
        f"اسم الملف مع مجلداته أطول من {MAX_KEY_BYTES} بايت (الحرف العربي بايتان)؛ اختصره وارفعه ثانية. طوله",
        f"The file's name with its folders is over {MAX_KEY_BYTES} bytes (an Arabic letter is two): "
        "shorten it and upload again. Bytes",
    ),
    "folder_unknown": Words(
        "لا يُقرأ ملف في هذا المجلد؛ ضعه في live أو backlog أو registry، وللفحص داخل check",
        "No file is read in this folder: put it into live, backlog or registry, to be checked within check",
    ),
    "file_empty": Words("الملف فارغ", "The file is empty"),
    "no_rows": Words("في الملف سطر العناوين فقط", "The file holds a header and no rows"),
    "file_too_large": Words(
        "الملف أكبر من 5 غيغابايت؛ قسّمه إلى ملفات", "The file is larger than 5 GB: split it into several"
    ),
    "file_is_xls": Words(
        "هذا ملف Excel قديم (xls) أو محمي بكلمة مرور؛ احفظه بصيغة xlsx أو CSV UTF-8 بلا كلمة مرور",
        "This is an older Excel file (.xls) or has a password: save it as .xlsx or CSV UTF-8 without one",
    ),
    "file_is_xlsb": Words(
        "هذا ملف Excel ثنائي (xlsb)؛ احفظه بصيغة xlsx أو CSV UTF-8",
        "This is a binary Excel file (.xlsb): save it as .xlsx or CSV UTF-8",
    ),
    "file_is_ods": Words(
        "هذا ملف OpenDocument؛ احفظه بصيغة xlsx أو CSV UTF-8",
        "This is an OpenDocument file: save it as .xlsx or CSV UTF-8",
    ),
    "file_is_zip": Words(
        "هذا ملف مضغوط (zip)؛ فُكّ ضغطه وارفع ملف CSV، أو اضغطه بصيغة gzip",
        "This is a ZIP archive: unpack it and upload the CSV file, or pack that with gzip",
    ),
    "file_is_archive": Words(
        "هذا ملف مضغوط؛ فُكّ ضغطه وارفع ملف CSV، أو اضغطه بصيغة gzip",
        "This is an archive: unpack it and upload the CSV file, or pack that with gzip",
    ),
    "file_is_pdf": Words(
        "هذا ملف PDF؛ صدّر البيانات بصيغة CSV UTF-8 أو xlsx", "This is a PDF: export the data as CSV UTF-8 or .xlsx"
    ),
    "file_is_image": Words(
        "هذه صورة؛ صدّر البيانات بصيغة CSV UTF-8 أو xlsx", "This is an image: export the data as CSV UTF-8 or .xlsx"
    ),
    "file_is_markup": Words(
        "هذه صفحة HTML أو XML؛ افتحها في Excel واحفظها بصيغة xlsx أو CSV UTF-8",
        "This is HTML or XML: open it in Excel and save it as .xlsx or CSV UTF-8",
    ),
    "gzip_truncated": Words("ملف gzip ناقص؛ ارفعه ثانية كاملاً", "The gzip file ends early: upload the whole of it"),
    "gzip_damaged": Words("ملف gzip تالف؛ اضغطه وارفعه ثانية", "The gzip file is damaged: pack and upload it again"),
    "gzip_bomb": Words(
        "محتوى ملف gzip أكبر كثيراً مما يعقل؛ ارفعه غير مضغوط",
        "The gzip file unpacks to implausibly more than it holds: upload it unpacked",
    ),
    "excel_too_large": Words(
        "ملف Excel أكبر من 200 ميغابايت؛ احفظه بصيغة CSV UTF-8",
        "The Excel file is larger than 200 MB: save it as CSV UTF-8",
    ),
    "excel_texts_too_large": Words(
        "نصوص ملف Excel أطول من المسموح؛ احفظه بصيغة CSV UTF-8",
        "The texts of the Excel file are longer than allowed: save it as CSV UTF-8",
    ),
    "excel_bomb": Words(
        "محتوى ملف Excel أكبر كثيراً مما يعقل؛ افتحه واحفظه بصيغة CSV UTF-8",
        "The Excel file unpacks to implausibly more than it holds: open it and save it as CSV UTF-8",
    ),
    "excel_too_complex": Words(
        "ملف Excel أعقد مما تحتاج إليه السجلات؛ انسخ الورقة قيماً إلى ملف جديد، أو احفظها بصيغة CSV UTF-8",
        "The Excel file is more complex than rows need: paste the sheet as values into a new one, or save as CSV UTF-8",
    ),
    "excel_format_unreadable": Words(
        "تنسيق أرقام لا تُعرف به القيمة الظاهرة؛ اختر لتلك الخلايا تنسيقاً عاماً أو نصاً. التنسيق",
        "A number format shows a cell in a way that cannot be read: format such cells as General or Text. Format",
    ),
    "excel_damaged": Words(
        "ملف Excel تالف؛ افتحه واحفظه بصيغة xlsx أو CSV UTF-8",
        "The Excel file is damaged: open it and save it as .xlsx or CSV UTF-8",
    ),
    "excel_formulas": Words(
        "في الورقة معادلات؛ انسخ الأعمدة والصقها قيماً ثم احفظ الملف",
        "The sheet holds formulas: copy the columns, paste them as values and save",
    ),
    "excel_header_merged": Words(
        "في سطر العناوين خلايا مدمجة؛ ألغِ دمجها واجعل لكل عمود عنواناً",
        "Cells of the header are merged: unmerge them and give each column its name",
    ),
    "excel_cells_merged": Words(
        "في الورقة خلايا مدمجة؛ ألغِ دمجها واملأ كل خلية", "Cells of the sheet are merged: unmerge them and fill each"
    ),
    "nul_byte": Words(
        "في الملف بايت صفري (NUL): ليس نصاً أو تالف؛ احفظه بصيغة CSV UTF-8",
        "The file holds a NUL byte: it is not text, or damaged; save it as CSV UTF-8",
    ),
    "not_utf8": Words("ترميز الملف ليس UTF-8؛ احفظه بصيغة CSV UTF-8", "The file is not in UTF-8: save it as CSV UTF-8"),
    "not_utf16": Words(
        "نص الملف UTF-16 تالف؛ احفظه بصيغة CSV UTF-8", "The file's UTF-16 text is damaged: save it as CSV UTF-8"
    ),
    "encoding_unknown": Words(
        "الترميز المعلن للملف غير مدعوم؛ استعمل utf-8 أو windows-1256",
        "The encoding declared for the file is not supported: use utf-8 or windows-1256",
    ),
    "as_of_wrong": Words(
        "تاريخ محتوى الملف المعلن عند رفعه (as-of) لا يُقرأ أو في المستقبل؛ ارفع الملف ثانية بتاريخ صحيح",
        "The file's own moment (as-of) cannot be read or lies ahead: upload the file again with the right date",
    ),
    "encoding_wrong": Words(
        "نصوص الملف مقروءة بغير ترميزها؛ أعلن ترميزه الصحيح أو احفظه بصيغة CSV UTF-8",
        "The text was read in another encoding than it was written in: declare the right one or save as CSV UTF-8",
    ),
    "encoding_unproven": Words(
        "لا اسم محافظة ولا كلمة معروفة تثبت صحة الترميز المعلن؛ احفظ الملف بصيغة CSV UTF-8",
        "No governorate's name or other known word shows that the declared encoding is right: save as CSV UTF-8",
    ),
    "governorates_unreadable": Words(
        "أكثر أسماء المحافظات لا يُقرأ؛ تأكد من ترميز الملف واحفظه بصيغة CSV UTF-8",
        "Most governorate names cannot be read: check the file's encoding and save it as CSV UTF-8",
    ),
    "characters_lost": Words(
        "في اللوحات علامات استفهام محل حروف ضاعت عند التصدير؛ صدّر الملف بصيغة CSV UTF-8",
        "Plates hold question marks for letters that were lost in the export: export as CSV UTF-8",
    ),
    "header_missing": Words(
        "لا توجد أسماء أعمدة في السطر الأول؛ اكتبها فيه، أو احذف ما فوقها من عنوان أو سطر فارغ أو sep=",
        "The first line holds no column names: write them there, or take out the title, empty lines or sep= above them",
    ),
    "columns_too_many": Words(
        "عدد الأعمدة أكبر من المسموح؛ احذف ما لا حاجة إليه منها",
        "The file has too many columns: take out those that are not needed",
    ),
    "column_missing": Words(
        "عمود مطلوب غير موجود؛ أضفه، أو صحّح عنوانه في السطر الأول",
        "A required column is missing: add it, or correct its name in the first line",
    ),
    "payment_column_unknown": Words(
        "لا عمود للحالة، وفي الملف عمود بعنوان غير معروف قد يقول ما سُدِّد؛ سمِّه بهذا الاسم في السطر الأول. عنوانه أو رقمه",
        "No column is that of the statuses, and one of another name may say what is paid: "
        "give it this name in the first line. Its name or number",
    ),
    "date_order_us": Words(
        "في العمود تواريخ كُتب فيها الشهر قبل اليوم؛ صدّرها ثانية واليوم أولاً: 23/11/2026",
        "Dates of the column are written month first: export them again as 2026-11-23, or the day first: 23/11/2026",
    ),
    "date_kinds_mixed": Words(
        "حوّل برنامج الجداول بعض نصوص العمود إلى تواريخ فتبادل فيها اليوم والشهر؛ صدّر العمود ثانية نصاً",
        "A spreadsheet made dates of some texts of the column, with day and month changed over: "
        "export the column again, as text",
    ),
    "dates_swapped": Words(
        "تبادل اليوم والشهر في أكثر تواريخ العمود؛ صدّرها ثانية واليوم أولاً: 23/11/2026",
        "Day and month have changed places in most dates of the column: export them again as 2026-11-23 or 23/11/2026",
    ),
    "numbers_cut": Words(
        "أبقى برنامج الجداول من الأرقام خمس عشرة خانة وجعل ما بعدها أصفاراً؛ اجعل تنسيق العمود نصاً وصدّره ثانية",
        "A spreadsheet kept fifteen digits of the numbers and made the others 0: "
        "format the column as text and export it again",
    ),
    "column_twice": Words("العمود مكرر؛ أبقِ واحداً منه", "The column stands twice: keep one of them"),
    "header_again": Words(
        "بين السجلات سطر عناوين بترتيب آخر للأعمدة؛ ضع السجلات التي تحته في ملف آخر",
        "Among the rows stands a header of columns in another order: put the rows below it into a file of their own",
    ),
    "record_too_long": Words(
        "سطر أو حقل أطول من المسموح؛ قد تكون قبله علامة اقتباس لم تُغلق",
        "A line or field is longer than allowed: a quotation mark before it may never be closed",
    ),
    "quote_unclosed": Words(
        "علامة اقتباس لم تُغلق؛ أغلقها أو احذفها", "A quotation mark is never closed: close it or take it out"
    ),
    "too_many_bad_rows": Words(
        "كثير من سجلات أول الملف غير صحيح، فلم يُحمَّل منه شيء؛ صحّحه وارفعه ثانية. نسبة غير الصحيح",
        "Too many of the first rows are wrong, so nothing was loaded: correct the file and upload it again. Wrong",
    ),
    "file_not_read": Words(
        "تعذرت قراءة الملف بعد عدة محاولات، وهو محفوظ؛ لا ترفعه ثانية، فمشغّل النظام يكمله",
        "The file could not be read after several tries and is kept: do not upload it again, the operator completes it",
    ),
    "rows_not_loaded": Words(
        "لم يُحمَّل بعض سجلات الملف بعد عدة محاولات، وهي محفوظة؛ لا ترفعه ثانية، فمشغّل النظام يكمله. الباقي",
        "Some rows could not be loaded after several tries and are kept: do not upload the file again, "
        "the operator completes it. Left",
    ),
    "counts_differ": Words(
        "مجموع السجلات لا يطابق عددها في الملف؛ أبلغ مشغّل النظام",
        "The counts do not add up to the rows of the file: tell the operator",
    ),
}

ROW_ERRORS: Final = {
    "missing": Words("الحقل مطلوب", "The field is required"),
    "cells_missing": Words(
        "خلايا السجل أقل من الأعمدة؛ أكملها، وإن حذف Excel الفارغة في آخره فاحفظ الملف بصيغة xlsx",
        "The row has fewer cells than columns: complete it; if Excel left out empty ones at its end, save as .xlsx",
    ),
    "cells_too_many": Words(
        "خلايا السجل أكثر من الأعمدة؛ ضع بين علامتي اقتباس كل خلية فيها فاصلة",
        "The row has more cells than columns: put quotation marks around each cell that holds a separator",
    ),
    "character_forbidden": Words("في الحقل رمز غير مقبول", "The field holds a control character"),
    "spreadsheet_error": Words(
        "في الخلية خطأ من برنامج الجداول؛ اكتب قيمتها", "The cell holds a spreadsheet's error: write its value"
    ),
    "spreadsheet_date": Words(
        "حوّل برنامج الجداول القيمة إلى تاريخ؛ اجعل تنسيق العمود نصاً واكتبها ثانية مثل 25/3",
        "A spreadsheet made a date of the value: format the column as text and write it again, such as 25/3",
    ),
    "spreadsheet_truth": Words(
        "جعل برنامج الجداول القيمة TRUE أو FALSE؛ اجعل تنسيق العمود نصاً واكتبها ثانية",
        "A spreadsheet made TRUE or FALSE of the value: format the column as text and write it again",
    ),
    "text_too_long": Words("النص أطول من 200 حرف", "The text is longer than 200 characters"),
    "violation_no_malformed": Words(
        "رقم المخالفة يتكون من 1 إلى 32 حرفاً أو رقماً أو / أو -",
        "The violation's number must be 1 to 32 letters, digits, / or -",
    ),
    "number_e_notation": Words(
        "الرقم مكتوب بالصيغة العلمية؛ اجعل تنسيق العمود نصاً وصدّره ثانية",
        "The number is in E-notation: format the column as text and export it again",
    ),
    "number_with_fraction": Words(
        "الرقم مكتوب بكسر مثل 101.0؛ اجعل تنسيق العمود نصاً وصدّره ثانية",
        "The number was given a fraction, such as 101.0: format the column as text and export it again",
    ),
    "code_too_long": Words("الرمز أطول من 16 حرفاً", "The code is longer than 16 characters"),
    "status_unknown": Words(
        "الحالة غير معروفة؛ اكتب: غير مسددة، أو مسددة، أو ملغاة، أو معترض عليها",
        "The status is unknown: write open, paid, cancelled or disputed",
    ),
    "status_contradicted": Words(
        "للمخالفة تاريخ تسديد وحالتها غير مسددة؛ اكتب الحالة: مسددة، أو احذف التاريخ",
        "The row has a payment date and is open: write its status as paid, or take the date out",
    ),
    "registration_no_malformed": Words(
        "رقم السنوية يتكون من 4 إلى 32 حرفاً أو رقماً، فيها رقم غير الصفر",
        "The registration number must be 4 to 32 letters or digits, with a digit other than 0 among them",
    ),
    "amount_e_notation": Words(
        "المبلغ مكتوب بالصيغة العلمية؛ اجعل تنسيق العمود رقماً",
        "The amount is in E-notation: format the column as a plain number",
    ),
    "amount_fraction": Words("المبلغ يجب أن يكون ديناراً صحيحاً بلا كسور", "The amount must be whole dinars"),
    "amount_negative": Words("المبلغ لا يكون سالباً", "The amount cannot be negative"),
    "amount_too_small": Words(
        "المبلغ أصغر من أقل غرامة؛ قد يكون أصله 50.000 أي خمسين ألفاً، فاكتبه كاملاً مثل 50000",
        "The amount is smaller than any fine: 50.000 may have been fifty thousand, so write all of it, such as 50000",
    ),
    "amount_out_of_range": Words("المبلغ خارج الحدود المقبولة", "The amount is out of range"),
    "amount_unreadable": Words(
        "تعذرت قراءة المبلغ؛ اكتبه أرقاماً مثل 50000", "The amount cannot be read: write it in digits, such as 50000"
    ),
    "date_unreadable": Words(
        "تعذرت قراءة التاريخ؛ اكتب اليوم ثم الشهر ثم السنة: 23/11/2026",
        "The date cannot be read: write it as 2026-11-23 or 23/11/2026",
    ),
    "date_not_in_calendar": Words("لا يوجد هذا التاريخ أو الوقت", "There is no such date or time"),
    "date_out_of_range": Words(
        "التاريخ قبل سنة 1970 أو بعد سنة 2099", "The date is before the year 1970 or after 2099"
    ),
    "number_on_two_plates": Words(
        "رقم المخالفة لأكثر من لوحة في الملف نفسه؛ اعرف الصحيحة واحذف غيرها، أو صحّح رقم المخالفة",
        "The number stands on two plates in one file: find out which is right, take out the other or mend its number",
    ),
    "reopens_undated": Words(
        "المخالفة مسددة أو ملغاة لدينا، ويجعلها السجل غير مسددة بلا تاريخ تحديث؛ اكتبه، أو أبلغ مشغّل النظام",
        "The violation is paid or cancelled, and the row opens it without updated_at: write that, or tell the operator",
    ),
    "date_ahead": Words(
        "التاريخ في المستقبل؛ اكتب اليوم ثم الشهر ثم السنة: 23/11/2026",
        "The date lies in the future: write it as 2026-11-23, or the day before the month: 23/11/2026",
    ),
}


def words(code: str) -> Words:
    """The words of a code of a file, a row, a plate or a warning."""
    own = ROW_ERRORS | FILE_ERRORS | WARNINGS
    return own.get(code) or Words(PROBLEMS[code]["ar"], PROBLEMS[code]["en"])


_ACCEPT: Final = Words(
    "إن كان العمود صحيحاً كما هو فارفع الملف ثانية وأعلن معه",
    "If the column is right as it stands, upload the file again and declare with it",
)


def message(code: str, column: str | None, value: str | None = None, accept: str | None = None) -> Words:
    """The words of a code with the name of the column that it is about, what was found, and how it is accepted."""
    if accept:
        said = message(code, column, value)
        return Words(*(f"{each}. {way}: accept={accept}" for each, way in zip(said, _ACCEPT, strict=True)))
    found = words(code)
    if value:
        found = Words(f"{found.ar}: {value}", f"{found.en}: {value}")
    if not column:
        return found
    return Words(f"{ARABIC.get(column, column)}: {found.ar}", f"{column}: {found.en}")
