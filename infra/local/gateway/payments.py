"""The sandbox gateway's payments: what it remembers, and which status may follow which."""

import secrets
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

OUTCOMES = {"pay": "paid", "fail": "failed", "expire": "expired"}
"""What the customer makes of an order on the page."""
AFTERWARDS = {
    "late": (("failed", "expired"), "paid"),
    "return_money": (("paid",), "refunded"),
    "bounce": (("refunded",), "paid"),
}
"""What becomes of an order after its end, without the merchant: from which statuses, and to which.

``late``: money comes all the same; ``return_money``: the gateway's office gives it back; ``bounce``: that comes back.
"""
MARKS = {"refuse_close": ("refuses_close", True), "silent": ("silent", True), "speak": ("silent", False)}
"""How the gateway behaves about an order from then on: it does not close it, as one that is being confirmed; it says
nothing of it, and does again."""

_SCHEMA = """
create table if not exists payments (
    id text primary key, reference text not null unique, amount integer not null, description text not null,
    callback_url text not null, return_url text not null, expires_at text not null, created_at text not null,
    status text not null, paid_at text
) strict;
create table if not exists refunds (
    reference text primary key, payment_id text not null, amount integer not null
) strict;
create table if not exists marks (
    payment_id text not null, mark text not null, primary key (payment_id, mark)
) strict;
create table if not exists callbacks (
    payment_id text not null, status text not null, tries integer not null, due real not null,
    primary key (payment_id, status)
) strict;
"""

_BY_ID = "select * from payments where id = ?"
_BY_REFERENCE = "select * from payments where reference = ?"


class ImpossibleError(Exception):
    """The payment's status does not allow the step."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a merchant asks to be paid: whole dinars, times in ISO 8601 with an offset."""

    reference: str
    amount: int
    description: str
    callback_url: str
    return_url: str
    expires_at: str


@dataclass(frozen=True, slots=True)
class Payment(Order):
    """An order with its fate: `status` is created, paid, failed, expired or refunded."""

    id: str
    created_at: str
    status: str
    paid_at: str | None


@dataclass(frozen=True, slots=True)
class Callback:
    """News of a payment that the merchant has not acknowledged; `due` is in seconds since the epoch."""

    payment_id: str
    status: str
    tries: int
    due: float


def utc_now() -> datetime:
    return datetime.now(UTC)


