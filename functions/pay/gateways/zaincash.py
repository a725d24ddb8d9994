"""ZainCash's payment gateway, version 2 (docs.zaincash.iq): a wallet, on a page of its own.

OAuth 2. Our payment id is its ``externalReferenceId``, as a UUID, and its ``orderId``; an order can be asked about only
by its own ``transactionId``. It sends the browser back with ``?token=`` and posts ``{"webhook_token"}``: both are JSON
Web Tokens under HS256.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

from pay.gateways import (
    CallbackError,
    Closing,
    Delivery,
    NotAskedError,
    Notice,
    Order,
    OrderRequest,
    OrderStatus,
    Page,
    ReadKeys,
    Refund,
    RefusedError,
    UnaskableError,
    UnknownError,
    UntimelyError,
)
from pay.gateways.client import (
    Client,
    asking,
    currency,
    current_then_previous,
    dinars,
    is_name,
    map_status,
    ordering,
    parse,
    reading,
    require_same_order,
)
from pay.gateways.oauth import OAuth

_ROOT: Final = "/api/v2/payment-gateway/transaction"
_STATUSES: Final = {
    **dict.fromkeys(("PENDING", "OTP_SENT", "CUSTOMER_AUTHENTICATION_REQUIRED"), OrderStatus.UNPAID),
    "SUCCESS": OrderStatus.PAID,
    "FAILED": OrderStatus.FAILED,
    "EXPIRED": OrderStatus.EXPIRED,
    "REFUNDED": OrderStatus.REFUNDED,
}
_REVERSALS: Final = {
    "COMPLETED": OrderStatus.REFUNDED,
    "PENDING": OrderStatus.REFUNDING,
    "PROCESSING": OrderStatus.REFUNDING,
    "FAILED": OrderStatus.FAILED,
}
_LANGUAGES: Final = {"ckb": "ku", "en": "en"}
MAX_TOKEN_CHARACTERS: Final = 8192
OLDEST: Final = timedelta(days=1)
"""A webhook may be tried for hours, and a page be loaded again; all that a token brings about is that we ask."""
AHEAD: Final = timedelta(minutes=5)
"""How far the gateway's clock may be ahead of ours."""


