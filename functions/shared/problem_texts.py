"""The words of the API's errors, by code, and of notes beside its answers, in Arabic, Kurdish and English."""

from __future__ import annotations

from typing import Final


def _words(ar: str, ckb: str, en: str) -> dict[str, str]:
    return {"ar": ar, "ckb": ckb, "en": en}


PROBLEMS: Final = {
    # of any call
    "internal": _words("خطأ داخلي، حاول لاحقاً", "هەڵەی ناوخۆیی، دواتر هەوڵ بدەرەوە", "Internal error, try again later"),
    "busy": _words(
        "الخدمة مشغولة، حاول بعد قليل",
        "خزمەتگوزارییەکە سەرقاڵە، کەمێکی تر هەوڵ بدەرەوە",
        "The service is busy: try again soon",
    ),
    "no_such_path": _words("لا يوجد هذا العنوان", "ئەم ناونیشانە نییە", "There is no such path or method"),
    "not_by_edge": _words(
        "استخدم العنوان العام للخدمة", "ناونیشانی گشتیی خزمەتگوزارییەکە بەکاربهێنە", "Use the service's public address"
    ),
    "body_too_large": _words("الطلب أكبر من المسموح", "داواکارییەکە زۆر گەورەیە", "The body is too large"),
    "body_not_json": _words("الطلب ليس JSON صحيحاً", "داواکارییەکە JSON ی دروست نییە", "The body is not JSON"),
    "body_not_object": _words(
        "يجب أن يكون الطلب كائن JSON", "داواکارییەکە دەبێت کائینی JSON بێت", "The body must be a JSON object"
    ),
    "invalid_input": _words("بعض الحقول غير صحيح", "هەندێک خانە هەڵەن", "Some fields are wrong"),
    "missing": _words("هذا الحقل مطلوب", "ئەم خانەیە پێویستە", "This field is required"),
    "wrong_type": _words("نوع القيمة غير صحيح", "جۆری نرخەکە هەڵەیە", "The value has the wrong type"),
    "wrong_value": _words("القيمة غير مقبولة", "نرخەکە قبوڵ نییە", "The value is not one of those allowed"),
    "too_long": _words("القيمة أطول من المسموح", "نرخەکە زۆر درێژە", "The value is too long"),
    "token_unusable": _words(
        "رمز الدخول لا يدل على صاحبه", "تۆکنەکە خاوەنەکەی دیاری ناکات", "Your token does not say whose it is"
    ),
    "scope_missing": _words(
        "لا تملك صلاحية هذا الطلب", "مۆڵەتی ئەم داواکارییەت نییە", "Your token lacks the scope for this call"
    ),
    # of an erasure
    "erasing": _words(
        "يجري حذف بياناتك كما طلبت، حاول لاحقاً",
        "زانیارییەکانت دەسڕێنەوە وەک داوات کرد، دواتر هەوڵ بدەرەوە",
        "What is kept of you is being erased, as you asked: try again later",
    ),
    "payment_live": _words(
        "لديك دفعة جارية أو مبلغ يُعاد إليك، انتظر حتى تنتهي",
        "پارەدانێکت بەڕێوەیە یان پارەیەکت بۆ دەگەڕێتەوە، چاوەڕێ بکە تا کۆتایی دێت",
        "A payment of yours is under way, or money is due back to you: wait until it is over",
    ),
    # of a plate
    "plate_ambiguous": _words(
        "رقم اللوحة يُقرأ بأكثر من وجه، اختر",
        "ژمارەی تابلۆ زیاتر لە یەک خوێندنەوەی هەیە، هەڵبژێرە",
        "The plate can be read in several ways: choose",
    ),
    "plate_unreadable": _words("تعذرت قراءة رقم اللوحة", "ژمارەی تابلۆ ناخوێندرێتەوە", "The plate cannot be read"),
    "plate_too_long": _words(
        "النص أطول من أن يكون رقم لوحة", "دەقەکە زۆر درێژە بۆ ژمارەی تابلۆ", "The text is too long for a plate"
    ),
    "family_new": _words(
        "«جديد» تعني الألماني للبعض والموحد لغيرهم، اختر أحدهما",
        "«نوێ» بۆ هەندێک ئەڵمانی و بۆ هەندێک یەکگرتووە، یەکێکیان هەڵبژێرە",
        '"New" means German to some and unified to others: choose one',
    ),
    "family_unknown": _words("نظام اللوحة غير معروف", "جۆری تابلۆ نەناسراوە", "The plate family is unknown"),
    "family_twice": _words(
        "ذُكر أكثر من نظام للوحة", "زیاتر لە یەک جۆری تابلۆ نووسراوە", "Two plate families are named"
    ),
    "governorate_unknown": _words("المحافظة غير معروفة", "پارێزگا نەناسراوە", "The governorate is unknown"),
    "governorate_missing": _words("المحافظة مطلوبة", "پارێزگا پێویستە", "The governorate is missing"),
    "governorate_twice": _words("ذُكرت أكثر من محافظة", "زیاتر لە یەک پارێزگا نووسراوە", "Two governorates are named"),
    "governorate_not_kurdistan": _words(
        "هذه المحافظة ليست في الإقليم", "ئەم پارێزگایە لە هەرێم نییە", "This governorate is not in the Kurdistan Region"
    ),
    "category_twice": _words("ذُكر أكثر من صنف", "زیاتر لە یەک جۆر نووسراوە", "Two categories are named"),
    "category_unknown": _words("صنف المركبة غير معروف", "جۆری ئۆتۆمبێل نەناسراوە", "The vehicle category is unknown"),
    "letter_missing": _words("حرف اللوحة مطلوب", "پیتی تابلۆ پێویستە", "The plate's letter is missing"),
    "letter_forbidden": _words(
        "لا حرف في هذا النظام من اللوحات", "ئەم جۆرە تابلۆیە پیتی نییە", "Plates of this family have no letter"
    ),
    "letter_not_arabic": _words(
        "حرف اللوحة يجب أن يكون حرفاً عربياً واحداً",
        "پیتی تابلۆ دەبێت یەک پیتی عەرەبی بێت",
        "The letter must be one Arabic letter",
    ),
    "letter_not_latin": _words(
        "حرف اللوحة يجب أن يكون حرفاً لاتينياً واحداً",
        "پیتی تابلۆ دەبێت یەک پیتی لاتینی بێت",
        "The letter must be one Latin letter",
    ),
    "letter_twice": _words("في النص أكثر من حرف", "زیاتر لە یەک پیت نووسراوە", "The text holds two letters"),
    "number_missing": _words("رقم اللوحة مطلوب", "ژمارەی تابلۆ پێویستە", "The plate's number is missing"),
    "number_not_digits": _words(
        "رقم اللوحة يجب أن يكون أرقاماً", "ژمارەی تابلۆ دەبێت ژمارە بێت", "The plate's number must be digits"
    ),
    "number_zero": _words("رقم اللوحة لا يكون صفراً", "ژمارەی تابلۆ نابێت سفر بێت", "The plate's number cannot be zero"),
    "number_too_long": _words(
        "رقم اللوحة أطول من المعروف في هذا النظام",
        "ژمارەی تابلۆ بۆ ئەم جۆرە درێژە",
        "The plate's number is too long for its family",
    ),
    "numbers_too_many": _words(
        "في النص أرقام أكثر من رقم لوحة واحد", "ژمارەی زۆر نووسراوە", "The text holds too many numbers for one plate"
    ),
    "word_unknown": _words("في النص كلمة غير معروفة", "وشەیەکی نەناسراو نووسراوە", "The text holds an unknown word"),
    # of a look-up
    "no_such_query": _words(
        "لا يوجد هذا الاستعلام أو انتهت مدته",
        "ئەم پرسیارە نییە یان ماوەی بەسەرچووە",
        "There is no such query, or it is over",
    ),
    "cursor_invalid": _words("مؤشر الصفحة غير صحيح", "نیشانەی لاپەڕە هەڵەیە", "The cursor is not one of this query's"),
    # of a quota
    "quota_queries": _words(
        "بلغت حد الاستعلامات لهذا اليوم",
        "گەیشتیتە سنووری پرسیارەکانی ئەمڕۆ",
        "You have made all of today's look-ups: try again tomorrow",
    ),
    "quota_unreadable": _words(
        "أرسلت اليوم نصوصاً كثيرة لا تُقرأ رقم لوحة، حاول غداً",
        "ئەمڕۆ دەقی زۆرت نارد کە وەک ژمارەی تابلۆ ناخوێندرێنەوە، سبەینێ هەوڵ بدەرەوە",
        "You have sent too many texts today that cannot be read as a plate: try again tomorrow",
    ),
    "quota_plates": _words(
        "بلغت حد اللوحات المختلفة لهذا اليوم",
        "گەیشتیتە سنووری تابلۆ جیاوازەکانی ئەمڕۆ",
        "You have looked up all of today's different plates: try again tomorrow",
    ),
    "quota_links": _words(
        "بلغت حد ربط المركبات لهذا اليوم",
        "گەیشتیتە سنووری بەستنەوەی ئۆتۆمبێل بۆ ئەمڕۆ",
        "You have linked all of today's vehicles: try again tomorrow",
    ),
    "proofs_quota": _words(
        "بلغت حد محاولات الإثبات لهذا اليوم، حاول غداً",
        "گەیشتیتە سنووری هەوڵەکانی سەلماندنی ئەمڕۆ، سبەینێ هەوڵ بدەرەوە",
        "You have tried all of today's registration numbers: try again tomorrow",
    ),
    "proofs_full": _words(
        "تنتظر إثباتات كثيرة ورود السجل، أزل مركبة منها أو انتظر",
        "سەلماندنی زۆر چاوەڕوانی تۆمارن، ئۆتۆمبێلێکیان لاببە یان چاوەڕوان بە",
        "As many of your proofs as may wait for the registry: end one of these links, or wait",
    ),
    "vehicles_full": _words(
        "بلغت أكبر عدد من المركبات، أزل واحدة أولاً",
        "گەیشتیتە زۆرترین ژمارەی ئۆتۆمبێل، سەرەتا یەکێک لاببە",
        "You follow as many vehicles as one may: remove one first",
    ),
    "followers_full": _words(
        "يتابع هذه اللوحة أكبر عدد ممكن، أثبت أن المركبة لك لتتابعها",
        "زۆرترین کەس بەدواداچوونی ئەم تابلۆیە دەکەن، بیسەلمێنە کە ئۆتۆمبێلەکە هی تۆیە",
        "As many follow this plate as may without proof: prove that the vehicle is yours to follow it",
    ),
    # of a vehicle
    "no_such_vehicle": _words("لا توجد هذه المركبة", "ئەم ئۆتۆمبێلە نییە", "There is no such vehicle"),
    "no_such_follower": _words("لا يوجد هذا المتابع", "ئەم بەدواداچووە نییە", "There is no such follower"),
    "not_proven": _words(
        "يلزم إثبات تسجيل المركبة أولاً",
        "سەرەتا دەبێت تۆماری ئۆتۆمبێل بسەلمێنرێت",
        "Prove the vehicle's registration first",
    ),
    "follower_proven": _words(
        "أثبت هذا الحساب المركبة أيضاً، راجع مديرية المرور",
        "ئەم هەژمارەش ئۆتۆمبێلەکەی سەلماندووە، سەردانی بەڕێوەبەرایەتی هاتوچۆ بکە",
        "This account has proved the vehicle too: contact the directorate",
    ),
    "proof_wrong": _words(
        "رقم السنوية لا يطابق هذه اللوحة",
        "ژمارەی سەناویە لەگەڵ ئەم تابلۆیە ناگونجێت",
        "This is not the number on the registration card of this plate",
    ),
    # of a payment
    "starts_quota": _words(
        "بدأت كل دفعات اليوم، حاول غداً",
        "هەموو پارەدانەکانی ئەمڕۆت دەست پێکردووە، سبەی هەوڵ بدەرەوە",
        "You have begun all of today's payments: try again tomorrow",
    ),
    "holds_quota": _words(
        "بدأت تسديد هذه المخالفة وتركتها مراراً اليوم، حاول غداً",
        "ئەمڕۆ چەند جار پارەدانی ئەم سەرپێچییەت دەست پێکرد و وازت هێنا، سبەی هەوڵ بدەرەوە",
        "You have begun to pay this violation and let it go too often today: try again tomorrow",
    ),
    "owner_first": _words(
        "تُغلق الآن دفعة بدأها غيرك لهذه المخالفات، حاول بعد دقائق",
        "پارەدانێک کە کەسێکی تر دەستی پێکردووە دادەخرێت، دوای چەند خولەکێک هەوڵ بدەرەوە",
        "A payment that another began for these violations is being closed: try again in a few minutes",
    ),
    "gateway_unknown": _words("بوابة الدفع غير معروفة", "دەروازەی پارەدان نەناسراوە", "The payment gateway is unknown"),
    "gateway_closed": _words(
        "بوابة الدفع متوقفة حالياً، اختر غيرها",
        "دەروازەی پارەدان ئێستا داخراوە، یەکێکی تر هەڵبژێرە",
        "The payment gateway is closed just now: choose another",
    ),
    "amount_not_taken": _words(
        "لا تقبل بوابة الدفع هذا المبلغ، اختر غيرها",
        "دەروازەی پارەدان ئەم بڕە وەرناگرێت، یەکێکی تر هەڵبژێرە",
        "The payment gateway does not take this amount: choose another",
    ),
    "return_url_refused": _words(
        "عنوان العودة غير مسموح", "ناونیشانی گەڕانەوە ڕێگەپێدراو نییە", "The return address is not allowed"
    ),
    "key_missing": _words(
        "الترويسة Idempotency-Key مطلوبة", "سەردێڕی Idempotency-Key پێویستە", "The Idempotency-Key header is required"
    ),
    "key_malformed": _words(
        "الترويسة Idempotency-Key يجب أن تكون من 8 إلى 64 حرفاً أو رقماً",
        "Idempotency-Key دەبێت ٨ تا ٦٤ پیت و ژمارە بێت",
        "Idempotency-Key must be 8 to 64 letters, digits, - or _",
    ),
    "key_reused": _words(
        "استُعمل هذا المفتاح لطلب آخر",
        "ئەم کلیلە بۆ داواکارییەکی تر بەکارهاتووە",
        "This Idempotency-Key was used for another request",
    ),
    "still_starting": _words(
        "يجري بدء هذه الدفعة، حاول بعد لحظات",
        "ئەم پارەدانە خەریکە دەستپێدەکات، دوای چەند ساتێک هەوڵ بدەرەوە",
        "This payment is being started: try again in a moment",
    ),
    "payments_full": _words(
        "لديك أكبر عدد من الدفعات الجارية، سدد إحداها أو ألغها أولاً",
        "زۆرترین ژمارەی پارەدانی کراوەت هەیە، سەرەتا یەکێک بدە یان هەڵیبوەشێنەوە",
        "You have as many payments under way as one may: pay or cancel one first",
    ),
    "payment_over": _words(
        "انتهت هذه الدفعة فلا يمكن إلغاؤها",
        "ئەم پارەدانە کۆتایی هاتووە و هەڵناوەشێتەوە",
        "This payment is over and cannot be cancelled",
    ),
    "payment_other": _words(
        "حالة هذه الدفعة غير معروفة الآن، فلا يمكن إلغاؤها، اقرأها بعد حين",
        "بارودۆخی ئەم پارەدانە ئێستا نەزانراوە، بۆیە هەڵناوەشێتەوە، دواتر بیخوێنەرەوە",
        "How this payment stands is not known just now, so it cannot be cancelled: read it again later",
    ),
    "too_many": _words("العدد أكبر من المسموح", "ژمارەکە زۆرە", "There are too many"),
    "empty": _words("القائمة فارغة", "لیستەکە بەتاڵە", "The list is empty"),
    "repeated": _words("القيمة مكررة", "نرخەکە دووبارەیە", "The value is repeated"),
    "not_payable": _words(
        "بعض المخالفات لا يمكن تسديدها الآن",
        "هەندێک سەرپێچی ئێستا ناتوانرێت بدرێن",
        "Some of the violations cannot be paid now",
    ),
    "violation_not_found": _words(
        "لا توجد هذه المخالفة بين ما استعلمت عنه",
        "ئەم سەرپێچییە لەوانە نییە کە پرسیارت لێ کردوون",
        "There is no such violation among the plates you may see",
    ),
    "violation_paid": _words("المخالفة مسددة", "سەرپێچییەکە دراوە", "The violation is paid"),
    "violation_cancelled": _words("المخالفة ملغاة", "سەرپێچییەکە هەڵوەشاوەتەوە", "The violation is cancelled"),
    "violation_disputed": _words("المخالفة معترض عليها", "سەرپێچییەکە تانەی لێ دراوە", "The violation is disputed"),
    "violation_other": _words(
        "حالة المخالفة لا تسمح بتسديدها هنا",
        "دۆخی سەرپێچییەکە ڕێگە بە پارەدان نادات",
        "The violation cannot be paid here as it stands",
    ),
    "violation_in_payment": _words("المخالفة قيد التسديد", "سەرپێچییەکە لە پارەداندایە", "The violation is being paid"),
    "violation_nothing_due": _words(
        "لا مبلغ مستحق عن المخالفة", "هیچ بڕێک بۆ سەرپێچییەکە نەماوە بدرێت", "Nothing is owed for the violation"
    ),
    "changed_meanwhile": _words(
        "تغيرت المخالفة في هذه الأثناء، استعلم ثانية",
        "سەرپێچییەکە گۆڕا، دووبارە بپرسە",
        "The violation changed meanwhile: ask again",
    ),
    "payments_paused": _words(
        "الدفع متوقف مؤقتاً، حاول لاحقاً",
        "پارەدان بۆ ماوەیەک وەستاوە، دواتر هەوڵ بدەرەوە",
        "Payments are paused, try again later",
    ),
    "gateway_refused": _words("رفضت بوابة الدفع الطلب", "دەروازەی پارەدان ڕەتیکردەوە", "The gateway refused the order"),
    "gateway_silent": _words(
        "بوابة الدفع لا تجيب الآن", "دەروازەی پارەدان وەڵام ناداتەوە", "The gateway does not answer now"
    ),
    "no_such_payment": _words("لا توجد هذه الدفعة", "ئەم پارەدانە نییە", "There is no such payment"),
    "not_paid": _words(
        "لم تُسدَّد هذه الدفعة، فلا وصل لها",
        "ئەم پارەدانە نەدراوە، بۆیە پسوولەی نییە",
        "This payment is not paid, so it has no receipt",
    ),
    "no_such_receipt": _words("لا يوجد هذا الوصل", "ئەم پسوولەیە نییە", "There is no such receipt"),
    "callback_refused": _words("الإشعار مرفوض", "ئاگادارکردنەوەکە ڕەتکرایەوە", "The callback is refused"),
    # of an upload
    "no_such_upload": _words("لا يوجد هذا الرفع", "ئەم بارکردنە نییە", "There is no such upload"),
    "too_large": _words("الملف أكبر من المسموح", "پەڕگەکە زۆر گەورەیە", "The file is too large"),
}

NOTES: Final = {
    "taken_over": _words(
        "أُغلقت هذه الدفعة لأن صاحب المركبة يدفع، ولم يؤخذ منك شيء",
        "ئەم پارەدانە داخرا چونکە خاوەنی ئۆتۆمبێلەکە پارە دەدات، هیچت لێ وەرنەگیرا",
        "This payment was closed because the vehicle's owner pays: nothing was taken from you",
    ),
    "incomplete": _words(
        "تعذر عرض كل شيء، وقد يكون هناك أكثر مما يظهر هنا، حاول لاحقاً",
        "هەموو شتێک پیشان نەدرا، لەوانەیە زیاتر هەبێت لەوەی لێرە دەردەکەوێت، دواتر هەوڵ بدەرەوە",
        "Not everything could be shown: there may be more than stands here, try again later",
    ),
}
"""What an answer says beside what it shows, by name."""
