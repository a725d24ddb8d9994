"""What happened after the instant to which tables were restored, by the lines that were kept of it in the log.

A payment that the tables have forgotten is asked for at its gateway. Money that is there comes under review, for a
person to decide, and holds its violations if they are free; an order without money is expired, and what its gateway
says later is heard as of any other. Whose it was is not known. A message that was claimed since is
``unknown``, as after any claim of which nothing more is known: it is not sent again, and its markers stand.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from infra.operator.deciding import stores_of
from infra.operator.deployment import Deployment
from pay.gateways import OrderStatus
from shared.aws_json import Json
from shared.domain.message import Message, MessageKind, MessageStatus
from shared.domain.money import CURRENCY
from shared.domain.payment import Line, Payment, PaymentStatus, ReturnState
from shared.domain.time import to_text
from shared.domain.violation import UNPAID, Violation
from shared.stores.items import Item, is_made, pack, transact
from shared.stores.kept_lines import CLAIM, KEPT, PAYMENT
from shared.stores.messaging.message_items import written
from shared.stores.messaging.messages import marker
from shared.stores.messaging.news import told_marker
from shared.stores.paying.payment_items import item_of

WRITERS: Final = ("PayApi", "PayOnCallback", "PayPollGateways", "NotifySendSms")
"""Functions in whose logs the lines are."""
NOBODY: Final = "restored"
"""The ``sub`` of what is put back without its citizen: no token can name it."""
REASON: Final = "restored"
KNOWN: Final = "known"
UNKNOWN: Final = "unknown"
_MONEY: Final = frozenset({OrderStatus.PAID, OrderStatus.REFUNDING})


class Forgotten(NamedTuple):
    """A payment by its lines. refund_asked_at: when its money was first asked back."""

    payment_id: str
    gateway: str
    gateway_id: str | None
    amount: int
    created_at: str
    expires_at: str
    violations: tuple[tuple[str, int], ...]
    refund_asked_at: str | None


def lines(deployment: Deployment, since: datetime) -> Iterator[Json]:
    """Read the lines that were kept from an instant on, group by group; of each group the oldest first."""
    logs = deployment.clients("logs")
    for writer in WRITERS:
        if group := deployment.physical.get(f"{writer}Logs"):
            pages = logs.get_paginator("filter_log_events").paginate(
                logGroupName=group, filterPattern=f'{{ $.{KEPT} = "*" }}', startTime=int(since.timestamp() * 1000)
            )
            yield from (json.loads(event["message"]) for page in pages for event in page["events"])


def payments(found: Iterable[Json]) -> dict[str, Forgotten]:
    """Put the lines of each payment together, in whatever order they come. Holds what happened since the instant."""
    kept: dict[str, Forgotten] = {}
    for line in found:
        if line[KEPT] != PAYMENT:
            continue
        asked = line["at"] if line["what"] == "refund_asked" else None
        violations = tuple((number, amount) for number, amount in line["violations"])
        names = ("payment_id", "gateway", "gateway_id", "amount", "created_at", "expires_at")
        one = Forgotten(**{name: line[name] for name in names}, violations=violations, refund_asked_at=asked)
        if before := kept.get(one.payment_id):
            instants = [at for at in (before.refund_asked_at, asked) if at]
            one = one._replace(
                gateway_id=before.gateway_id or one.gateway_id, refund_asked_at=min(instants, default=None)
            )
        kept[one.payment_id] = one
    return kept


def ask(deployment: Deployment, payment: Forgotten) -> Mapping[str, Any]:
    """Ask a payment's gateway about its order, through the function that has its keys."""
    question = {"order": payment.payment_id, "gateway": payment.gateway, "gateway_id": payment.gateway_id}
    answer = deployment.clients("lambda").invoke(
        FunctionName=deployment.physical["PayPollGateways"], Payload=json.dumps(question).encode()
    )
    if "FunctionError" in answer:
        return {"status": UNKNOWN}
    order: Mapping[str, Any] = json.loads(answer["Payload"].read())
    return order


