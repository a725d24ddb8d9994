"""Returns of payments' money: one at a time asks for one, and what a gateway may have heard is kept."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.payment import Return, ReturnState
from shared.domain.time import to_text
from shared.stores.items import is_made, transact
from shared.stores.paying.returns import Returns
from tests.contract.test_payments_store import payment
from tests.support.aws import Engine, Tables
from tests.support.build import NOON

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
UNTIL = NOON + timedelta(minutes=2)
DUE = Return("p1", 1, ("V1", "V2"), 75_000, "not_settleable", to_text(NOON))


@pytest.fixture
def returns(engine: Engine, tables: Tables) -> Returns:
    return Returns(engine.fast(), tables["Payments"])


@pytest.fixture
def made(engine: Engine, returns: Returns) -> Return:
    transact(engine.fast(), [returns.put_action(DUE)])
    return DUE


def last(returns: Returns, n: int = 1) -> Return | None:
    return returns.last(payment(returns=n))


def changed(engine: Engine, returns: Returns, before: Return, after: Return) -> bool:
    return is_made(lambda: transact(engine.fast(), [returns.change_action(before, after)]))


def test_it_comes_back_as_it_was_put(engine: Engine, returns: Returns) -> None:
    whole = DUE._replace(
        n=2, state=ReturnState.REFUSED, asked_at="a", refused="only_all", manual_since="b", ended_at="c", lines=()
    )
    for each in (DUE, whole):
        transact(engine.fast(), [returns.put_action(each)])
    assert returns.of(payment(returns=2)) == [DUE, whole]
    assert (last(returns), last(returns, 2), last(returns, 3)) == (DUE, whole, None)
    two = [payment(returns=2), payment("p2", returns=0), payment("p3", returns=1)]
    assert returns.last_of(two) == {"p1": whole}


def test_a_number_is_given_once(engine: Engine, returns: Returns, made: Return) -> None:
    assert not is_made(lambda: transact(engine.fast(), [returns.put_action(made._replace(amount=1))]))
    assert last(returns) == made


def test_that_the_gateway_is_asked_is_kept_from_the_first_time_on(returns: Returns, made: Return) -> None:
    assert returns.take(made, NOON, NOON) == made
    assert last(returns) == made
    first = returns.take(made, NOON, NOON, asks=True)
    assert first == made._replace(state=ReturnState.ASKED, asked_at=to_text(NOON))
    assert returns.take(first, UNTIL, UNTIL, asks=True) == first == last(returns)
    returns.not_asked(first)
    assert last(returns) == made


def test_one_at_a_time_asks_for_it_until_that_one_is_gone(returns: Returns, made: Return) -> None:
    assert returns.take(made, NOON, UNTIL)
    assert returns.take(made, UNTIL - SECOND, UNTIL + DAY) is None
    assert returns.take(made, UNTIL, UNTIL + DAY) == made


@pytest.mark.parametrize("state", set(ReturnState) - {ReturnState.DUE})
def test_nobody_takes_or_changes_one_that_is_no_longer_as_it_was_read(
    engine: Engine, returns: Returns, made: Return, state: ReturnState
) -> None:
    after = made._replace(state=state)
    assert changed(engine, returns, made, after)
    assert returns.take(made, NOON, UNTIL) is None
    assert not changed(engine, returns, made, made._replace(state=ReturnState.REFUSED, refused="no"))
    assert last(returns) == after


def test_what_is_no_more_is_removed(engine: Engine, returns: Returns, made: Return) -> None:
    refused = made._replace(state=ReturnState.REFUSED, refused="no")
    assert changed(engine, returns, made, refused)
    assert changed(engine, returns, refused, made)
    assert last(returns) == made