class ZainCash:
    """keys: ``client_id``, ``client_secret``, ``service_type``, and ``callback_key``, under which tokens are signed."""

    def __init__(self, url: str, keys: ReadKeys) -> None:
        client = Client(url)
        self._keys = keys
        self._page = client.page
        self._call = OAuth(client, "/oauth2/token", keys, scope="payment:read payment:write")
        # Apart, so that payments do not hang on the leave to give back.
        self._reverse = OAuth(client, "/oauth2/token", keys, scope="payment:read reverse:read reverse:write")

    def order(self, order: OrderRequest) -> Page:
        """``POST …/init``. A reference that is in use is answered with its transaction, which is then asked about."""
        with ordering():
            body = {
                "language": _LANGUAGES.get(order.language, "ar"),
                "externalReferenceId": str(UUID(order.payment_id)),
                "orderId": order.payment_id,
                "serviceType": current_then_previous(self._keys(), "service_type")[0]["service_type"],
                "amount": {"value": str(order.amount), "currency": order.currency},
                "redirectUrls": {"successUrl": order.callback_url, "failureUrl": order.callback_url},
            }
            answer = self._call("POST", f"{_ROOT}/init", body)
        if 400 <= answer.status < 500 and (first := _transaction_id(answer.body)):
            answer = self._call("GET", f"{_ROOT}/inquiry/{quote(first, safe='')}")
        taken = answer.accepted()
        with reading():
            details = taken["transactionDetails"]
            if details["orderId"] != order.payment_id:
                raise UnknownError("the answer is another order's")
            return Page(str(details["transactionId"]), self._page(taken["redirectUrl"]))

    def get_order(self, payment_id: str | None, gateway_id: str | None) -> Order | None:
        """``GET …/inquiry/{transactionId}``."""
        if gateway_id is None:
            raise UnaskableError("no transactionId")
        with asking():
            told = self._call("GET", f"{_ROOT}/inquiry/{quote(gateway_id, safe='')}").accepted()
        with reading():
            details = told["transactionDetails"]
            order = Order(
                str(details["orderId"]),
                str(details["transactionId"]),
                map_status(_STATUSES, told["status"]),
                dinars(details["amount"]["value"]),
                currency(details["amount"]["currency"]),
            )
        return require_same_order(order, payment_id, gateway_id)

    def close(self, payment_id: str, gateway_id: str | None) -> Closing:
        """The gateway has no such call: an order that is not paid expires there by itself."""
        return Closing.OPEN

    def refund(self, refund: Refund) -> OrderStatus:
        """``POST …/reverse``, which gives back all, and again each time: so the order and the reversals are read first.

        Neither need show yet what was asked for a moment ago: that is never asked for again. Two at once for one order
        would both find none: the caller has them follow one another.
        """
        try:
            order = self.get_order(refund.payment_id, refund.gateway_id)
            earlier = self._reversal(refund) if order and order.status == OrderStatus.PAID else None
        except UnknownError as error:
            raise NotAskedError(str(error)) from None
        if order is None or order.status not in (OrderStatus.PAID, OrderStatus.REFUNDED):
            raise RefusedError("not_paid")
        if order.status == OrderStatus.REFUNDED or earlier == OrderStatus.REFUNDED:
            return OrderStatus.REFUNDED
        if earlier == OrderStatus.REFUNDING:
            return OrderStatus.REFUNDING
        if refund.asked_before:
            raise UnknownError("asked for before, and not shown yet")
        if refund.amount != order.amount:
            raise RefusedError("only_all")
        body = {"transactionId": refund.gateway_id, "reason": refund.reason}
        told = self._reverse("POST", f"{_ROOT}/reverse", body).accepted()
        with reading():
            status = map_status(_REVERSALS, told["status"])
        if status == OrderStatus.FAILED:
            raise RefusedError("refund_failed")
        return status

    def _reversal(self, refund: Refund) -> str | None:
        """What became of a transaction's reversal; None where there is none, or none that came to anything.

        How the list is wrapped, and where an entry names its transaction, the documents leave open. Raises UnknownError
        where it is not there but may be: the list has more than it shows, or an entry does not say what it is of.
        """
        ids = {refund.gateway_id, refund.payment_id, str(UUID(refund.payment_id))}
        with asking():
            path = f"{_ROOT}/reversals?transactionId={quote(refund.gateway_id, safe='')}"
            told = self._reverse("GET", path).accepted()
        with reading():
            (entries,) = (value for value in told.values() if isinstance(value, list))
            if not all(isinstance(entry, dict) for entry in entries):
                raise TypeError("not reversals")
            statuses = [map_status(_REVERSALS, entry["status"]) for entry in entries if _is_of(entry, ids)]
            others = [entry for entry in entries if not _is_of(entry, ids)]
            all_say = all(_names_its_transaction(entry) for entry in others)
            is_whole = _is_whole(told, len(entries))
        for status in (OrderStatus.REFUNDED, OrderStatus.REFUNDING):
            if status in statuses:
                return status
        if not all_say:
            raise UnknownError("a reversal does not say what it is of")
        if not is_whole:
            raise UnknownError("the list of reversals has more than it shows")
        return None

    def callback(self, delivery: Delivery, now: datetime) -> Notice:
        """A token from the browser's query or the webhook's body: signed by ZainCash, lately, for an order of ours.

        Raises UntimelyError for one that is all that, but not lately.
        """
        claims = self._verified(_token(delivery))
        notice = _notice(claims)
        try:
            _check_time(claims, now)
        except CallbackError as error:
            raise UntimelyError(str(error), notice) from None
        return notice

    def _verified(self, token: str) -> Mapping[str, Any]:
        # Imported here: it costs tens of milliseconds, and the other gateways' callbacks do without.
        from joserfc import jws
        from joserfc.errors import JoseError
        from joserfc.jwk import OctKey

        for secret in current_then_previous(self._keys(), "callback_key"):
            try:
                verified = jws.deserialize_compact(
                    token, OctKey.import_key(secret["callback_key"]), algorithms=["HS256"]
                )
            except (JoseError, ValueError, TypeError):  # the last for a header whose "crit" is no list
                continue
            claims = parse(verified.payload)
            if claims is None:
                raise CallbackError("not a callback's claims")
            return claims
        raise CallbackError("bad signature")


