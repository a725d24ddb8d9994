"""How likely a failing version is undone, by the alarm's own figures and the load of the yearly bill."""

from __future__ import annotations

import math
from typing import Final

import pytest

from infra import alarms, cost
from infra.template import read

MINUTES: Final = 30
SHARE: Final = 0.1
"""Canary10Percent30Minutes: https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html"""
LAG: Final = 2
"""Minutes until Lambda's metrics of a minute are there."""
NIGHT: Final = 0.1
"""Of the average load."""
ALARM: Final = alarms.objectives()["NewVersionFailing"]
LOADS: Final = {"QueryApi": cost.LOOK_UPS, "PayApi": cost.PAYMENTS * cost.PAYMENT_CALLS}
"""Calls a year."""


def rings(calls_a_minute: float, failing: float) -> float:
    """The probability that the alarm rings before the rollout is over, of a version of which so many calls fail.

    Calls come as they like (Poisson), to a tenth of them; a window counts once it is over and its figures are there.
    """
    window = ALARM["period"] // 60
    breach = _breach(calls_a_minute * SHARE * window, failing)
    last: dict[tuple[int, ...], float] = {(0,) * (ALARM["of_last"] - 1): 1.0}
    rung = 0.0
    for _ in range((MINUTES - LAG) // window):
        following: dict[tuple[int, ...], float] = {}
        for before, chance in last.items():
            for now, of_now in ((1, breach), (0, 1 - breach)):
                if sum(before) + now >= ALARM["times"]:
                    rung += chance * of_now
                else:
                    state = (*before[1:], now)
                    following[state] = following.get(state, 0) + chance * of_now
        last = following
    return rung


def _breach(mean: float, failing: float) -> float:
    """The probability that at least the alarm's part of a window's calls fails."""
    total, weight = 0.0, math.exp(-mean)
    for calls in range(1, int(mean + 12 * math.sqrt(mean) + 20)):
        weight *= mean / calls
        least = max(1, math.ceil(ALARM["above"] * calls - 1e-9))
        fewer = sum(math.comb(calls, n) * failing**n * (1 - failing) ** (calls - n) for n in range(least))
        total += weight * (1 - fewer)
    return total


def a_minute(function: str) -> float:
    return LOADS[function] / (365 * 24 * 60)


def test_the_rollout_is_what_is_reckoned_with() -> None:
    rollout = read()["Parameters"]["Rollout"]
    assert rollout["Default"] == f"Canary{SHARE * 100:.0f}Percent{MINUTES}Minutes"


@pytest.mark.parametrize("function", LOADS)
def test_a_version_that_always_fails_is_undone_by_day(function: str) -> None:
    assert rings(a_minute(function), 1) >= 0.99


def test_at_night_the_probe_finds_what_the_alarm_may_not() -> None:
    """Alone it would be undone with nine chances of ten: so each version is tried before its first call."""
    alone = {function: rings(a_minute(function) * NIGHT, 1) for function in LOADS}
    assert min(alone.values()) > 0.9
    assert "Hooks" in read()["Resources"]["PayApi"]["Properties"]["DeploymentPreference"]


@pytest.mark.parametrize("function", LOADS)
def test_a_version_of_which_a_tenth_fails_is_mostly_undone_within_the_half_hour(function: str) -> None:
    assert rings(a_minute(function), 0.1) >= 0.9


@pytest.mark.parametrize("function", LOADS)
def test_a_version_that_fails_as_seldom_as_any_is_hardly_ever_undone(function: str) -> None:
    """One call in a thousand fails by what lies outside: fewer than one rollout in a thousand is undone for it."""
    assert rings(a_minute(function), 0.001) <= 0.001
