"""Checks of the way back: a phase that is lowered while money is under way, and a sign-in that names people anew."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from infra.operator.preflight.account import Account
from infra.operator.preflight.lines import LOOK, OK, STOP, Line
from shared.stores.paying.payment_items import TO_ASK
from shared.stores.paying.payments import Payments

MAX_COUNTED = 1_000


def phase(account: Account) -> Iterator[Line]:
    """A lower phase, and the payments that are under way."""
    if not account.stands or "Phase" not in account.deployment.parameters:  # made of what a deleted one left
        return
    before, after = int(account.deployment.parameters["Phase"]), account.settings.phase
    if after >= before:
        yield Line(OK, "phase", f"{after}, after {before}")
        return
    deployment = account.deployment
    payments = Payments(deployment.call, deployment.physical["Payments"]).unfinished(TO_ASK, deployment.clock())
    live = sum(1 for _ in islice(payments, MAX_COUNTED))
    if live:
        way_out = "make pause WHAT=payments REASON='...' APPLY=1, wait until none is left, then lower Phase"
        count = f"{live:,}{' or more' if live == MAX_COUNTED else ''}"
        yield Line(STOP, "phase", f"from {before} back to {after}, and payments under way: {count}", way_out)
    else:
        yield Line(OK, "phase", f"from {before} back to {after}: no payment is under way; receipts and callbacks stay")


def sign_in(account: Account) -> Iterator[Line]:
    """Another sign-in, and the citizens who are known by the one before."""
    if not account.stands or "SignIn" not in account.deployment.parameters:
        return
    before, after = account.deployment.parameters, account.settings.parameters
    if before["SignIn"] == after["SignIn"] and (after["SignIn"] == "ur" or before["JwtIssuer"] == after["JwtIssuer"]):
        yield Line(OK, "sign-in", f"{after['SignIn']}, as before")
        return
    table = account.deployment.physical["Citizens"]
    known = account.deployment.call("dynamodb", "Scan", {"TableName": table, "Limit": 1, "ConsistentRead": True})
    if not known["Items"]:
        yield Line(OK, "sign-in", "changes, and no citizen is known yet")
    elif before["SignIn"] != after["SignIn"]:
        why = f"from {before['SignIn']} to {after['SignIn']}: each citizen would lose vehicles and payments"
        yield Line(STOP, "sign-in", why, "leave SignIn as it is; there is no mapping of ids")
    else:
        why = f"JwtIssuer changes from {before['JwtIssuer']}: citizens stay who they are only where it names them alike"
        yield Line(LOOK, "sign-in", why, "ask whoever runs both issuers whether sub is the same in both")
