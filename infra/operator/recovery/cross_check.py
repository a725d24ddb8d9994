"""The books of the platform: where tables that belong together contradict one another.

A payment, its holds, its receipt and its entry are written in one transaction, and a message with its markers. So they
agree at every instant; tables that were restored to different ones do not. What the tables say is put as rows into a
database in a file, and each contradiction is one question to it: memory stays the same whatever the tables hold, disk
and calls grow with them (n items read once each, O(n log n) steps), and no table is written.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from shared.domain.message import OUT, MessageKind
from shared.domain.payment import LIVE, PaymentStatus
from shared.stores.messaging.news import KINDS

Row = tuple[str | int | None, ...]

TABLES: Final = {
    "payments": "id, status, amount, receipt_no, settled, gateway, gateway_id",
    "lines": "payment_id, violation_no, amount, is_settled",
    "orders": "gateway, gateway_id, payment_id",
    "live": "sub, payment_id",
    "receipts": "no, payment_id, amount, is_void",
    "violations": "no, held_by, paid_by, paid_amount, receipt_no",
    "entries": "kind, payment_id, amount, place, part",
    "messages": "id, kind, status",
    "said": "message_id, violation_no",
    "markers": "key, message_id",
}
"""Each kind of row, with its columns."""
_INDEXES: Final = {
    "payments": ("id",),
    "lines": ("payment_id, violation_no",),
    "orders": ("gateway, gateway_id", "payment_id"),
    "live": ("payment_id",),
    "receipts": ("no",),
    "violations": ("no",),
    "entries": ("payment_id, kind",),
    "said": ("message_id",),
    "markers": ("message_id",),
}
_WORDS: Final = {
    "live_states": LIVE,
    "holding_states": {*LIVE, PaymentStatus.REVIEW},
    "states_out": OUT,
    "news_kinds": {*KINDS.values(), MessageKind.DOUBLING_SOON},
}
"""Words of the domain, each set a table of its own, for the questions below."""

CONTRADICTIONS: Final = {
    "hold of an unknown payment": """
        SELECT v.no, v.held_by FROM violations v LEFT JOIN payments p ON p.id = v.held_by
        WHERE v.held_by IS NOT NULL AND p.id IS NULL""",
    "hold of a payment that is over": """
        SELECT v.no, v.held_by FROM violations v JOIN payments p ON p.id = v.held_by
        WHERE p.status NOT IN holding_states""",
    "hold of a payment that is for others": """
        SELECT v.no, v.held_by FROM violations v JOIN payments p ON p.id = v.held_by
        LEFT JOIN lines l ON l.payment_id = p.id AND l.violation_no = v.no WHERE l.violation_no IS NULL""",
    "live payment without its hold": """
        SELECT p.id, l.violation_no FROM payments p JOIN lines l ON l.payment_id = p.id
        LEFT JOIN violations v ON v.no = l.violation_no WHERE p.status IN live_states AND v.held_by IS NOT p.id""",
    "violation paid by an unknown payment": """
        SELECT v.no, v.paid_by FROM violations v LEFT JOIN payments p ON p.id = v.paid_by
        WHERE v.paid_by IS NOT NULL AND p.id IS NULL""",
    "violation paid by a payment that has not settled it": """
        SELECT v.no, v.paid_by FROM violations v JOIN payments p ON p.id = v.paid_by
        LEFT JOIN lines l ON l.payment_id = p.id AND l.violation_no = v.no WHERE l.is_settled IS NOT 1""",
    "settled violation that is not paid": """
        SELECT l.payment_id, l.violation_no FROM lines l LEFT JOIN violations v ON v.no = l.violation_no
        WHERE l.is_settled AND v.paid_by IS NOT l.payment_id""",
    "violation paid by another amount or receipt": """
        SELECT v.no, v.paid_by FROM violations v JOIN payments p ON p.id = v.paid_by
        JOIN lines l ON l.payment_id = p.id AND l.violation_no = v.no
        WHERE l.is_settled AND (v.paid_amount IS NOT l.amount OR v.receipt_no IS NOT p.receipt_no)""",
    "receipt of an unknown payment": """
        SELECT r.no, r.payment_id FROM receipts r LEFT JOIN payments p ON p.id = r.payment_id WHERE p.id IS NULL""",
    "receipt that its payment does not have": """
        SELECT r.no, r.payment_id FROM receipts r JOIN payments p ON p.id = r.payment_id
        WHERE p.receipt_no IS NOT r.no""",
    "receipt of another amount": """
        SELECT r.no, r.payment_id FROM receipts r JOIN payments p ON p.receipt_no = r.no AND p.id = r.payment_id
        WHERE NOT r.is_void AND p.settled > 0 AND r.amount <> p.settled""",
    "payment without its receipt": """
        SELECT p.id, p.receipt_no FROM payments p LEFT JOIN receipts r ON r.no = p.receipt_no
        WHERE p.receipt_no IS NOT NULL AND r.no IS NULL""",
    "void receipt of settled money": """
        SELECT r.no, p.id FROM receipts r JOIN payments p ON p.id = r.payment_id WHERE r.is_void AND p.settled > 0""",
    "good receipt of money that went back": """
        SELECT r.no, p.id FROM receipts r JOIN payments p ON p.id = r.payment_id
        WHERE NOT r.is_void AND p.status = 'refunded'""",
    "entry of an unknown payment": """
        SELECT e.kind, e.payment_id FROM entries e LEFT JOIN payments p ON p.id = e.payment_id WHERE p.id IS NULL""",
    "payment without its entry": """
        SELECT p.id, 'settled' FROM payments p LEFT JOIN entries e ON e.payment_id = p.id AND e.kind = 'settled'
        WHERE p.receipt_no IS NOT NULL AND e.payment_id IS NULL""",
    "entry of a payment that has settled nothing": """
        SELECT e.kind, e.payment_id FROM entries e JOIN payments p ON p.id = e.payment_id WHERE p.receipt_no IS NULL""",
    "entries of another amount": """
        SELECT p.id, p.receipt_no FROM payments p
        JOIN (SELECT DISTINCT payment_id, kind, part, amount FROM entries) e ON e.payment_id = p.id
        WHERE p.settled > 0 AND e.kind IN ('settled', 'reversed') GROUP BY p.id
        HAVING sum(CASE e.kind WHEN 'settled' THEN e.amount ELSE -e.amount END) <> p.settled""",
    "entry in two places": """
        SELECT kind, payment_id FROM entries GROUP BY payment_id, kind, part HAVING count(*) > 1""",
    "money that went back without a reversal": """
        SELECT p.id, p.receipt_no FROM payments p
        LEFT JOIN entries e ON e.payment_id = p.id AND e.kind = 'reversed'
        WHERE p.status = 'refunded' AND p.receipt_no IS NOT NULL AND e.payment_id IS NULL""",
    "order of an unknown payment": """
        SELECT o.gateway, o.gateway_id, o.payment_id FROM orders o LEFT JOIN payments p ON p.id = o.payment_id
        WHERE p.id IS NULL""",
    "payment without its order": """
        SELECT p.id, p.gateway_id FROM payments p
        LEFT JOIN orders o ON o.gateway = p.gateway AND o.gateway_id = p.gateway_id
        WHERE p.gateway_id IS NOT NULL AND o.payment_id IS NOT p.id""",
    "payment that is over among a citizen's live ones": """
        SELECT i.payment_id FROM live i LEFT JOIN payments p ON p.id = i.payment_id
        WHERE p.status IS NULL OR p.status NOT IN live_states""",
    "live payment that is not among its citizen's": """
        SELECT p.id FROM payments p LEFT JOIN live i ON i.payment_id = p.id
        WHERE p.status IN live_states AND i.payment_id IS NULL""",
    "news that went out without a marker": """
        SELECT m.id, m.kind FROM messages m LEFT JOIN markers k ON k.message_id = m.id
        WHERE m.status IN states_out AND m.kind IN news_kinds AND k.key IS NULL""",
    "news of an unknown violation": """
        SELECT s.message_id, s.violation_no FROM said s JOIN messages m ON m.id = s.message_id
        LEFT JOIN violations v ON v.no = s.violation_no WHERE m.status IN states_out AND v.no IS NULL""",
}
"""By name, the question that finds the ids of what contradicts one another."""


class Contradiction(NamedTuple):
    """name: one of CONTRADICTIONS. ids: of the things that contradict one another."""

    name: str
    ids: tuple[str, ...]


class CrossCheck:
    """What the tables say, as rows in a file. Close it after use."""

    def __init__(self, file: Path | str) -> None:
        self._database = sqlite3.connect(file)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        for name, columns in TABLES.items():
            self._database.execute(f"CREATE TABLE {name} ({columns})")
        for name, words in _WORDS.items():
            self._database.execute(f"CREATE TABLE {name} (word)")
            self._database.executemany(f"INSERT INTO {name} VALUES (?)", [(str(word),) for word in words])  # noqa: S608
        self._sql = {
            name: f"INSERT INTO {name} VALUES ({', '.join('?' * len(columns.split(', ')))})"  # noqa: S608 (our names)
            for name, columns in TABLES.items()
        }

    def enter(self, rows: Iterable[tuple[str, Row]]) -> int:
        """Enter rows, each with the kind of it (TABLES); returns how many."""
        count = 0
        for kind, row in rows:
            self._database.execute(self._sql[kind], row)
            count += 1
        return count

    def contradictions(self) -> Iterator[Contradiction]:
        """Ask for every contradiction, one after the other."""
        for name, several in _INDEXES.items():
            for number, columns in enumerate(several):
                self._database.execute(f"CREATE INDEX IF NOT EXISTS {name}_{number} ON {name} ({columns})")
        for name, question in CONTRADICTIONS.items():
            for found in self._database.execute(question):
                yield Contradiction(name, tuple(map(str, found)))

    def close(self) -> None:
        """Let the file go."""
        self._database.close()

    def __enter__(self) -> CrossCheck:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()
