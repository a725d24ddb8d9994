"""Every contradiction between tables that belong together is found, by its name and ids; books in order hold none."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from infra.operator.recovery.cross_check import CONTRADICTIONS, TABLES, CrossCheck, Row
from infra.operator.recovery.reading import rows
from shared.clock import now
from tests.support.aws import Engine
from tests.support.build import follow, store, violation
from tests.support.functions import Functions

Kept = tuple[str, Row]

PAID: tuple[Kept, ...] = (
    ("payments", ("P", "paid", 50, "R", 50, "fib", "G")),
    ("lines", ("P", "V", 50, 1)),
    ("orders", ("fib", "G", "P")),
    ("receipts", ("R", "P", 50, 0)),
    ("violations", ("V", None, "P", 50, "R")),
    ("entries", ("settled", "P", 50, "DUE#0", "")),
)
LIVE: tuple[Kept, ...] = (
    ("payments", ("P", "pending", 50, None, 0, "fib", "G")),
    ("lines", ("P", "V", 50, 0)),
    ("orders", ("fib", "G", "P")),
    ("live", ("S", "P")),
    ("violations", ("V", "P", None, None, None)),
)
BACK: tuple[Kept, ...] = (
    ("payments", ("P", "refunded", 50, "R", 0, "fib", "G")),
    ("lines", ("P", "V", 50, 0)),
    ("orders", ("fib", "G", "P")),
    ("receipts", ("R", "P", 50, 1)),
    ("violations", ("V", None, None, None, None)),
    ("entries", ("settled", "P", 50, "BATCH#1", "")),
    ("entries", ("reversed", "P", 50, "DUE#0", "")),
)
OVER: tuple[Kept, ...] = (
    ("payments", ("P", "expired", 50, None, 0, "fib", None)),
    ("lines", ("P", "V", 50, 0)),
    ("violations", ("V", None, None, None, None)),
)
TOLD: tuple[Kept, ...] = (
    ("messages", ("M", "new_violation", "sent")),
    ("said", ("M", "V")),
    ("markers", ("TOLD#V#who#new_violation", "M")),
    ("violations", ("V", None, None, None, None)),
)


def found(kept: Iterable[Kept]) -> set[tuple[str, tuple[str, ...]]]:
    with CrossCheck(":memory:") as check:
        check.enter(kept)
        return {(one.name, one.ids) for one in check.contradictions()}


def without(kept: Iterable[Kept], kind: str) -> list[Kept]:
    return [one for one in kept if one[0] != kind]


def put(kept: Iterable[Kept], kind: str, *row: Any) -> list[Kept]:
    """The same with another row of a kind in place of what there is of it."""
    return [*without(kept, kind), (kind, row)]


SETTLED = ("entries", ("settled", "P", 50, "DUE#0", ""))

PLANTED: dict[str, tuple[list[Kept], tuple[str, ...]]] = {
    "hold of an unknown payment": (put((), "violations", "V", "P", None, None, None), ("V", "P")),
    "hold of a payment that is over": (put(OVER, "violations", "V", "P", None, None, None), ("V", "P")),
    "hold of a payment that is for others": ([*LIVE, ("violations", ("W", "P", None, None, None))], ("W", "P")),
    "live payment without its hold": (put(LIVE, "violations", "V", None, None, None, None), ("P", "V")),
    "violation paid by an unknown payment": (put((), "violations", "V", None, "P", 50, "R"), ("V", "P")),
    "violation paid by a payment that has not settled it": (
        put(BACK, "violations", "V", None, "P", 50, "R"),
        ("V", "P"),
    ),
    "settled violation that is not paid": (put(PAID, "violations", "V", None, None, None, None), ("P", "V")),
    "violation paid by another amount or receipt": (put(PAID, "violations", "V", None, "P", 25, "R"), ("V", "P")),
    "receipt of an unknown payment": (put((), "receipts", "R", "P", 50, 0), ("R", "P")),
    "receipt that its payment does not have": ([*PAID, ("receipts", ("Q", "P", 50, 0))], ("Q", "P")),
    "receipt of another amount": (put(PAID, "receipts", "R", "P", 25, 0), ("R", "P")),
    "payment without its receipt": (without(PAID, "receipts"), ("P", "R")),
    "void receipt of settled money": (put(PAID, "receipts", "R", "P", 50, 1), ("R", "P")),
    "good receipt of money that went back": (put(BACK, "receipts", "R", "P", 50, 0), ("R", "P")),
    "entry of an unknown payment": (put((), "entries", "settled", "P", 50, "DUE#0", ""), ("settled", "P")),
    "payment without its entry": (without(PAID, "entries"), ("P", "settled")),
    "entry of a payment that has settled nothing": (
        put(OVER, "entries", "settled", "P", 50, "DUE#0", ""),
        ("settled", "P"),
    ),
    "entries of another amount": (put(PAID, "entries", "settled", "P", 25, "DUE#0", ""), ("P", "R")),
    "entry in two places": ([*PAID, ("entries", ("settled", "P", 50, "BATCH#1", ""))], ("settled", "P")),
    "money that went back without a reversal": (put(BACK, "entries", "settled", "P", 50, "BATCH#1", ""), ("P", "R")),
    "order of an unknown payment": (put((), "orders", "fib", "G", "P"), ("fib", "G", "P")),
    "payment without its order": (without(PAID, "orders"), ("P", "G")),
    "payment that is over among a citizen's live ones": ([*OVER, ("live", ("S", "P"))], ("P",)),
    "live payment that is not among its citizen's": (without(LIVE, "live"), ("P",)),
    "news that went out without a marker": (without(TOLD, "markers"), ("M", "new_violation")),
    "news of an unknown violation": (without(TOLD, "violations"), ("M", "V")),
}


@pytest.mark.parametrize("kept", [PAID, LIVE, BACK, OVER, TOLD], ids=["paid", "live", "back", "over", "told"])
def test_books_in_order_hold_no_contradiction(kept: tuple[Kept, ...]) -> None:
    assert not found(kept)


def test_every_contradiction_is_planted() -> None:
    assert PLANTED.keys() == CONTRADICTIONS.keys()
    assert {kind for kept, _ in PLANTED.values() for kind, _ in kept} == TABLES.keys()


@pytest.mark.parametrize("name", PLANTED)
def test_a_contradiction_is_found_and_no_other(name: str) -> None:
    kept, ids = PLANTED[name]
    assert found(kept) == {(name, ids)}


def test_what_the_platform_does_contradicts_nowhere(engine: Engine, functions: Functions) -> None:
    follow(functions.citizens)
    fines = [violation() for _ in range(4)]
    functions.announce(functions.opened(*fines))
    functions.send_due()
    store(functions.violations, *fines)
    paid, given_up, live = (
        functions.pay(
            {"violations": [fine.violation_no], "gateway": "sandbox", "return_url": "https://tf.ur.gov.iq/paid"},
            key=f"key-0000000{number}",
        ).body["payment_id"]
        for number, fine in enumerate(fines[:3])
    )
    functions.gateway.says(paid)
    functions.callback(paid)
    functions.cancel(given_up)
    deployment: Any = type(
        "Stand", (), {"physical": functions.tables, "call": staticmethod(engine.fast()), "clock": staticmethod(now)}
    )
    kinds: dict[str, int] = {}
    everything = list(rows(deployment))
    for kind, _ in everything:
        kinds[kind] = kinds.get(kind, 0) + 1
    assert kinds == {**dict.fromkeys(TABLES, 1), "payments": 3, "lines": 3, "violations": 4, "orders": 3} | {
        name: kinds[name] for name in ("messages", "said", "markers")
    }
    assert live
    assert not found(everything)
