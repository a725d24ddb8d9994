"""The sandbox payment gateway: a stand-in for a real one, with a merchant API, a page to pay on and signed callbacks.

Merchant API, JSON, `Authorization: Bearer <api_key>`; errors are `{"error": {"code", "message"}}`:

| call | answer |
| --- | --- |
| `POST /v1/payments` | 201 with the payment; 200 with the first one where the reference is known; 422 |
| `GET /v1/payments/{id}`, `GET /v1/payments?reference=` | 200 with the payment; 404 |
| `POST /v1/payments/cancel?reference=` | 200 with the payment, closed; 409 `over`, or `in_progress`: not closed; 404 |
| `POST /v1/payments/{id}/refunds` | `{"reference", "amount"}`: 200, given back once for a reference; 409; 404 |

`POST /faults` `{"rate", "seed"}` makes that share of all calls and callbacks go wrong: see `gateway_faults`.

The customer: `GET /pay/{id}` shows the page and `POST /pay/{id}` acts on it and goes back to the merchant;
`POST /{reference}/{outcome}` does the same without a page, for scripts, and what becomes of an order after its end, or
how the gateway behaves about it: see `OUTCOMES`, `AFTERWARDS` and `MARKS` of `gateway.payments`.
"""

import hmac
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from infra.local.gateway.callbacks import CallbackSender
from infra.local.gateway.faults import FAILS, FALLS_SILENT, IS_SLOW, LIES, Faults
from infra.local.gateway.page import language, pay_page
from infra.local.gateway.payments import AFTERWARDS, MARKS, OUTCOMES, ImpossibleError, Order, Payment, Payments
from infra.local.web.messages import Request, Response, json_response, method_not_allowed

_REFERENCE = re.compile(r"[A-Za-z0-9._-]{1,64}")
_ADDRESS = re.compile(r"https?://[!#-;=?-\[\]_a-z~%]{1,2000}")
_MAX_AMOUNT = 10_000_000_000  # dinars


