"""What is owed: a pure function of the recorded facts, the rules of money and the moment asked about.

Traffic Law 8 of 2019, article 25: an unpaid fine doubles once. When, is a rule of :mod:`shared.policies`. The
directorate's own statement of the debt counts as of the moment it was made; a doubling that falls later still applies
to it, unless what it states is the doubled amount. :func:`rise` alone says when a fine rises and to what.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from shared.domain.rules import (
    NOTIFIED,
    OCCURRED,
    RECORDED,
    Chosen,
    Period,
    Policy,
    Rules,
    Window,
    after,
    days_after,
    suspended,
)

DISCOUNTED: Final = "discounted"
BASE: Final = "base"
DOUBLED: Final = "doubled"
STATED: Final = "stated"


class Facts(NamedTuple):
    """What is recorded of one fine. Amounts in dinars, instants as stored texts.

    stated, stated_at: the debt as the directorate gave it, and the moment it spoke of. doubled_at: when it says that it
    doubled the fine. family: the first FAMILY characters of the plate's key, "" where no plate is known.
    """

    amount: int
    recorded_at: str
    legal_ref: str | None = None
    stated: int | None = None
    stated_at: str | None = None
    doubled_at: str | None = None
    occurred_at: str | None = None
    notified_at: str | None = None
    family: str = ""


class Step(NamedTuple):
    """From an instant on ("" for ever) so much is owed. window: by which it is less than it was, that is without it."""

    at: str
    amount: int
    stage: str
    window: Window | None
    was: int


class InWindow(NamedTuple):
    """Why less is owed now: the window's id, its last day (ISO), and what were owed without it."""

    id: str
    until: str
    was: int


class Due(NamedTuple):
    """What is owed now, and what more from when. changes_at and next_amount are None where it rises no more."""

    amount: int
    stage: str
    changes_at: str | None = None
    next_amount: int | None = None
    window: InWindow | None = None


class Notice(NamedTuple):
    """What people are told of a rise: its day (ISO), None where none can be told, and to what. Not certain: it may.

    A window's end may be followed by the doubling on the same day: the amount is that of the day's end.
    """

    day: str | None
    is_certain: bool
    amount: int


_new: Final = tuple.__new__
"""Makes a named tuple of all its fields, at half the cost of calling its class."""


def _ends(facts: Facts, period: Period) -> str | None:
    """When a period is over for a fine; None where its clock has not begun."""
    basis = period.basis
    if basis == RECORDED:
        return after(facts.recorded_at, period)
    start = facts.notified_at if basis == NOTIFIED else facts.occurred_at or facts.recorded_at
    return after(start, period) if start else None


def chosen(facts: Facts, rules: Rules) -> Chosen:
    """Find what is in force for a fine (:meth:`shared.domain.rules.Rules.choice`)."""
    _, recorded_at, legal_ref, _, _, _, occurred_at, notified_at, family = facts
    notified_on = notified_at[:10] if notified_at else ""
    return rules.choice(legal_ref, family, recorded_at[:10], (occurred_at or recorded_at)[:10], notified_on)


def is_doubled_early(facts: Facts, rule: Policy | None) -> bool:
    """Whether the directorate states the doubled amount before the rule's day, and does not say when it doubled it.

    Such a debt is doubled already: twice is once too often.
    """
    if rule is None or facts.doubled_at or facts.stated is None or facts.stated <= facts.amount:
        return False
    if facts.stated != facts.amount * rule.factor:
        return False
    deadline = _ends(facts, rule.period) if rule.times else None
    return deadline is not None and (facts.stated_at is None or facts.stated_at < deadline)


