"""The rules of money: when a fine doubles, and in which windows less is asked. Values; the file is read elsewhere."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from shared.domain.text import fold

OCCURRED: Final = "occurred"
RECORDED: Final = "recorded"
NOTIFIED: Final = "notified"
BASES: Final = (OCCURRED, RECORDED, NOTIFIED)
"""The dates of a fine that may start its clock."""


FAMILY: Final = 3
"""So many first characters of a plate's key tell its family."""


class Period(NamedTuple):
    """How long after one of a fine's dates it doubles.

    basis: one of BASES. months: calendar months, to the same day and time of day, or the month's last day. days: of 24
    hours. One of the two is 0.
    """

    basis: str
    months: int = 0
    days: int = 0


class Policy(NamedTuple):
    """A rule for fines whose clock started on ``valid_from`` (an ISO day) or later, until the day of a later row.

    articles: those of its law that it is for, as ``25/1``, or ``25`` for all its clauses. factor: what the amount is
    then multiplied by; times: how often, 0 or 1. families: the first FAMILY characters of the plates' keys that it is
    for, none for all. readings: how else the period may be meant.
    """

    id: str
    law: str
    valid_from: str
    articles: tuple[str, ...]
    period: Period
    factor: int = 2
    times: int = 1
    families: tuple[str, ...] = ()
    readings: tuple[Period, ...] = ()


class Window(NamedTuple):
    """A time in which less is asked of who pays.

    begins, ends: instants; it is over at the second of ``ends``. until: its last day. recorded_before: an ISO day; ""
    for all fines. articles, families: as of a policy, none for all. percent_off: of the amount, which is rounded up to
    whole dinars. undo_doubling: what has doubled is asked for as before. suspend_doubling: what would double within it
    doubles at its end.
    """

    id: str
    begins: str
    ends: str
    until: str
    recorded_before: str = ""
    articles: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    percent_off: int = 0
    undo_doubling: bool = False
    suspend_doubling: bool = False


class Chosen(NamedTuple):
    """What is in force for a fine. first_on, last_on: its plausible days of doubling; "" where no rule doubles it."""

    policy: Policy | None
    windows: tuple[Window, ...]
    first_on: str
    last_on: str


class Rules:
    """A set of rules. Made once: what is chosen of it is remembered, and no two sets are equal.

    warn_earliest: people are told of the earliest plausible day, and not of the policy's: else readings say nothing.
    """

    def __init__(self, policies: Iterable[Policy], windows: Iterable[Window] = (), *, warn_earliest: bool = True):
        self.policies = tuple(row if warn_earliest else row._replace(readings=()) for row in policies)
        self.windows = tuple(sorted(windows, key=lambda window: window.begins))
        self._laws = frozenset(policy.law for policy in self.policies)
        # Of millions of fines the references and days are few.
        self.choice: Callable[[str | None, str, str, str, str], Chosen] = lru_cache(maxsize=4096)(self._choice)
        """:meth:`_choice`, remembered."""

    def _choice(
        self, legal_ref: str | None, family: str, recorded_on: str, occurred_on: str, notified_on: str
    ) -> Chosen:
        """Find the newest policy in force when a fine's clock started, and the windows for it.

        A reference without a clause (``25``) stands for the whole article; a fine without a reference is taken for one
        that every policy is for, as is one of an unknown family (""). A law that a reference names counts where the set
        knows it. Days are ISO; where the policy's is "", that of the recording says whether it is in force.
        """
        reference = article(legal_ref) if legal_ref else None
        named = _law(legal_ref) if legal_ref else None
        days = {RECORDED: recorded_on, OCCURRED: occurred_on, NOTIFIED: notified_on}
        newest: Policy | None = None
        for policy in self.policies:
            if (
                policy.valid_from <= (days[policy.period.basis] or recorded_on)
                and (named not in self._laws or named == policy.law)
                and _is_for(policy, reference, family)
                and (newest is None or policy.valid_from > newest.valid_from)
            ):
                newest = policy
        windows = tuple(
            window
            for window in self.windows
            if _is_for(window, reference, family)
            and (not window.recorded_before or recorded_on < window.recorded_before)
        )
        plausible = _plausible(newest, windows, days)
        return Chosen(newest, windows, min(plausible, default=""), max(plausible, default=""))

    def knows_article(self, legal_ref: str) -> bool:
        """Whether a reference names an article of some policy. What names none, or another, may be a slip."""
        reference = article(legal_ref)
        return reference is not None and any(_covers(policy.articles, reference) for policy in self.policies)


_ORDINALS: Final = {fold(word): str(clause) for clause, word in enumerate(("أولا", "ثانيا", "ثالثا"), start=1)}
_ARTICLE: Final = re.compile(r"0*([0-9]+)(?:\s*/\s*0*([0-9]+|[^\W\d_]+))?")
# The article that is called so comes before other numbers: of the law (8 of 2019), say.
_CALLED: Final = re.compile(rf"ماد[ةه]\W*{_ARTICLE.pattern}")
_LAW: Final = re.compile(r"(?<![0-9])0*([0-9]{1,3})\s*(?:/|لسن[ةه])\s*((?:19|20)[0-9]{2})(?![0-9])")


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


@lru_cache(maxsize=256)
def _law(legal_ref: str) -> str | None:
    """The law that a reference names, as ``8/2019``."""
    match = _LAW.search(fold(legal_ref))
    return f"{match[1]}/{match[2]}" if match else None


def _covers(articles: tuple[str, ...], reference: str | None) -> bool:
    """Whether some of the articles hold what is referred to, or a clause of it: a whole article holds its clauses."""
    if reference is None:
        return True
    asked = f"{reference}/"
    return any(f"{known}/".startswith(asked) or asked.startswith(f"{known}/") for known in articles)


def _is_for(row: Policy | Window, reference: str | None, family: str) -> bool:
    return (not row.articles or _covers(row.articles, reference)) and (
        not row.families or not family or family in row.families
    )


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


@lru_cache(maxsize=4096)
def days_after(day: str, days: int) -> str:
    """The ISO day so many days later."""
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


def after(start: str, period: Period) -> str:
    """When a period is over that begins at an instant, or on a day."""
    _, months, days = period
    day = start[:10]
    return (_months_after(day, months) if months else days_after(day, days)) + start[10:]


def suspended(instant: str, windows: Iterable[Window]) -> str:
    """When a doubling comes that windows may hold up; of a day, on which. Windows begin and end at midnight."""
    for window in windows:
        holds = window.suspend_doubling or window.undo_doubling
        if holds and window.begins[:10] <= instant[:10] < window.ends[:10]:
            instant = window.ends[: len(instant)]
    return instant


def _plausible(policy: Policy | None, windows: Iterable[Window], starts: dict[str, str]) -> list[str]:
    """On which days a fine may double, by the policy and by each other reading. starts: days by basis, "" for none."""
    if policy is None or not policy.times:
        return []
    periods = (policy.period, *policy.readings)
    return [suspended(after(starts[one.basis], one), windows) for one in periods if starts[one.basis]]
