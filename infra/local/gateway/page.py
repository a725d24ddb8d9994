"""The page on which the sandbox gateway's customer pays, declines or lets a payment expire."""

from html import escape
from urllib.parse import urlsplit

from infra.local.gateway.payments import Payment
from infra.local.web.messages import Response

_TEXTS = {
    "ar": {
        "dir": "rtl",
        "title": "بوابة دفع تجريبية",
        "notice": "هذه بيئة تجريبية: لا يُسحب أي مبلغ حقيقي، ولا تُطلب أي بيانات بطاقة.",
        "amount": "المبلغ",
        "currency": "دينار",
        "description": "البيان",
        "reference": "رقم الدفعة",
        "pay": "ادفع الآن",
        "fail": "ارفض الدفع",
        "expire": "دع المهلة تنتهي",
        "back": "العودة إلى الموقع",
        "other": "English",
        "paid": "دُفع المبلغ.",
        "failed": "رُفض الدفع.",
        "expired": "انتهت مهلة الدفع.",
        "refunded": "أُعيد المبلغ.",
    },
    "en": {
        "dir": "ltr",
        "title": "Sandbox payment gateway",
        "notice": "This is a sandbox: no real money moves and no card details are asked for.",
        "amount": "Amount",
        "currency": "IQD",
        "description": "For",
        "reference": "Payment number",
        "pay": "Pay now",
        "fail": "Decline",
        "expire": "Let it expire",
        "back": "Back to the site",
        "other": "العربية",
        "paid": "The amount has been paid.",
        "failed": "The payment was declined.",
        "expired": "The time to pay has run out.",
        "refunded": "The amount has been returned.",
    },
}


def language(asked: str | None) -> str:
    """The language of the page: English where it is asked for, Arabic else."""
    return "en" if asked == "en" else "ar"


def pay_page(payment: Payment, lang: str, stylesheet: str) -> Response:
    """The page of `payment` in `lang`; `stylesheet` is the path of its CSS. Everything of the merchant's is escaped."""
    texts = _TEXTS[lang]
    other = "ar" if lang == "en" else "en"
    body = f"""<!doctype html>
<html lang="{lang}" dir="{texts["dir"]}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{texts["title"]}</title>
<link rel="stylesheet" href="{escape(stylesheet)}">
</head>
<body class="gateway">
<main class="card checkout">
<header class="checkout-head"><h1>{texts["title"]}</h1>
<a class="quiet" href="?lang={other}" lang="{other}">{texts["other"]}</a></header>
<p class="notice">{texts["notice"]}</p>
<dl class="facts">
<div class="total"><dt>{texts["amount"]}</dt><dd>{payment.amount:,} {texts["currency"]}</dd></div>
<div><dt>{texts["description"]}</dt><dd dir="auto">{escape(payment.description)}</dd></div>
<div><dt>{texts["reference"]}</dt><dd><bdi>{escape(payment.reference)}</bdi></dd></div>
</dl>
{_choices(texts) if payment.status == "created" else _ended(texts, payment)}
</main>
</body>
</html>
"""
    policy = (
        "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action 'self' {_origin(payment.return_url)}"
    )
    headers = (
        ("Content-Type", "text/html; charset=utf-8"),
        ("Cache-Control", "no-store"),
        ("Content-Security-Policy", policy),
        ("Referrer-Policy", "same-origin"),
        ("X-Content-Type-Options", "nosniff"),
    )
    return Response(200, headers, body.encode())


def _choices(texts: dict[str, str]) -> str:
    # The action leaves the query out, so that the language asked for is not sent on.
    buttons = "\n".join(
        f'<button class="{style}" name="outcome" value="{outcome}">{texts[outcome]}</button>'
        for outcome, style in (("pay", "primary"), ("fail", "secondary"), ("expire", "quiet"))
    )
    return f'<form class="choices" method="post">\n{buttons}\n</form>'


def _ended(texts: dict[str, str], payment: Payment) -> str:
    return (
        f'<p class="status {payment.status}" role="status">{texts[payment.status]}</p>\n'
        f'<a class="button primary" href="{escape(payment.return_url)}">{texts["back"]}</a>'
    )


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
