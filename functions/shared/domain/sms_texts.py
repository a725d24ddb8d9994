"""The texts of every SMS, in Arabic, Kurdish and English. No speaker has read the Kurdish yet.

Each names the service and the end of the plate, or the number of a payment or receipt. None holds a link, asks for
money or threatens: that is how a person tells them from a fraud. One part carries each: 70 units of UTF-16, or 160
septets in English. Without short vowels «سدد» reads as "pay!" and «قبل» as "before", so nouns stand for them. Between
digits stand ``/``, ``,`` and ``:`` alone: after Arabic letters some phones turn dates round that have hyphens.
"""

from __future__ import annotations

from typing import Final

VERSION: Final = 5
"""Kept on each message: which edition of the texts it was written from."""

PREFIXES: Final = {"ar": "غرامة-أور: ", "ckb": "غەرامە-ئور: ", "en": "Gharama (Ur): "}
"""What every text of a language begins with: the service and the portal."""
DETAILS: Final = " Details: Ur portal. We never send links."
"""What every English text ends with; the others have no room for it."""

_BODIES: Final = {
    "query_result": (
        "لوحة ..{plate_tail}\nغير مسددة {count}: {total} دينار\nأقرب زيادة {date}",
        "تابلۆ ..{plate_tail}\nنەدراو {count}: {total} دینار\nزیادبوون: {date}",
        "plate ..{plate_tail}. Unpaid {count}: {total} IQD. Next increase {date}.",
    ),
    "query_result_earliest": (
        "لوحة ..{plate_tail}\nغير مسددة {count}: {total} دينار\nقد تزيد من {date}",
        "تابلۆ ..{plate_tail}\nنەدراو {count}: {total} دینار\nڕەنگە {date} زیادبێت",
        "plate ..{plate_tail}. Unpaid {count}: {total} IQD. May rise from {date}.",
    ),
    "query_result_soon": (
        "لوحة ..{plate_tail}\nغير مسددة {count}: {total} دينار\nقد تزيد قريبا",
        "تابلۆ ..{plate_tail}\nنەدراو {count}: {total} دینار\nڕەنگە زوو زیادبێت",
        "plate ..{plate_tail}. Unpaid {count}: {total} IQD. May rise soon.",
    ),
    "query_result_no_increase": (
        "لوحة ..{plate_tail}\nغير مسددة {count}: {total} دينار\nلا زيادة أخرى",
        "تابلۆ ..{plate_tail}\nنەدراو {count}: {total} دینار\nزیاد نابێت",
        "plate ..{plate_tail}. Unpaid {count}: {total} IQD. No further increase.",
    ),
    "query_result_large": (
        "لوحة ..{plate_tail}\nغير مسددة {count}: {total} دينار",
        "تابلۆ ..{plate_tail}\nنەدراو {count}: {total} دینار",
        "plate ..{plate_tail}. Unpaid {count}: {total} IQD.",
    ),
    "query_result_brief": (
        "لوحة ..{plate_tail}\nعليها مخالفات غير مسددة",
        "تابلۆ ..{plate_tail}\nسەرپێچیی نەدراوی هەیە",
        "plate ..{plate_tail} has unpaid violations.",
    ),
    "query_result_none": (
        "لوحة ..{plate_tail}\nلا مخالفة غير مسددة مسجلة حتى {as_of}",
        "تابلۆ ..{plate_tail}\nتا {as_of} هیچ نەدراوێک تۆمار نییە",
        "plate ..{plate_tail}. No unpaid violation recorded as of {as_of}.",
    ),
    "query_result_none_undated": (
        "لوحة ..{plate_tail}\nلا مخالفة غير مسددة بما وصلنا من سجلات",
        "تابلۆ ..{plate_tail}\nلەو تۆمارانەی گەیشتوون نەدراو نییە",
        "plate ..{plate_tail}. No unpaid violation in the records received so far.",
    ),
    "new_violation": (
        "مخالفة جديدة لوحة ..{plate_tail}\n{amount} دينار تصبح {next_amount} من {date}",
        "سەرپێچیی نوێ تابلۆ ..{plate_tail}\n{amount} دینار\nلە {date}: {next_amount}",
        "new violation, plate ..{plate_tail}. {amount} IQD now, {next_amount} from {date}.",
    ),
    "new_violation_earliest": (
        "مخالفة جديدة ..{plate_tail}\n{amount} دينار قد تصبح {next_amount} من {date}",
        "سەرپێچیی نوێ ..{plate_tail}\n{amount} دینار ڕەنگە لە {date}: {next_amount}",
        "new violation, plate ..{plate_tail}. {amount} IQD now, may become {next_amount} from {date}.",
    ),
    "new_violation_soon": (
        "مخالفة جديدة لوحة ..{plate_tail}\n{amount} دينار وقد تزيد قريبا",
        "سەرپێچیی نوێ تابلۆ ..{plate_tail}\n{amount} دینار\nڕەنگە زوو زیادبێت",
        "new violation, plate ..{plate_tail}. {amount} IQD now, may rise soon.",
    ),
    "new_violation_no_increase": (
        "مخالفة جديدة لوحة ..{plate_tail}\nالمبلغ {amount} دينار",
        "سەرپێچیی نوێ تابلۆ ..{plate_tail}\nبڕ: {amount} دینار",
        "new violation, plate ..{plate_tail}. Amount {amount} IQD.",
    ),
    "new_violation_of_day": (
        "مخالفة {occurred} لوحة ..{plate_tail}\n{amount} دينار، من {date}: {next_amount}",
        "..{plate_tail} سەرپێچیی {occurred}\n{amount} دینار\nلە {date}: {next_amount}",
        "violation of {occurred}, plate ..{plate_tail}. {amount} IQD now, {next_amount} from {date}.",
    ),
    "new_violation_of_day_earliest": (
        "..{plate_tail} مخالفة {occurred}\n{amount} دينار قد تصبح {next_amount} من {date}",
        "..{plate_tail} سەرپێچیی {occurred}\n{amount} دینار ڕەنگە {date}: {next_amount}",
        "violation of {occurred}, plate ..{plate_tail}. {amount} IQD now, may become {next_amount} from {date}.",
    ),
    "new_violation_of_day_soon": (
        "مخالفة {occurred} لوحة ..{plate_tail}\n{amount} دينار وقد تزيد قريبا",
        "سەرپێچیی {occurred} تابلۆ ..{plate_tail}\n{amount} دینار\nڕەنگە زوو زیادبێت",
        "violation of {occurred}, plate ..{plate_tail}. {amount} IQD now, may rise soon.",
    ),
    "new_violation_of_day_no_increase": (
        "مخالفة {occurred} لوحة ..{plate_tail}\nالمبلغ {amount} دينار",
        "سەرپێچیی {occurred} تابلۆ ..{plate_tail}\nبڕ: {amount} دینار",
        "violation of {occurred}, plate ..{plate_tail}. Amount {amount} IQD.",
    ),
    "new_violation_large": (
        "مخالفة جديدة ..{plate_tail}\n{amount} دينار تصبح {next_amount} من {date}",
        "سەرپێچیی نوێ ..{plate_tail}\n{amount} دینار\nلە {date}: {next_amount}",
        "new violation, plate ..{plate_tail}. {amount} IQD now, {next_amount} from {date}.",
    ),
    "new_violation_rises": (
        "مخالفة جديدة لوحة ..{plate_tail}\n{amount} دينار تزيد من {date}",
        "سەرپێچیی نوێ ..{plate_tail}\n{amount} دینار\nزیادبوون {date}",
        "new violation, plate ..{plate_tail}. {amount} IQD now, more from {date}.",
    ),
    "new_violation_may_rise": (
        "مخالفة جديدة ..{plate_tail}\n{amount} دينار قد تزيد من {date}",
        "سەرپێچیی نوێ ..{plate_tail}\n{amount} دینار ڕەنگە {date} زیادبێت",
        "new violation, plate ..{plate_tail}. {amount} IQD now, may rise from {date}.",
    ),
    "new_violation_brief": (
        "مخالفة جديدة لوحة ..{plate_tail}",
        "سەرپێچیی نوێ تابلۆ ..{plate_tail}",
        "new violation, plate ..{plate_tail}.",
    ),
    "new_violations": (
        "مخالفات جديدة ({count}) لوحة ..{plate_tail}\n{total} دينار تزيد من {date}",
        "{count} سەرپێچیی نوێ تابلۆ ..{plate_tail}\n{total} دینار\nزیادبوون {date}",
        "{count} new violations, plate ..{plate_tail}. {total} IQD now, first rise {date}.",
    ),
    "new_violations_earliest": (
        "مخالفات جديدة ({count}) ..{plate_tail}\n{total} دينار قد تزيد من {date}",
        "{count} سەرپێچیی نوێ ..{plate_tail}\n{total} دینار ڕەنگە {date} زیادبێت",
        "{count} new violations, plate ..{plate_tail}. {total} IQD now, may rise from {date}.",
    ),
    "new_violations_soon": (
        "مخالفات جديدة ({count}) ..{plate_tail}\n{total} دينار وقد تزيد قريبا",
        "{count} سەرپێچیی نوێ ..{plate_tail}\n{total} دینار\nڕەنگە زوو زیادبێت",
        "{count} new violations, plate ..{plate_tail}. {total} IQD now, may rise soon.",
    ),
    "new_violations_no_increase": (
        "مخالفات جديدة ({count}) لوحة ..{plate_tail}\nالمجموع {total} دينار",
        "{count} سەرپێچیی نوێ تابلۆ ..{plate_tail}\nکۆ: {total} دینار",
        "{count} new violations, plate ..{plate_tail}. Total {total} IQD.",
    ),
    "new_violations_large": (
        "مخالفات جديدة ({count}) ..{plate_tail}\n{total} دينار تزيد من {date}",
        "{count} سەرپێچیی نوێ ..{plate_tail}\n{total} دینار\nزیادبوون {date}",
        "{count} new violations, plate ..{plate_tail}. {total} IQD now, first rise {date}.",
    ),
    "new_violations_may_rise": (
        "مخالفات جديدة ..{plate_tail}\n{total} دينار قد تزيد من {date}",
        "سەرپێچیی نوێ ..{plate_tail}\n{total} دینار ڕەنگە {date} زیادبێت",
        "new violations, plate ..{plate_tail}. {total} IQD now, may rise from {date}.",
    ),
    "new_violations_brief": (
        "مخالفات جديدة لوحة ..{plate_tail}",
        "سەرپێچیی نوێ تابلۆ ..{plate_tail}",
        "new violations, plate ..{plate_tail}.",
    ),
    "doubling_soon": (
        "تذكير لوحة ..{plate_tail}\nالآن {total} دينار، من {date}: {next_total}",
        "بیرخستنەوە ..{plate_tail}\n{total} دینار\nلە {date}: {next_total}",
        "reminder, plate ..{plate_tail}. {total} IQD now, {next_total} from {date}.",
    ),
    "doubling_soon_earliest": (
        "تذكير ..{plate_tail}\n{total} دينار قد تصبح {next_total} من {date}",
        "بیرخستنەوە ..{plate_tail}\n{total}، ڕەنگە لە {date}: {next_total}",
        "reminder, plate ..{plate_tail}. {total} IQD now, may become {next_total} from {date}.",
    ),
    "doubling_soon_soon": (
        "تذكير ..{plate_tail}\n{total} دينار قد تصبح {next_total} قريبا",
        "بیرخستنەوە ..{plate_tail}\n{total}، ڕەنگە زوو ببێتە {next_total}",
        "reminder, plate ..{plate_tail}. {total} IQD now, may become {next_total} soon.",
    ),
    "doubling_soon_disputed": (
        "تذكير لوحة ..{plate_tail} عليها اعتراض\n{total} دينار قد تزيد {date}",
        "ناڕەزایی لەسەر ..{plate_tail}\n{total} دینار، ڕەنگە {date} زیادبێت",
        "reminder, plate ..{plate_tail}, objection recorded. {total} IQD may still rise from {date}.",
    ),
    "doubling_soon_disputed_soon": (
        "تذكير لوحة ..{plate_tail} عليها اعتراض\n{total} دينار قد تزيد قريبا",
        "ناڕەزایی لەسەر ..{plate_tail}\n{total} دینار، ڕەنگە زوو زیادبێت",
        "reminder, plate ..{plate_tail}, objection recorded. {total} IQD may still rise soon.",
    ),
    "doubling_soon_large": (
        "تذكير ..{plate_tail}\n{total} دينار قد تزيد من {date}",
        "بیرخستنەوە ..{plate_tail}\n{total} دینار، ڕەنگە {date} زیادبێت",
        "reminder, plate ..{plate_tail}. {total} IQD now, may rise from {date}.",
    ),
    "doubling_soon_brief": (
        "تذكير لوحة ..{plate_tail}\nقد يزيد المبلغ من {date}",
        "بیرخستنەوە تابلۆ ..{plate_tail}\nڕەنگە بڕەکە {date} زیادبێت",
        "reminder, plate ..{plate_tail}. The amount may rise from {date}.",
    ),
    "doubling_soon_soon_large": (
        "تذكير ..{plate_tail}\n{total} دينار قد تزيد قريبا",
        "بیرخستنەوە ..{plate_tail}\n{total} دینار، ڕەنگە زوو زیادبێت",
        "reminder, plate ..{plate_tail}. {total} IQD now, may rise soon.",
    ),
    "doubling_soon_soon_brief": (
        "تذكير لوحة ..{plate_tail}\nقد يزيد المبلغ قريبا",
        "بیرخستنەوە تابلۆ ..{plate_tail}\nڕەنگە بڕەکە زوو زیادبێت",
        "reminder, plate ..{plate_tail}. The amount may rise soon.",
    ),
    "doubling_soon_disputed_brief": (
        "تذكير لوحة ..{plate_tail} عليها اعتراض\nقد يزيد المبلغ {date}",
        "ناڕەزایی لەسەر ..{plate_tail}\nڕەنگە بڕەکە {date} زیادبێت",
        "reminder, plate ..{plate_tail}, objection recorded. The amount may still rise from {date}.",
    ),
    "doubling_soon_disputed_soon_brief": (
        "تذكير لوحة ..{plate_tail} عليها اعتراض\nقد يزيد المبلغ قريبا",
        "ناڕەزایی لەسەر ..{plate_tail}\nڕەنگە بڕەکە زوو زیادبێت",
        "reminder, plate ..{plate_tail}, objection recorded. The amount may still rise soon.",
    ),
    "cancelled": (
        "إلغاء مخالفات لوحة ..{plate_tail}\nالعدد {count}، لا مبلغ عليها",
        "{count} سەرپێچی هەڵوەشایەوە ..{plate_tail}\nهیچ پارەیان لەسەر نییە",
        "violations cancelled, plate ..{plate_tail}. Number {count}, no amount is due for them.",
    ),
    "cancelled_brief": (
        "إلغاء مخالفات لوحة ..{plate_tail}\nلا مبلغ عليها",
        "سەرپێچی هەڵوەشایەوە ..{plate_tail}\nهیچ پارەیان لەسەر نییە",
        "violations cancelled, plate ..{plate_tail}. No amount is due for them.",
    ),
    "disputed": (
        "تسجيل اعتراض لوحة ..{plate_tail}\nالعدد {count}، وقد يزيد المبلغ {date}",
        "ناڕەزایی تۆمارکرا ..{plate_tail}\nژمارە {count}، ڕەنگە {date} زیادبێت",
        "objection recorded, plate ..{plate_tail}. Number {count}, the amount may still rise from {date}.",
    ),
    "disputed_soon": (
        "تسجيل اعتراض لوحة ..{plate_tail}\nالعدد {count}، قد يزيد المبلغ قريبا",
        "ناڕەزایی تۆمارکرا ..{plate_tail}\nژمارە {count}، ڕەنگە زوو زیادبێت",
        "objection recorded, plate ..{plate_tail}. Number {count}, the amount may still rise soon.",
    ),
    "disputed_no_increase": (
        "تسجيل اعتراض لوحة ..{plate_tail}\nالعدد {count}، لا زيادة أخرى",
        "ناڕەزایی تۆمارکرا ..{plate_tail}\nژمارە {count}، زیاد نابێت",
        "objection recorded, plate ..{plate_tail}. Number {count}, no further increase.",
    ),
    "disputed_brief": (
        "تسجيل اعتراض لوحة ..{plate_tail}",
        "ناڕەزایی تۆمارکرا لەسەر تابلۆ ..{plate_tail}",
        "objection recorded, plate ..{plate_tail}.",
    ),
    "dispute_refused": (
        "رفض الاعتراض ..{plate_tail}\n{amount} دينار تصبح {next_amount} من {date}",
        "ناڕەزایی ڕەتکرا ..{plate_tail}\n{amount} دینار\nلە {date}: {next_amount}",
        "objection refused, plate ..{plate_tail}. {amount} IQD now, {next_amount} from {date}.",
    ),
    "dispute_refused_earliest": (
        "رفض الاعتراض ..{plate_tail}\n{amount} دينار قد تصبح {next_amount} من {date}",
        "ناڕەزایی ڕەتکرا ..{plate_tail}\n{amount}، ڕەنگە لە {date}: {next_amount}",
        "objection refused, plate ..{plate_tail}. {amount} IQD now, may become {next_amount} from {date}.",
    ),
    "dispute_refused_soon": (
        "رفض الاعتراض لوحة ..{plate_tail}\n{amount} دينار وقد تزيد قريبا",
        "ناڕەزایی ڕەتکرا ..{plate_tail}\n{amount} دینار\nڕەنگە زوو زیادبێت",
        "objection refused, plate ..{plate_tail}. {amount} IQD now, may rise soon.",
    ),
    "dispute_refused_no_increase": (
        "رفض الاعتراض لوحة ..{plate_tail}\nالمبلغ {amount} دينار",
        "ناڕەزایی ڕەتکرایەوە ..{plate_tail}\nبڕ: {amount} دینار",
        "objection refused, plate ..{plate_tail}. Amount {amount} IQD.",
    ),
    "disputes_refused": (
        "رفض الاعتراض ..{plate_tail}\nالعدد {count}: {total} دينار تزيد من {date}",
        "ناڕەزایی ڕەتکرا ..{plate_tail}\n{count}: {total} دینار\nزیادبوون {date}",
        "objection refused, plate ..{plate_tail}. Number {count}: {total} IQD now, first rise {date}.",
    ),
    "disputes_refused_earliest": (
        "رفض الاعتراض ..{plate_tail}\nالعدد {count}: {total} دينار قد تزيد {date}",
        "ناڕەزایی ڕەتکرا ..{plate_tail}\n{count}: {total}، ڕەنگە {date} زیادبێت",
        "objection refused, plate ..{plate_tail}. Number {count}: {total} IQD now, may rise from {date}.",
    ),
    "disputes_refused_soon": (
        "رفض الاعتراض ..{plate_tail}\nالعدد {count}: {total} دينار قد تزيد قريبا",
        "ناڕەزایی ڕەتکرا ..{plate_tail}\n{count}: {total}، ڕەنگە زوو زیادبێت",
        "objection refused, plate ..{plate_tail}. Number {count}: {total} IQD now, may rise soon.",
    ),
    "disputes_refused_no_increase": (
        "رفض الاعتراض لوحة ..{plate_tail}\nالعدد {count}: {total} دينار",
        "ناڕەزایی ڕەتکرایەوە ..{plate_tail}\n{count}: {total} دینار",
        "objection refused, plate ..{plate_tail}. Number {count}: {total} IQD.",
    ),
    "dispute_refused_brief": (
        "رفض الاعتراض لوحة ..{plate_tail}\nالغرامة باقية",
        "ناڕەزایی ڕەتکرایەوە ..{plate_tail}\nغەرامەکە ماوە",
        "objection refused, plate ..{plate_tail}. The fine remains.",
    ),
    "dispute_accepted": (
        "قبول الاعتراض لوحة ..{plate_tail}\nإلغاء {count}، لا مبلغ عليها",
        "ناڕەزایی پەسەندکرا ..{plate_tail}\n{count} هەڵوەشایەوە، هیچ نادرێت",
        "objection accepted, plate ..{plate_tail}. {count} cancelled, no amount is due for them.",
    ),
    "dispute_accepted_brief": (
        "قبول الاعتراض لوحة ..{plate_tail}\nلا مبلغ عليها",
        "ناڕەزایی پەسەندکرا ..{plate_tail}\nهیچ نادرێت",
        "objection accepted, plate ..{plate_tail}. No amount is due for them.",
    ),
    "receipt": (
        "تم تسديد {total} دينار لوحة ..{plate_tail}\nوصل {receipt_no}",
        "{total} دینار درا، تابلۆ ..{plate_tail}\nپسوولە {receipt_no}",
        "{total} IQD paid, plate ..{plate_tail}. Receipt {receipt_no}.",
    ),
    "receipt_of_several": (
        "تم تسديد {total} دينار في {date}\nوصل {receipt_no}",
        "{total} دینار درا لە {date}\nپسوولە {receipt_no}",
        "{total} IQD paid on {date}. Receipt {receipt_no}.",
    ),
    "receipt_large": (
        "تم تسديد {total} دينار\nوصل {receipt_no}",
        "{total} دینار درا\nپسوولە {receipt_no}",
        "{total} IQD paid. Receipt {receipt_no}.",
    ),
    "receipt_brief": (
        "تم التسديد\nوصل {receipt_no}",
        "پارەکە درا\nپسوولە {receipt_no}",
        "paid. Receipt {receipt_no}.",
    ),
    "receipt_of_part": (
        "تسديد {total}، ويعاد {rest} دينار\nوصل {receipt_no}",
        "{total} درا {rest} دەگەڕێتەوە\nپسوولە {receipt_no}",
        "{total} IQD paid, {rest} IQD goes back to you. Receipt {receipt_no}.",
    ),
    "receipt_of_part_brief": (
        "تم تسديد بعضها والباقي يعاد\nوصل {receipt_no}",
        "بەشێکی درا، باقی دەگەڕێتەوە\nپسوولە {receipt_no}",
        "a part was paid, the rest goes back. Receipt {receipt_no}.",
    ),
    "refund": (
        "أعيد إليكم {total} دينار\nدفعة {payment_no}، لا يلزمكم شيء",
        "{total} دینارتان بۆ گەڕایەوە\nپارەدان {payment_no}",
        "{total} IQD was returned to you, payment {payment_no}. You need do nothing.",
    ),
    "refund_brief": (
        "أعيد إليكم مبلغ\nدفعة {payment_no}، لا يلزمكم شيء",
        "بڕێکتان بۆ گەڕایەوە\nپارەدان {payment_no}",
        "an amount was returned to you, payment {payment_no}. You need do nothing.",
    ),
    "follower_added": (
        "حساب آخر يتابع لوحة ..{plate_tail}\nإن لم تعرفه فأوقفه في بوابة أور",
        "کەسێکی تر تابلۆ ..{plate_tail} دەبینێ\nنایناسیت؟ لە ئور بیوەستێنە",
        "another account now follows plate ..{plate_tail}. If you do not know it, stop it.",
    ),
    "proof_right": (
        "ثبتت صلتكم بلوحة ..{plate_tail}\nويظهر لكم المكان والساعة",
        "پەیوەندیتان بە تابلۆ ..{plate_tail} سەلمێنرا",
        "your proof for plate ..{plate_tail} was right. Place and hour are shown to you.",
    ),
    "proof_wrong": (
        "رقم السنوية لا يطابق لوحة ..{plate_tail}\nإعادة الإثبات في بوابة أور",
        "ژمارەی ساڵانە لەگەڵ تابلۆ ..{plate_tail} ناگونجێ",
        "the registration number is not that of plate ..{plate_tail}. You may prove it again.",
    ),
    "proof_ended": (
        "انتهى إثبات لوحة ..{plate_tail}\nفي السجل رقم سنوية جديد لها",
        "سەلماندنی تابلۆ ..{plate_tail} کۆتایی هات\nژمارەی نوێی هەیە",
        "your proof for plate ..{plate_tail} has ended: another number is registered. You may prove it again.",
    ),
    "link_lapses": (
        "تنتهي متابعة لوحة ..{plate_tail} في {date}\nجددوها في بوابة أور",
        "بەدواداچوونی ..{plate_tail} لە {date} دەوەستێ\nلە ئور نوێی بکەوە",
        "you stop following plate ..{plate_tail} on {date} unless you renew it.",
    ),
    "followers_added": (
        "متابعة جديدة للوحة ..{plate_tail}\nأوقف من لا تعرفه في بوابة أور",
        "بەدواداچوونی نوێ بۆ تابلۆ ..{plate_tail}\nنەناسراو لە ئور بوەستێنە",
        "new following of plate ..{plate_tail}. If you do not know who it is, stop it.",
    ),
    "erased": (
        "تم حذف بياناتكم بطلبكم\nتبقى الوصولات بحكم القانون",
        "زانیارییەکانتان سڕانەوە\nپسوولەکان بەپێی یاسا دەمێننەوە",
        "what we kept of you is erased, as you asked. Receipts stay, as the law wants.",
    ),
}

TEXTS: Final = {
    name: {"ar": PREFIXES["ar"] + arabic, "ckb": PREFIXES["ckb"] + kurdish, "en": PREFIXES["en"] + english + DETAILS}
    for name, (arabic, kurdish, english) in _BODIES.items()
}
"""By name, then by language."""