def put_back(deployment: Deployment, one: Forgotten, at: datetime) -> str:
    """Put a payment back that the tables have forgotten, as its gateway says. Returns its status, or why it is not.

    Put before, it stays as it is: ``known``. Where its gateway does not say, nothing is done: ``unknown``; nor where
    somebody comes between: ``changed meanwhile``. Those are tried again by the same command.
    """
    tables = stores_of(deployment)
    known = tables.payments.get(one.payment_id)
    if known:
        due = tables.returns.last(known)
        if one.refund_asked_at and due and due.state == ReturnState.DUE:
            asked = due._replace(state=ReturnState.ASKED, asked_at=one.refund_asked_at)
            tables.payments.change(known, known, at, [tables.returns.change_action(due, asked)], what="refund_asked")
        return KNOWN
    order = ask(deployment, one)
    if order["status"] == UNKNOWN:
        return UNKNOWN
    violations = tables.violations.get(number for number, _ in one.violations)
    payment = _payment(one, order, violations, at)
    actions = [_put(deployment, "Payments", item_of(payment))]
    if payment.gateway_id:
        actions.append(tables.payments.bind_action(payment, payment.gateway_id))
    if payment.status == PaymentStatus.REVIEW:
        free = [each for each in violations.values() if each.state == UNPAID]
        actions += [tables.violations.hold(each, one.payment_id) for each in free]
    return str(payment.status) if is_made(lambda: transact(deployment.call, actions)) else "changed meanwhile"


def _put(deployment: Deployment, table: str, item: Item, condition: str | None = "attribute_not_exists(pk)") -> Json:
    put: Json = {"TableName": deployment.physical[table], "Item": item}
    return {"Put": put | ({"ConditionExpression": condition} if condition else {})}


def _payment(one: Forgotten, order: Mapping[str, Any], violations: Mapping[str, Violation], at: datetime) -> Payment:
    status = PaymentStatus.EXPIRED
    if order["status"] in _MONEY:
        status = PaymentStatus.REVIEW
    elif order["status"] == OrderStatus.REFUNDED:
        status = PaymentStatus.REFUNDED
    has_money = status != PaymentStatus.EXPIRED
    return Payment(
        payment_id=one.payment_id,
        sub=NOBODY,
        gateway=one.gateway,
        status=status,
        lines=tuple(_line(number, amount, violations.get(number)) for number, amount in one.violations),
        amount=one.amount,
        created_at=one.created_at,
        expires_at=one.expires_at,
        return_url="",
        gateway_id=one.gateway_id or order.get("gateway_id"),
        received=order["amount"] if has_money and order["currency"] == CURRENCY else 0,
        paid_at=to_text(at) if has_money else None,
        ended_at=None if has_money else to_text(at),
        reason=REASON,
    )


def _line(number: str, amount: int, violation: Violation | None) -> Line:
    """A line of a payment; of a violation that is not known any more, without its plate and sector."""
    if violation is None:
        return Line(number, amount, "", "", "")
    return Line(number, amount, violation.plate_key, violation.sector_code, violation.sector_governorate or "")


def end_claim(deployment: Deployment, line: Json, at: datetime) -> str:
    """Let a message that was claimed be ``unknown``, unless its item knows of the claim (``known``)."""
    messages, message_id = stores_of(deployment).messages, line["message_id"]
    message = messages.get(message_id)
    if message and message.attempts >= line["attempt"]:
        return KNOWN
    if message:
        messages.give_up(message_id, MessageStatus.UNKNOWN, REASON, at)
        return MessageStatus.UNKNOWN
    kind, numbers = MessageKind(line["kind"]), tuple(line["violations"])
    new = Message(message_id, NOBODY, kind, line["created_at"], violations=numbers)
    item = written(new, at) | pack({"status": MessageStatus.UNKNOWN, "ended_at": to_text(at), "reason": REASON})
    del item["due"]
    marks = (
        pack({"pk": key, "message_id": message_id}) | {"expires": item["expires"]}
        for key in _markers(deployment, line, numbers)
    )
    actions = [_put(deployment, "Messages", item), *(_put(deployment, "Messages", mark, None) for mark in marks)]
    is_made(lambda: transact(deployment.call, actions))
    return MessageStatus.UNKNOWN


def _markers(deployment: Deployment, line: Json, numbers: tuple[str, ...]) -> set[str]:
    """The keys of the markers that a claimed message stood for, by what the table says of its violations now."""
    who, kind = line["who"], line["kind"]
    if who is None or not numbers:
        return set()
    violations = stores_of(deployment).violations
    plates = {number: violation.plate_key for number, violation in violations.get(numbers).items()}
    if kind == MessageKind.DOUBLING_SOON:
        return {marker(plate, who, f"{kind}#{line['created_at'][:10]}") for plate in plates.values()}
    episodes = violations.episodes(numbers)
    return {told_marker(number, who, kind, plates.get(number, ""), episodes.get(number)) for number in numbers}


def is_claim(line: Json) -> bool:
    """Return whether a line is of a claimed message."""
    return bool(line[KEPT] == CLAIM)