def rise(facts: Facts, rule: Policy | None, windows: tuple[Window, ...], held: str | None = None) -> tuple[Step, ...]:
    """Say when a fine rises and to what: all that is ever owed for it, step by step, the first from ever on.

    rule, windows: what is in force for it (:func:`chosen`). held: an instant until which the amount before the
    doubling is asked; a doubling that the directorate dates itself does not wait for it. A window never raises, and a
    debt that the directorate stated as doubled is undone only where ``doubled_at`` shows it.
    """
    amount, _, _, stated, stated_at, doubled_at, _, _, _ = facts
    factor = rule.factor if rule else 2
    deadline = doubled_at or (_ends(facts, rule.period) if rule and rule.times else None)
    stage = BASE
    if stated is not None:
        if stated != amount:
            stage = STATED
        amount = stated
        spoke_after = deadline and stated_at and deadline <= stated_at
        if spoke_after or is_doubled_early(facts, rule):
            deadline = None  # the directorate's figure holds the doubling already
            stage = DOUBLED if doubled_at else STATED
    if not amount:
        deadline = None  # a debt that the directorate states as nothing doubles to nothing
    if deadline and held and not doubled_at:
        deadline = max(deadline, held)
    if windows:
        return _through(facts, windows, Step("", amount, stage, None, amount), deadline, factor)
    first = _new(Step, ("", amount, stage, None, amount))
    if deadline is None:
        return (first,)
    doubled = amount * factor
    return first, _new(Step, (deadline, doubled, DOUBLED, None, doubled))


