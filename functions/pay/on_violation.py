"""Violations stream: what the directorate says of a fine after it was settled here may mean that its money goes back.

Nothing is given back by it: an operator decides about each, once.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pay.ports import payments, settlements, wants
from shared.clock import now
from shared.domain import violation
from shared.domain.payment import Payment
from shared.domain.settlement import paid_twice
from shared.domain.time import to_text
from shared.domain.violation import Violation
from shared.failed_records import lay_aside
from shared.observability import count, log_with, logger
from shared.stores.items import UNREADABLE
from shared.stores.paying.wants import CANCELLED, MOVED, PAID_TWICE, Want
from shared.stores.violation_rows import read


def cause(fine: Violation, payment: Payment) -> str | None:
    """Return why the money of a fine may have to go back to who paid it here, by its newest image; None for none."""
    settled = {line.violation_no: line.plate_key for line in payment.settled_lines}
    if fine.violation_no not in settled:
        return None  # the image is older than what was decided
    if fine.status == violation.CANCELLED:
        return CANCELLED
    if fine.status == violation.PAID and _other_receipt(fine):
        return PAID_TWICE
    return MOVED if fine.plate_key != settled[fine.violation_no] else None


def _other_receipt(fine: Violation) -> bool:
    """Whether a fine was paid elsewhere too: what a sector was told of us comes back with our receipt, or with none."""
    given, ours = fine.counter_receipt_no, fine.receipt_no or ""
    return given is not None and given.strip().casefold() != ours.casefold()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point. Payments are read a hundred a call; what cannot be read is laid aside and stops nothing."""
    log_with(request_id=context.aws_request_id)
    fines: list[tuple[Any, Violation]] = []
    poison: list[Any] = []
    for record in event["Records"]:
        try:
            fines.append((record, read(record["dynamodb"]["NewImage"])))
        except UNREADABLE as error:
            _log(record, error)
            poison.append(record)
    unreadable: list[Exception] = []
    paid_by = {fine.paid_by for _, fine in fines if fine.paid_by}
    found = payments().several(paid_by, unreadable)
    for record, fine in fines:
        if fine.paid_by and fine.paid_by not in found:
            _log(record, unreadable[0] if unreadable else KeyError("no such payment"))
            poison.append(record)
    _enter([fine for _, fine in fines], found, now())
    return {"batchItemFailures": lay_aside(poison, event, context.invoked_function_arn)}


def _enter(fines: list[Violation], found: Mapping[str, Payment], at: datetime) -> None:
    """Enter what may have to go back, each once however often it is said. One write for each that is new."""
    wanted: dict[tuple[str, str], Want] = {}
    for fine in fines:
        payment = found.get(fine.paid_by or "")
        if payment and (why := cause(fine, payment)):
            want = Want(fine.violation_no, payment.payment_id, why, to_text(at))
            wanted[(want.violation_no, want.payment_id)] = want
    before = wants().known(wanted)
    for pair, want in wanted.items():
        if pair in before:
            continue
        entries = []
        if want.cause == PAID_TWICE:  # the sector is asked
            entries = [paid_twice(found[want.payment_id], want.violation_no, want.at)]
        if wants().enter(want, map(settlements().due_action, entries)):
            count("PaidTwice", len(entries))
            about = {"payment_id": want.payment_id, "cause": want.cause}
            logger().info("settled money may be wanted back", extra=about)


def _log(record: Any, error: Exception) -> None:
    about = {"error": type(error).__name__, "event_id": record["eventID"]}
    logger().error("a record is not a settled violation's", extra=about)
