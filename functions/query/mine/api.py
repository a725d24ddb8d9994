"""What is mine: a citizen reads out all that is kept of them, or has it erased."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from query.mine import erasing, made
from shared.clock import now
from shared.domain.citizen import ErasingError
from shared.edge import admission
from shared.http import Event, Handler, Reply, Request, answer, invalid, router
from shared.identity import citizen
from shared.observability import count
from shared.pagination import Cursors, asked_limit

STAYS: Final = {
    "ar": "تبقى دفعاتك ووصولاتك لأن القانون يوجب حفظ سجلات الأموال. ويبقى بلا اسم: ما حُسب عليك اليوم حتى ينتهي،"
    " وما أُرسل إليك عنه 400 يوم، ومن استعلم عن لوحة 366 يوماً. ويبقى رقم هاتفك 3 أيام لرسالة التأكيد.",
    "ckb": "پارەدان و پسوولەکانت دەمێننەوە، چونکە یاسا دەیەوێت تۆماری پارە بپارێزرێت. بێ ناو دەمێنێتەوە: ئەوەی ئەمڕۆ"
    " بۆت ژمێردراوە تا کۆتایی دێت، ئەوەی پێت گوترا ٤٠٠ ڕۆژ، و کێ لە تابلۆیەکی پرسیوە ٣٦٦ ڕۆژ."
    " ژمارەی مۆبایلەکەت ٣ ڕۆژ دەمێنێتەوە بۆ نامەی دڵنیاکردنەوە.",
    "en": "Your payments and receipts stay, because the law wants the books of money kept. Without your name stay: what"
    " was counted today, until it ends; of what you were told, for 400 days; and who looked up a plate, for 366 days."
    " Your phone stays for 3 days, for the SMS that confirms this.",
}
"""What an erasure leaves, how long and why: docs/privacy.md."""


def export(request: Request) -> Reply:
    """GET /v1/me/export"""
    sub, limit = citizen(request.event).sub, asked_limit(request)
    cursors = Cursors(made.crypto(), sub, "export")
    if made.stores().erasures.erasing(sub):
        raise ErasingError
    cursor = request.query.get("cursor")
    after = cursors.open(cursor) if cursor else ()
    if cursor and not after[0].isdigit():
        raise invalid("cursor", "cursor_invalid")
    items, following = made.exports().page(made.person(sub), after, limit, now())
    return answer(200, {"items": items, "next_cursor": cursors.seal(following) if following else None})


def erase(request: Request) -> Reply:
    """DELETE /v1/me"""
    erasing.begin(citizen(request.event).sub, made.stores(), now(), made.come_again)
    count("Erasures")
    return answer(202, {"stays": STAYS[request.language]})


@cache
def _app() -> Handler:
    return router({"GET /v1/me/export": export, "DELETE /v1/me": erase}, admission())


def handler(event: Event, context: Any) -> Reply:
    """Lambda's entry point."""
    return _app()(event, context)