class Gateway:
    """Answers what lies below `base_url`; its payments and unsent callbacks outlive a restart in `state_dir`.

    `secret` gives `{"api_key", "callback_key"}` and is read when needed, since the stack makes it later.
    """

    def __init__(
        self,
        state_dir: Path,
        base_url: str,
        secret: Callable[[], dict[str, str]],
        retry_delays: Sequence[float] = (1, 3, 9, 27),
    ) -> None:
        self.base_url = base_url
        self._root = urlsplit(base_url).path
        self._secret = secret
        self._payments = Payments(state_dir / "gateway.sqlite3")
        self._faults = Faults()
        self._callbacks = CallbackSender(self._payments, lambda: secret()["callback_key"], retry_delays, self._faults)

    def handle(self, request: Request) -> Response:
        """The answer to a request whose path is `base_url`'s or lies below it."""
        parts = [unquote(part) for part in request.path.removeprefix(self._root).strip("/").split("/")]
        try:
            return self._route(request, parts)
        finally:
            self._callbacks.wake()

    def close(self) -> None:
        """Ends the callbacks' thread and closes the state."""
        self._callbacks.close()
        self._payments.close()

    def _route(self, request: Request, parts: list[str]) -> Response:
        match parts:
            case ["v1", "payments", *rest]:
                return self._misbehaved(request, rest)
            case ["faults"]:
                return self._misbehave(request.body)
            case ["pay", payment_id] if payment := self._payments.by_id(payment_id):
                return self._page(request, payment)
            case [reference, outcome] if outcome in OUTCOMES | AFTERWARDS | MARKS:
                return self._act(request, reference, outcome)
        return _error(404, "not_found", "Not found")

    def _misbehave(self, body: bytes) -> Response:
        try:
            fields = _fields(body)
            rate, seed = fields.get("rate"), fields.get("seed")
            if not (isinstance(rate, int | float) and 0 <= rate <= 1 and isinstance(seed, int)):
                raise ValueError("rate must be 0 to 1 and seed a whole number")
        except ValueError as error:
            return _error(422, "invalid", str(error))
        self._faults.set(rate, seed)
        return json_response(200, {"rate": rate, "seed": seed})

    def _misbehaved(self, request: Request, rest: list[str]) -> Response:
        """A merchant's call as it is answered, or as a fault has it."""
        fault = self._faults.of_call()
        if fault == FAILS:
            return _error(500, "fault", "The gateway fails")
        if fault == IS_SLOW:
            self._faults.be_slow()
        answer = self._merchant(request, rest)
        if fault == FALLS_SILENT or self._is_silent(request, rest):
            return _error(504, "fault", "The gateway falls silent")
        if fault == LIES and request.method == "GET" and (another := self._payments.any()):
            return self._shown(another)
        return answer

    def _is_silent(self, request: Request, rest: list[str]) -> bool:
        """Whether a call is about an order of which nothing is said."""
        by_reference = self._payments.by_reference(request.query.get("reference", ""))
        return self._payments.is_marked(by_reference.id if by_reference else "/".join(rest[:1]), "silent")

    def _merchant(self, request: Request, rest: list[str]) -> Response:
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self._secret()['api_key']}".encode()):
            return _error(401, "unauthorized", "The API key is missing or wrong")
        match request.method, rest:
            case "POST", []:
                return self._create(request.body)
            case "GET", []:
                return self._shown(self._payments.by_reference(request.query.get("reference", "")))
            case "GET", [payment_id]:
                return self._shown(self._payments.by_id(payment_id))
            case "POST", ["cancel"]:
                return self._cancel(self._payments.by_reference(request.query.get("reference", "")))
            case "POST", [payment_id, "refunds"]:
                return self._refund(self._payments.by_id(payment_id), request.body)
        return _error(404, "not_found", "Not found")

    def _create(self, body: bytes) -> Response:
        try:
            order = _order(body)
        except ValueError as error:
            return _error(422, "invalid", str(error))
        payment, new = self._payments.create(order)
        return json_response(201 if new else 200, self._view(payment))

    def _cancel(self, payment: Payment | None) -> Response:
        if payment is None:
            return _error(404, "not_found", "No such payment")
        if self._payments.is_marked(payment.id, "refuses_close"):
            return _error(409, "in_progress", "The customer is confirming the payment")
        try:
            return self._shown(self._payments.end(payment, "failed"))
        except ImpossibleError as error:
            return _error(409, "over", str(error))

    def _refund(self, payment: Payment | None, body: bytes) -> Response:
        if payment is None:
            return _error(404, "not_found", "No such payment")
        try:
            reference, amount = _money(_fields(body))
            self._payments.refund(payment, reference, amount)
        except ValueError as error:
            return _error(422, "invalid", str(error))
        except ImpossibleError as error:
            return _error(409, "not_paid", str(error))
        return json_response(200, {"reference": reference, "amount": amount, "status": "refunded"})

    def _page(self, request: Request, payment: Payment) -> Response:
        if request.method == "GET":
            return pay_page(payment, language(request.query.get("lang")), "/console/style.css")
        if request.method != "POST":
            return method_not_allowed("GET", "POST")
        outcome = parse_qs(request.body.decode("latin-1")).get("outcome", [""])[0]
        if outcome not in OUTCOMES:
            return _error(422, "invalid", f"outcome must be one of {', '.join(OUTCOMES)}")
        try:
            self._payments.end(payment, OUTCOMES[outcome])
        except ImpossibleError:
            # A page left open after the payment ended another way: show how it ended.
            return Response(303, (("Location", self._pay_url(payment)),))
        return Response(303, (("Location", payment.return_url), ("Cache-Control", "no-store")))

    def _act(self, request: Request, reference: str, outcome: str) -> Response:
        if request.method != "POST":
            return method_not_allowed("POST")
        payment = self._payments.by_reference(reference)
        if payment is None:
            return _error(404, "not_found", "No such payment")
        if outcome in MARKS:
            mark, on = MARKS[outcome]
            self._payments.mark(payment, mark, on=on)
            return self._shown(payment)
        try:
            if outcome in AFTERWARDS:
                return self._shown(self._payments.go_on(payment, outcome))
            return self._shown(self._payments.end(payment, OUTCOMES[outcome]))
        except ImpossibleError as error:
            return _error(409, "impossible", str(error))

    def _shown(self, payment: Payment | None) -> Response:
        if payment is None:
            return _error(404, "not_found", "No such payment")
        return json_response(200, self._view(payment))

    def _view(self, payment: Payment) -> dict[str, Any]:
        return {**asdict(payment), "currency": "IQD", "pay_url": self._pay_url(payment)}

    def _pay_url(self, payment: Payment) -> str:
        return f"{self.base_url}/pay/{quote(payment.id)}"


def _order(body: bytes) -> Order:
    """Reads a merchant's order. Raises ValueError that names the field."""
    fields = _fields(body)
    reference, amount = _money(fields)
    if fields.get("currency") != "IQD":
        raise ValueError("currency must be IQD")
    description = fields.get("description")
    if not (isinstance(description, str) and 1 <= len(description) <= 500):
        raise ValueError("description must be a text of 1 to 500 characters")
    return Order(
        reference,
        amount,
        description,
        _web_address(fields, "callback_url"),
        _web_address(fields, "return_url"),
        _moment(fields, "expires_at"),
    )


def _fields(body: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(body)
    except ValueError:
        raise ValueError("The body must be JSON") from None
    if not isinstance(fields, dict):
        raise ValueError("The body must be a JSON object")
    return fields


def _money(fields: dict[str, Any]) -> tuple[str, int]:
    reference, amount = fields.get("reference"), fields.get("amount")
    if not (isinstance(reference, str) and _REFERENCE.fullmatch(reference)):
        raise ValueError("reference must be 1 to 64 letters, digits, '.', '_' or '-'")
    if type(amount) is not int or not 1 <= amount <= _MAX_AMOUNT:
        raise ValueError("amount must be whole dinars, 1 to 10,000,000,000")
    return reference, amount


def _web_address(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if isinstance(value, str) and _ADDRESS.fullmatch(value) and urlsplit(value).hostname:
        return value
    raise ValueError(f"{name} must be an http or https address")


def _moment(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    try:
        if isinstance(value, str) and datetime.fromisoformat(value).tzinfo:
            return value
    except ValueError:
        pass
    raise ValueError(f"{name} must be an ISO 8601 time with an offset")


def _error(status: int, code: str, text: str) -> Response:
    return json_response(status, {"error": {"code": code, "message": text}})