class Payments:
    """Payments and unacknowledged callbacks in one SQLite file, safe to use from many threads."""

    def __init__(self, path: Path, now: Callable[[], datetime] = utc_now) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._now = now
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.executescript(f"pragma journal_mode = wal; {_SCHEMA}")
        # Whoever did not acknowledge before a restart has most likely been restarted as well.
        self._db.execute("update callbacks set due = 0")

    def create(self, order: Order) -> tuple[Payment, bool]:
        """The payment of `order.reference`, and whether it is new; a reference known already keeps its first order."""
        with self._lock:
            known = self.by_reference(order.reference)
            if known:
                return known, False
            payment_id = f"sgw_{secrets.token_urlsafe(12)}"
            self._db.execute(
                "insert into payments values (?, ?, ?, ?, ?, ?, ?, ?, 'created', null)",
                (payment_id, order.reference, order.amount, order.description, order.callback_url, order.return_url,
                 order.expires_at, self._now().isoformat(timespec="seconds")),
            )  # fmt: skip
            return self._one(payment_id), True

    def by_id(self, payment_id: str) -> Payment | None:
        return self._found(_BY_ID, payment_id)

    def by_reference(self, reference: str) -> Payment | None:
        return self._found(_BY_REFERENCE, reference)

    def any(self) -> Payment | None:
        """One of them, by chance."""
        with self._lock:
            row = self._db.execute("select * from payments order by random() limit 1").fetchone()
            return Payment(**row) if row else None

    def end(self, payment: Payment, status: str) -> Payment:
        """The customer's step: `created` becomes `status`, and a callback falls due. Again the same: no change.

        Raises ImpossibleError where it has ended otherwise.
        """
        with self._lock:
            now = self._now()
            paid_at = now.isoformat(timespec="seconds") if status == "paid" else None
            changed = self._db.execute(
                "update payments set status = ?, paid_at = ? where id = ? and status = 'created'",
                (status, paid_at, payment.id),
            ).rowcount
            if changed:
                self._call_back(payment, status)
            current = self._one(payment.id)
            if current.status != status:
                raise ImpossibleError(f"The payment is {current.status}")
            return current

    def go_on(self, payment: Payment, step: str) -> Payment:
        """One of the steps AFTERWARDS, and a callback falls due. Again the same: no change.

        Raises ImpossibleError where the status does not allow it.
        """
        before, after = AFTERWARDS[step]
        with self._lock:
            current = self._one(payment.id)
            if current.status in before:
                self._db.execute("update payments set status = ? where id = ?", (after, payment.id))
                self._call_back(payment, after)
            elif current.status != after:
                raise ImpossibleError(f"The payment is {current.status}")
            return self._one(payment.id)

    def mark(self, payment: Payment, mark: str, *, on: bool) -> None:
        """Sets or takes off how the gateway behaves about an order."""
        put, drop = "insert or ignore into marks values (?, ?)", "delete from marks where (payment_id, mark) = (?, ?)"
        with self._lock:
            self._db.execute(put if on else drop, (payment.id, mark))

    def is_marked(self, payment_id: str, mark: str) -> bool:
        with self._lock:
            asked = "select 1 from marks where (payment_id, mark) = (?, ?)"
            return self._db.execute(asked, (payment_id, mark)).fetchone() is not None

    def refund(self, payment: Payment, reference: str, amount: int) -> None:
        """Gives so much of a payment back, once for each reference; `refunded` is one that is given back whole.

        Raises ImpossibleError where it was not paid, or not so much of it is left.
        """
        with self._lock:
            if self._db.execute("select 1 from refunds where reference = ?", (reference,)).fetchone():
                return
            given = self._db.execute(
                "select coalesce(sum(amount), 0) from refunds where payment_id = ?", (payment.id,)
            ).fetchone()[0]
            current = self._one(payment.id)
            if current.status != "paid" or given + amount > payment.amount:
                raise ImpossibleError(f"The payment is {current.status}, and {given} dinars of it are given back")
            self._db.execute("insert into refunds values (?, ?, ?)", (reference, payment.id, amount))
            if given + amount == payment.amount:
                self._db.execute("update payments set status = 'refunded' where id = ?", (payment.id,))

    def next_callback(self) -> Callback | None:
        """The callback that is due first."""
        with self._lock:
            row = self._db.execute("select * from callbacks order by due limit 1").fetchone()
            return Callback(**row) if row else None

    def postpone(self, callback: Callback, due: float) -> None:
        """Counts one more try of `callback`, the next one at `due`."""
        self._change_callback("update callbacks set tries = tries + 1, due = ?", callback, due)

    def delay(self, callback: Callback, due: float) -> None:
        """`callback` falls due later, without a try."""
        self._change_callback("update callbacks set due = ?", callback, due)

    def forget(self, callback: Callback) -> None:
        """Drops `callback`: acknowledged, or given up."""
        self._change_callback("delete from callbacks", callback)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def _call_back(self, payment: Payment, status: str) -> None:
        if self.is_marked(payment.id, "silent"):
            return
        due = self._now().timestamp()
        self._db.execute("insert or replace into callbacks values (?, ?, 0, ?)", (payment.id, status, due))

    def _change_callback(self, change: str, callback: Callback, *values: Any) -> None:
        with self._lock:
            self._db.execute(
                f"{change} where payment_id = ? and status = ?", (*values, callback.payment_id, callback.status)
            )

    def _found(self, query: str, value: str) -> Payment | None:
        with self._lock:
            row = self._db.execute(query, (value,)).fetchone()
            if row is None:
                return None
            payment = Payment(**row)
            if payment.status == "created" and datetime.fromisoformat(payment.expires_at) <= self._now():
                return self.end(payment, "expired")
            return payment

    def _one(self, payment_id: str) -> Payment:
        return Payment(**self._db.execute(_BY_ID, (payment_id,)).fetchone())
