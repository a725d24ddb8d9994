"""What is owed: a pure function of the recorded facts, a dated policy and the moment asked about.

Traffic Law 8 of 2019, article 25: an unpaid fine doubles once, a month after it was recorded. The directorate's own
statement of the debt counts as of the moment it was made; a doubling that falls later still applies to it, unless what
it states is the doubled amount.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from shared.domain.text import fold
from shared.domain.time import from_text, to_text

DISCOUNTED: Final = "discounted"
BASE: Final = "base"
DOUBLED: Final = "doubled"
STATED: Final = "stated"


class Policy(NamedTuple):
    """A rule in force for fines whose clock started on ``valid_from`` or later (an ISO day), until a later row's day.

    articles: the law's articles it applies to, as ``25/1``. months: after how many calendar months, same day of the
    month and same time of day, or the month's last day. factor: what the amount is then multiplied by, once. basis:
    which of the facts starts the clock, ``recorded_at`` or ``occurred_at``. discount_percent: what is taken off the
    base amount, rounded up to whole dinars, in the first discount_days of 24 hours.
    """

    name: str
    valid_from: str
    articles: tuple[str, ...]
    months: int
    factor: int
    basis: str = "recorded_at"
    discount_percent: int = 0
    discount_days: int = 0


POLICIES: Final = (Policy("IQ-TRAFFIC-2019", "2019-10-06", ("25/1", "25/2", "25/3"), 1, 2),)

_ORDINALS: Final = {fold(word): str(clause) for clause, word in enumerate(("أولا", "ثانيا", "ثالثا"), start=1)}
_ARTICLE: Final = re.compile(r"0*([0-9]+)(?:\s*/\s*0*([0-9]+|[^\W\d_]+))?")
# The article that is called so comes before other numbers: of the law (8 of 2019), say.
_CALLED: Final = re.compile(rf"ماد[ةه]\W*{_ARTICLE.pattern}")


class Facts(NamedTuple):
    """What is recorded of one fine. Amounts in dinars, instants as stored texts.

    stated, stated_at: the debt as the directorate gave it, and the moment it spoke of. doubled_at: when it says that it
    doubled the fine.
    """

    amount: int
    recorded_at: str
    legal_ref: str | None = None
    stated: int | None = None
    stated_at: str | None = None
    doubled_at: str | None = None
    occurred_at: str | None = None

    def starts_at(self, policy: Policy) -> str:
        """Return when a policy's clock starts."""
        return self.occurred_at or self.recorded_at if policy.basis == "occurred_at" else self.recorded_at


class Due(NamedTuple):
    """What is owed now, and what it becomes when. changes_at and next_amount are None where it rises no more."""

    amount: int
    stage: str
    changes_at: str | None = None
    next_amount: int | None = None


@lru_cache(maxsize=256)
def article(legal_ref: str) -> str | None:
    """The article and clause of a legal reference: ``25/3`` of ``25/3/هـ`` or of ``المادة 25/ثالثاً/هـ``.

    None where it names no article.
    """
    folded = fold(legal_ref)
    match = _CALLED.search(folded) or _ARTICLE.search(folded)
    if match is None:
        return None
    clause = match[2] and _ORDINALS.get(match[2], match[2])
    return f"{match[1]}/{clause}" if clause else match[1]


def policy_for(facts: Facts, policies: Sequence[Policy] = POLICIES) -> Policy | None:
    """The newest policy in force when the fine's clock started.

    A reference without a clause (``25``) stands for the whole article; a fine without a reference is taken for one of
    article 25.
    """
    occurred_at = facts.occurred_at or facts.recorded_at
    return _policy_for(facts.legal_ref, facts.recorded_at[:10], occurred_at[:10], tuple(policies))


