"""Settled money that may be wanted back: entered once for ever, listed until somebody decides."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.domain.time import to_text
from shared.stores.items import is_made, transact
from shared.stores.paying.wants import CANCELLED, MOVED, Want, Wants
from tests.support.aws import Engine, Tables, before
from tests.support.build import NOON

LATER = NOON + timedelta(minutes=1)
WANT = Want("V1", "p1", CANCELLED, to_text(NOON))


@pytest.fixture
def wants(engine: Engine, tables: Tables) -> Wants:
    return Wants(engine.fast(), tables["Payments"])


def decide(engine: Engine, wants: Wants, want: Want) -> bool:
    action = wants.decided_action(want.violation_no, want.payment_id, "keep", LATER)
    return is_made(lambda: transact(engine.fast(), [action]))


def test_it_is_entered_once_with_what_goes_along(wants: Wants, tables: Tables) -> None:
    def along(pk: str) -> dict[str, Any]:
        return {"Put": {"TableName": tables["Payments"], "Item": {"pk": {"S": pk}, "sk": {"S": "x"}}}}

    assert wants.enter(WANT, [along("a")])
    assert not wants.enter(WANT._replace(cause=MOVED), [along("b")])
    assert list(wants.undecided()) == [WANT]
    assert {item["pk"]["S"] for item in tables.items("Payments")} == {"RETURN_WANTED#V1#p1", "a"}


def test_more_than_a_call_reads_are_known_and_listed(wants: Wants) -> None:
    made = {Want(f"V{n}", f"p{n % 7}", MOVED, to_text(NOON)) for n in range(120)}
    for want in made:
        assert wants.enter(want)
    pairs = {(want.violation_no, want.payment_id) for want in made}
    assert wants.known({*pairs, ("V1", "p2"), ("V0", "p")}) == pairs
    assert set(wants.undecided()) == made


def test_what_is_decided_is_known_for_ever_and_listed_no_more(engine: Engine, wants: Wants, tables: Tables) -> None:
    assert not decide(engine, wants, WANT), "it was never entered"
    assert tables.items("Payments") == []
    assert wants.enter(WANT)
    assert decide(engine, wants, WANT)
    assert not wants.enter(WANT)
    assert (list(wants.undecided()), wants.known([("V1", "p1")])) == ([], {("V1", "p1")})
    (item,) = tables.items("Payments")
    assert (item["decided"]["S"], item["decided_at"]["S"]) == ("keep", to_text(LATER))


def test_one_that_is_decided_while_the_index_still_shows_it_is_not_listed(
    engine: Engine, wants: Wants, tables: Tables
) -> None:
    wants.enter(WANT)
    late = before(engine.fast(), "BatchGetItem", lambda: decide(engine, wants, WANT))
    assert list(Wants(late, tables["Payments"]).undecided()) == []
