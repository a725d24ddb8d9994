"""The words for what a report warns of, by code, in Arabic and English."""

from __future__ import annotations

from typing import Final, NamedTuple


class Words(NamedTuple):
    ar: str
    en: str


WARNINGS: Final = {
    "news_held": Words(
        "في الملف كثير من الجديد، فلا يُبلَّغ به المتابعون حتى يأذن مشغّل النظام؛ تأكد من أن الملف صحيح",
        "So much of the file is news that followers hear only when the operator lets them: check that it is right",
    ),
    "status_defaulted": Words(
        "لا عمود للحالة، فعُدّت السجلات غير مسددة؛ إن كان بعضها مسدداً فأضف عمود الحالة وارفع الملف ثانية",
        "No column says what is paid, so the rows were taken as open: if some are paid, add status and upload again",
    ),
    "status_from_paid_at": Words(
        "لا عمود للحالة، فعُدّ مسدداً كل سجل له تاريخ تسديد",
        "No status column: what has a payment date was taken as paid",
    ),
    "header_repeated": Words(
        "سطر العناوين مكرر بين السجلات، فأُهمل", "The header stands again among the rows and was left out"
    ),
    "article_unknown": Words(
        "لا يُذكر فيها بند معروف من القانون، فقد لا تتضاعف الغرامة؛ صحّحها إن كانت خطأ",
        "It names no article of the law that is known, so the fine may never double: correct it if it is a slip",
    ),
    "column_unknown": Words("عمود غير معروف، أُهمل", "An unknown column was ignored"),
    "column_nameless": Words(
        "عمود بلا عنوان فيه قيم، أُهمل؛ اكتب عنوانه في السطر الأول إن كان من أعمدة النموذج",
        "A column without a name holds values and was ignored: if it is one of the format's, write its name above it",
    ),
    "dates_of_two_kinds": Words(
        "بعض التواريخ تبدأ بالسنة وبعضها باليوم؛ تحقق من أن اليوم والشهر لم يتبادلا في أي منها",
        "Some dates begin with the year and others with the day: check that day and month are right in both",
    ),
    "dates_perhaps_swapped": Words(
        "لا تقع هذه التواريخ في الأسابيع الأخيرة أو في ترتيبها إلا إذا تبادل اليوم والشهر؛ تحقق من أنها صحيحة",
        "The dates are of the last weeks, or in order, only with day and month changed over: check them",
    ),
    "sheets_unread": Words(
        "في الملف أوراق أخرى لم تُقرأ؛ إن كانت فيها سجلات فاحفظ كلاً منها في ملف وارفعه",
        "The workbook has further sheets, which were not read: if they hold rows, save each as a file and upload it",
    ),
    "rows_hidden": Words(
        "في الورقة سجلات مخفية، وقد حُمّلت كغيرها؛ أظهرها وتأكد من أنها مقصودة",
        "The sheet has hidden rows, which were loaded like all others: show them and check that they are meant",
    ),
    "recorded_at_defaulted": Words(
        "تاريخ التسجيل غير مذكور، فاعتُمد تاريخ المخالفة", "No recording date: the violation's date was taken"
    ),
    "due_nothing": Words(
        "المخالفة غير مسددة والمبلغ المستحق صفر، فلا يُطلب عنها شيء؛ إن لم يُقصد ذلك فاترك الخلية فارغة",
        "The violation is open and 0 is due for it, so that nothing is asked for: leave it empty if that is not meant",
    ),
    "due_doubled_early": Words(
        "المبلغ المستحق مضاعف قبل موعد المضاعفة بلا تاريخ لها، فعُدّ مضاعفاً ولا يُضاعف ثانية؛ اكتب تاريخ المضاعفة",
        "What is due is doubled before its day and has no date of that: taken as doubled, it does so no more",
    ),
    "due_above_doubled": Words(
        "المبلغ المستحق أكبر من ضعف الغرامة قبل موعد المضاعفة بلا تاريخ لها، فيُضاعف في موعده؛ اكتب تاريخ المضاعفة",
        "More is due than the doubled fine, before its day and without a date: it doubles once more; write doubled_at",
    ),
    "due_doubled_ahead": Words(
        "المبلغ المستحق مضاعف وتاريخ المضاعفة لم يحن، فيُضاعف ثانية فيه؛ صحّح المبلغ أو التاريخ",
        "What is due is doubled already and doubled_at is still ahead: it doubles once more then; correct one of them",
    ),
    "not_announced": Words(
        "مضى على التسجيل زمن طويل، فحُمّلت ولا يُبلَّغ بها المتابعون؛ تحقق من أن اليوم والشهر لم يتبادلا",
        "Recorded long ago: loaded, and followers are not told of it; check that day and month did not change places",
    ),
    "moved": Words(
        "نُقلت المخالفة إلى لوحة غير التي كانت عليها؛ تحقق من أن ذلك مقصود",
        "The violation moved to another plate than it was on: check that this is meant",
    ),
    "reopened": Words(
        "كانت المخالفة مسددة أو ملغاة وصارت غير مسددة؛ تحقق من أن ذلك مقصود",
        "The violation was paid or cancelled and is open again: check that this is meant",
    ),
    "amount_tenfold": Words(
        "صار المبلغ عشرة أمثاله أو أكثر، أو عُشره أو أقل؛ تحقق من الأصفار",
        "The amount became ten times what it was or more, or a tenth or less: check its zeros",
    ),
    "stale_differs": Words(
        "السجل أقدم مما لدينا ويخالفه، فلم يؤخذ؛ إن كان هو الصحيح فارفعه بتاريخ تحديث أحدث",
        "The row is older than what is known, says something else and was not taken: if right, give a newer updated_at",
    ),
    "returns_undated": Words(
        "يعيد السجل رقم سنوية حلّ غيره محله، بلا تاريخ تحديث، فلم يؤخذ؛ إن كان هو الصحيح فارفعه بتاريخ تحديث أحدث",
        "The row brings back, without updated_at, a number that another replaced, and was not taken: if right, date it",
    ),
    "beaten_in_file": Words(
        "الرقم مكرر في الملف نفسه، فأُخذ بالسجل الأحدث أو الأخير؛ تحقق من أنه الصحيح",
        "The same number stands twice in the file and the newer or later row was taken: check that it is right",
    ),
    "category_other": Words("صنف غير معروف، سُجل «أخرى»", 'An unknown category was taken as "other"'),
}
