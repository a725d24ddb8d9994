"""How citizens know the gateways: name, kind, and the least and most that each takes."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Any, Final, NamedTuple

CARD: Final = "card"
WALLET: Final = "wallet"
BANK_APP: Final = "bank_app"


LISTENED_TO_FOR: Final = {CARD: timedelta(days=130), WALLET: timedelta(days=30), BANK_APP: timedelta(days=30)}
"""How long after a payment's making its gateway may give its money back: of cards their banks too, by a chargeback."""


class Offer(NamedTuple):
    """A gateway in Arabic, Kurdish and English. least, most: dinars of one payment; None where no document says so."""

    arabic: str
    kurdish: str
    english: str
    kind: str
    least: int | None = None
    most: int | None = None

    def takes(self, amount: int) -> bool:
        """Return whether a payment of so many dinars can be made by it."""
        return (self.least or 0) <= amount and (self.most is None or amount <= self.most)


OFFERS: Final = {
    "qicard": Offer("كي كارد", "کی کارد", "QiCard", CARD),
    # The higher of the two minimums that its public clients state.
    "zaincash": Offer("زين كاش", "زەین کاش", "ZainCash", WALLET, least=1_000),
    "fib": Offer("المصرف العراقي الأول", "بانکی یەکەمی عێراق", "First Iraqi Bank", BANK_APP),
    "sandbox": Offer("بوابة تجريبية", "دەروازەی تاقیکردنەوە", "Sandbox", CARD),
}


def listed(names: Iterable[str], closed: Collection[str]) -> list[dict[str, Any]]:
    """The gateways of these names as the API shows them, those that are open first. closed: names."""
    views = [
        {
            "gateway": name,
            "name": {"ar": offer.arabic, "ckb": offer.kurdish, "en": offer.english},
            "kind": offer.kind,
            "open": name not in closed,
            "least": offer.least,
            "most": offer.most,
        }
        for name in names
        if (offer := OFFERS.get(name))
    ]
    return sorted(views, key=lambda view: not view["open"])