def _token(delivery: Delivery) -> str:
    token = (parse(delivery.body) or {}).get("webhook_token") if delivery.body else delivery.query.get("token")
    if not token:
        raise CallbackError("no token")
    if not isinstance(token, str) or len(token) > MAX_TOKEN_CHARACTERS:
        raise CallbackError("not a token")
    return token


def _notice(claims: Mapping[str, Any]) -> Notice:
    """Whom claims are about: each of the three ids may be missing; those that are there must be of one order.

    Raises CallbackError.
    """
    try:
        data = claims["data"]
        gateway_id, status = data.get("transactionId"), data["currentStatus"]
        ours = {UUID(data[name]).hex for name in ("merchantReferenceId", "orderId") if data.get(name) is not None}
        event = claims.get("eventId") or f"{gateway_id or min(ours)}:{status}"
    except (LookupError, TypeError, ValueError, AttributeError):
        raise CallbackError("not a callback's claims") from None
    if len(ours) > 1 or not (ours or gateway_id) or not is_name(event):
        raise CallbackError("not a callback's claims")
    if gateway_id is not None and not is_name(gateway_id):
        raise CallbackError("not a callback's claims")
    return Notice(next(iter(ours), None), gateway_id, event)


def _check_time(claims: Mapping[str, Any], now: datetime) -> None:
    """Whichever of the times a token has, and it must have one to be dated. Raises CallbackError."""
    try:
        made = [_instant(claims[name]) for name in ("timestamp", "iat") if name in claims]
        ends = [_instant(claims[name]) for name in ("exp",) if name in claims]
    except (TypeError, ValueError, ArithmeticError):
        raise CallbackError("time not understood") from None
    if not (made or ends):
        raise CallbackError("no time")
    if any(
        not now.timestamp() - OLDEST.total_seconds() <= at <= now.timestamp() + AHEAD.total_seconds() for at in made
    ):
        raise CallbackError("time out of bounds")
    if any(at <= now.timestamp() for at in ends):
        raise CallbackError("time out of bounds")


def _instant(value: object) -> float:
    """Unix seconds of an instant in seconds, in milliseconds, or in ISO 8601: the documents do not say which."""
    if isinstance(value, str):
        instant = datetime.fromisoformat(value)
        if instant.tzinfo is None:
            raise ValueError("an instant needs an offset")
        return instant.timestamp()
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise TypeError("not an instant")
    return float(value) / (1000 if value > 10**11 else 1)


_NAMES_A_TRANSACTION: Final = {"transactionid", "orderid", "externalreferenceid", "merchantreferenceid"}
_OF_A_TRANSACTION: Final = {"transaction", "transactiondetails", "originaltransaction"}


def _is_of(entry: Mapping[str, Any], ids: set[str]) -> bool:
    """Whether a value of an entry is one of these ids, whatever its field is called."""
    return any(
        _is_of(value, ids) if isinstance(value, dict) else isinstance(value, str) and value in ids
        for value in entry.values()
    )


def _names_its_transaction(entry: Mapping[str, Any]) -> bool:
    """Whether an entry has a field that can hold nothing but its transaction's id, or the order's."""
    return any(
        (isinstance(value, str) and name.lower() in _NAMES_A_TRANSACTION)
        or (
            isinstance(value, dict)
            and name.lower() in _OF_A_TRANSACTION
            and ("id" in value or _names_its_transaction(value))
        )
        for name, value in entry.items()
    )


def _is_whole(told: Mapping[str, Any], shown: int) -> bool:
    """Whether a list shows all that it has, by whatever its answer says of pages: nothing of that is documented."""
    for name, value in told.items():
        lower = name.lower()
        if isinstance(value, dict):
            good = _is_whole(value, shown)
        elif "pages" in lower:
            good = value in (0, 1)
        elif lower.startswith("total") or lower.endswith(("count", "elements")):
            good = value == shown
        elif lower in ("page", "number", "pagenumber", "offset", "currentpage"):
            good = value in (0, 1, None)
        elif lower in ("size", "limit", "pagesize", "perpage"):
            good = shown < value
        elif "last" in lower:
            good = value is True
        else:
            good = not (("next" in lower or "more" in lower) and value)
        if not good:
            return False
    return True


def _transaction_id(body: Mapping[str, Any] | None) -> str | None:
    details = (body or {}).get("transactionDetails")
    found = details.get("transactionId") if isinstance(details, dict) else None
    return found if isinstance(found, str) and found else None