@lru_cache(maxsize=4096)
def _policy_for(
    legal_ref: str | None, recorded_on: str, occurred_on: str, policies: tuple[Policy, ...]
) -> Policy | None:
    # Remembered, because of millions of fines the references and days are few.
    reference = article(legal_ref) if legal_ref else None
    newest: Policy | None = None
    for policy in policies:
        if (
            policy.valid_from <= (occurred_on if policy.basis == "occurred_at" else recorded_on)
            and _covers(policy.articles, reference)
            and (newest is None or policy.valid_from > newest.valid_from)
        ):
            newest = policy
    return newest


def _covers(articles: tuple[str, ...], reference: str | None) -> bool:
    return reference is None or any(f"{known}/".startswith(f"{reference}/") for known in articles)


def knows_article(legal_ref: str, policies: Sequence[Policy] = POLICIES) -> bool:
    """Whether a reference names an article of some policy. What names none, or another, may be a slip of the pen."""
    reference = article(legal_ref)
    return reference is not None and any(_covers(policy.articles, reference) for policy in policies)


def add_months(instant: str, months: int) -> str:
    """The same day and time so many calendar months later; the month's last day where it has no such day.

    instant: a stored text, whose offset stays as it is: Iraq's has not changed since 2008.
    """
    return _months_after(instant[:10], months) + instant[10:]


@lru_cache(maxsize=4096)
def _months_after(day: str, months: int) -> str:
    year, month = divmod(int(day[:4]) * 12 + int(day[5:7]) - 1 + months, 12)
    month += 1
    last = calendar.monthrange(year, month)[1]
    return f"{year:04}-{month:02}-{min(int(day[8:]), last):02}"


def doubles_at(
    legal_ref: str | None, recorded_at: str, occurred_at: str, policies: tuple[Policy, ...] = POLICIES
) -> str | None:
    """Return when a fine doubles that the directorate has not said to be doubled; None where no policy doubles it."""
    policy = _policy_for(legal_ref, recorded_at[:10], occurred_at[:10], policies)
    if policy is None:
        return None
    return add_months(occurred_at if policy.basis == "occurred_at" else recorded_at, policy.months)


def is_doubled_early(facts: Facts, policies: Sequence[Policy] = POLICIES) -> bool:
    """Whether the directorate states the doubled amount before the policy's day, and does not say when it doubled it.

    Such a debt is doubled already: twice is once too often.
    """
    if facts.doubled_at or facts.stated is None or facts.stated <= facts.amount:
        return False
    policy = policy_for(facts, policies)
    if policy is None or facts.stated != facts.amount * policy.factor:
        return False
    return facts.stated_at is None or facts.stated_at < add_months(facts.starts_at(policy), policy.months)


def due(facts: Facts, at: str, policies: Sequence[Policy] = POLICIES) -> Due:
    """Work out what is owed at an instant (a stored text). From the very second of the deadline on, the doubled amount.

    A discount holds only for an amount that the directorate has not stated itself.
    """
    stated = facts.stated
    policy = policy_for(facts, policies)
    deadline = facts.doubled_at or (add_months(facts.starts_at(policy), policy.months) if policy else None)
    spoke_after = stated is not None and deadline and facts.stated_at and deadline <= facts.stated_at
    if spoke_after or is_doubled_early(facts, policies):
        deadline = None  # the directorate's figure holds the doubling already
        stage = DOUBLED if facts.doubled_at else STATED
    else:
        stage = BASE if stated is None or stated == facts.amount else STATED
    amount = facts.amount if stated is None else stated
    if policy and policy.discount_percent and stage == BASE:
        ends = to_text(from_text(facts.starts_at(policy)) + timedelta(days=policy.discount_days))
        if at < ends and (deadline is None or ends <= deadline):
            return Due(amount - amount * policy.discount_percent // 100, DISCOUNTED, ends, amount)
    if deadline is None or not amount:
        return Due(amount, stage)  # a debt that the directorate states as nothing doubles to nothing
    doubled = amount * (policy.factor if policy else 2)
    if at >= deadline:
        return Due(doubled, DOUBLED)
    return Due(amount, stage, deadline, doubled)
