"""The words of a receipt on paper, in Arabic, Kurdish and English."""

from __future__ import annotations

from typing import Final

WORDS: Final[dict[str, dict[str, str]]] = {
    "ar": {
        "service": "غرامة",
        "title": "وصل تسديد مخالفات مرورية",
        "paid": "مسدد",
        "receipt_no": "رقم الوصل",
        "paid_at": "تاريخ التسديد",
        "gateway": "بوابة الدفع",
        "payment_id": "رقم الدفعة",
        "count": "عدد المخالفات",
        "total": "المبلغ المسدد",
        "dinars": "{} دينار",
        "line": "ت",
        "violation_no": "رقم المخالفة",
        "plate": "رقم اللوحة",
        "sector": "القاطع",
        "amount": "المبلغ (دينار)",
        "sum": "المجموع",
        "check": "للتحقق من صحة الوصل",
        "how": "امسح الرمز أو افتح العنوان الآتي، وقارن رقم الوصل والمبلغ والتاريخ:",
        "note": "هذا الوصل صادر إلكترونيا، ولا يحتاج إلى ختم أو توقيع.",
    },
    "ckb": {
        "service": "غەرامە",
        "title": "پسوولەی دانی سەرپێچییەکانی هاتوچۆ",
        "paid": "دراوە",
        "receipt_no": "ژمارەی پسوولە",
        "paid_at": "بەرواری پارەدان",
        "gateway": "دەروازەی پارەدان",
        "payment_id": "ژمارەی مامەڵە",
        "count": "ژمارەی سەرپێچییەکان",
        "total": "بڕی دراو",
        "dinars": "{} دینار",
        "line": "ز",
        "violation_no": "ژمارەی سەرپێچی",
        "plate": "ژمارەی تابلۆ",
        "sector": "کەرت",
        "amount": "بڕ (دینار)",
        "sum": "کۆی گشتی",
        "check": "بۆ دڵنیابوون لە ڕاستی پسوولە",
        "how": "کۆدەکە بخوێنەوە یان ئەم ناونیشانە بکەرەوە، و ژمارە و بڕ و بەروار بەراورد بکە:",
        "note": "ئەم پسوولەیە بە ئەلیکترۆنی دەرچووە و پێویستی بە مۆر و واژوو نییە.",
    },
    "en": {
        "service": "Gharama",
        "title": "Receipt for traffic violations",
        "paid": "Paid",
        "receipt_no": "Receipt number",
        "paid_at": "Paid on",
        "gateway": "Payment gateway",
        "payment_id": "Payment number",
        "count": "Violations",
        "total": "Amount paid",
        "dinars": "IQD {}",
        "line": "#",
        "violation_no": "Violation number",
        "plate": "Plate",
        "sector": "Sector",
        "amount": "Amount (IQD)",
        "sum": "Total",
        "check": "Check this receipt",
        "how": "Scan the code or open this address, and compare receipt number, amount and date:",
        "note": "Issued electronically; valid without stamp or signature.",
    },
}
"""By language and name. Without vowel marks, which the PDF library sets beside their letters."""

GATEWAYS: Final = {"qicard": "QiCard", "zaincash": "ZainCash", "fib": "First Iraqi Bank", "sandbox": "Sandbox"}
"""The gateways as they call themselves."""