def _through(
    facts: Facts, windows: tuple[Window, ...], first: Step, deadline: str | None, factor: int
) -> tuple[Step, ...]:
    """The steps through windows. deadline: when the first step's amount is multiplied by the factor without them."""
    amount = first.amount
    doubled = amount * factor
    doubles = suspended(deadline, windows) if deadline and not facts.doubled_at else deadline
    # Any other figure is the directorate's own, which may hold the window already.
    plain = facts.stated in (None, facts.amount, facts.amount * factor)
    shown_doubled = first.stage == DOUBLED and facts.stated == facts.amount * factor
    instants = {"", deadline or "", doubles or "", *(one.begins for one in windows), *(one.ends for one in windows)}
    steps: list[Step] = []
    for at in sorted(instants):
        was = doubled if deadline and at >= deadline else amount
        asked, stage = (doubled, DOUBLED) if doubles and at >= doubles else (amount, first.stage)
        window = next((one for one in windows if one.begins <= at < one.ends), None)
        if window and window.undo_doubling and stage == DOUBLED:
            if doubles:
                asked, stage = amount, BASE if facts.stated in (None, facts.amount) else STATED
            elif shown_doubled:
                asked, stage = facts.amount, BASE
        if window and plain and (off := asked * window.percent_off // 100):
            asked, stage = asked - off, DISCOUNTED
        step = Step(at, asked, stage, window if asked < was else None, was)
        if not steps or steps[-1][1:] != step[1:]:
            steps.append(step)
    return tuple(steps)


def due(facts: Facts, at: str, rules: Rules, held: str | None = None) -> Due:
    """Work out what is owed at an instant (a stored text). From the very second of a deadline on, the higher amount."""
    policy, windows, _, _ = chosen(facts, rules)
    return _at(at, rise(facts, policy, windows, held))


def _at(at: str, steps: tuple[Step, ...]) -> Due:
    """Where the steps of a fine stand at an instant."""
    changes_at, next_amount, later = None, None, iter(steps)
    _, amount, stage, window, was = next(later)
    for begins, asked, then, opens, unopened in later:
        if begins <= at:
            amount, stage, window, was = asked, then, opens, unopened
        elif asked > amount:
            changes_at, next_amount = begins, asked
            break
    within = InWindow(window.id, window.until, was) if window else None
    return _new(Due, (amount, stage, changes_at, next_amount, within))


def _ways(facts: Facts, policy: Policy | None, *, doubles: bool) -> list[Policy | None]:
    """The policy, and the same by each other reading that may be meant: none where the directorate said enough.

    A reading by which a fine had doubled when the directorate stated what was owed, and not doubled, is not meant.
    doubles: whether it does by the policy, windows apart.
    """
    ways: list[Policy | None] = [policy]
    if policy is None or not policy.times or facts.doubled_at:
        return ways
    if facts.stated is not None and not doubles and _ends(facts, policy.period):
        return ways
    refuted_until = (facts.stated_at or "") if facts.stated is not None else ""
    for reading in policy.readings:
        ends = _ends(facts, reading)
        if ends is None or ends > refuted_until:
            ways.append(policy._replace(period=reading))
    return ways


def earliest(facts: Facts, rules: Rules, held: str | None = None) -> str | None:
    """When a fine doubles at the earliest plausible, by its policy or another reading; None where it does no more."""
    policy, windows, _, _ = chosen(facts, rules)
    steps = rise(facts, policy, (), held)
    others = _ways(facts, policy, doubles=len(steps) > 1)[1:]
    found = [each[1].at for each in (steps, *(rise(facts, way, (), held) for way in others)) if len(each) > 1]
    if not facts.doubled_at:
        found = [suspended(at, windows) for at in found]
    return min(found, default=None)


def doubles_next(facts: Facts, at: str, rules: Rules) -> str | None:
    """When a fine rises next after an instant, if that is its doubling, no price held; None else."""
    policy, windows, _, _ = chosen(facts, rules)
    now = _at(at, steps := rise(facts, policy, windows))
    following = next((step for step in steps if step.at == now.changes_at), None)
    is_doubling = following is not None and following.stage == DOUBLED and now.stage != DOUBLED
    return now.changes_at if is_doubling else None


def tells_the_act(facts: Facts, rules: Rules) -> bool:
    """Whether the day on which a fine rises may tell that of the act, by its policy or another reading."""
    policy = chosen(facts, rules).policy
    if policy is None or facts.occurred_at in (None, facts.recorded_at):
        return True
    return any(period.basis == OCCURRED for period in (policy.period, *policy.readings))


class Outlook:
    """What is owed for a fine at an instant (``due``), and what comes of it. held: as for :func:`rise`."""

    __slots__ = ("_at", "_chosen", "_facts", "_held", "_steps", "due")

    def __init__(self, facts: Facts, at: str, rules: Rules, held: str | None = None) -> None:
        self._facts, self._at, self._held = facts, at, held
        self._chosen = chosen(facts, rules)
        self._steps = rise(facts, self._chosen.policy, self._chosen.windows, held)
        self.due = _at(at, self._steps)

    def amount_on(self, day: str) -> int:
        """What is owed at the end of a day (ISO), as it looks now."""
        return [step.amount for step in self._steps if step.at[:10] <= day][-1]

    def notice(self) -> Notice | None:
        """What to tell people of the next rise; None where it rises no more.

        Where readings differ: the earliest plausible day, and none where that is not after tomorrow.
        """
        facts, at, held, due = self._facts, self._at, self._held, self.due
        policy, windows, _, _ = self._chosen
        others: list[Policy | None] = []
        if policy and policy.readings:
            doubles = len(rise(facts, policy, ()) if windows else self._steps) > 1
            others = _ways(facts, policy, doubles=doubles)[1:]
        if not others:
            day = due.changes_at[:10] if due.changes_at else None
            return _new(Notice, (day, True, self.amount_on(day) if windows else due.next_amount)) if day else None
        ways = [self._steps, *(rise(facts, way, windows, held) for way in others)]
        if max(now := [_at(at, steps).amount for steps in ways]) > due.amount:
            return Notice(None, False, max(now))
        # What a reading lets rise to no more than is asked already is no increase.
        firsts = [next((s for s in steps if s.at > at and s.amount > due.amount), None) for steps in ways]
        rising = [(first.at[:10], first.amount) for first in firsts if first]
        if not rising:
            return None
        day, amount = min(rising)
        if due.changes_at and due.changes_at[:10] == day:
            amount = self.amount_on(day)  # always the policy's, where it rises on that day too
        if len({first and first.at[:10] for first in firsts}) == 1:
            return Notice(day, True, amount)
        return Notice(day if day > days_after(at[:10], 1) else None, False, amount)
