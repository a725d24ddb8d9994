"""The build's check of the rules of money: `python -m infra.policies [FILE]` says what is wrong of the file, and where.

The newest set is compared with the one before it on a grid of laws, families, articles and dates: where anything gets
dearer, the set must say so, and a row that is new must leave people days to hear of it. A set that is locked stays as
it is: else what is dearer could be written into the one before.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import combinations, pairwise, product
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from shared.clock import now
from shared.domain.fine import Facts, Step, chosen, rise
from shared.domain.plate import PREFIXES
from shared.domain.rules import BASES, FAMILY, Rules
from shared.http import LANGUAGES
from shared.policies import EARLIEST, FILE, rules_of

NOTICE_DAYS: Final = 3
"""So many days after its set is released, at the earliest, a new policy begins."""

MAX_DAYS_AHEAD: Final = 14
"""So many days after today, at most, a set is released: it is in force from its deployment on."""

LOCK: Final = Path(__file__).with_name("locks") / "policies.txt"
"""The digest of each set that was built, with the day of its release, in their order."""

ROOT: Final = Path(__file__).resolve().parents[1]

_SHOWN: Final = 5
_AMOUNT: Final = 100_000
_OTHER_ARTICLE: Final = "9999"

Text = Annotated[str, Field(pattern=r"\S")]
Day = Annotated[str, Field(pattern=r"^(19|20)\d\d-\d\d-\d\d$")]
Article = Annotated[str, Field(pattern=r"^[1-9]\d*(/[1-9]\d*)?$")]
Count = Annotated[int, Field(ge=1, le=366)]


def _one_of(words: Collection[str]) -> AfterValidator:
    def checked(word: str) -> str:
        if word not in words:
            raise ValueError(f"one of {', '.join(words)}")
        return word

    return AfterValidator(checked)


Family = Annotated[str, _one_of(PREFIXES)]
Basis = Annotated[str, _one_of(BASES)]
WarnBy = Annotated[str, _one_of((EARLIEST, "rule"))]


class _Row(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _no_null(cls, fields: Any) -> Any:
        """What reads the file knows fields that are left out, and no null."""
        if isinstance(fields, dict) and (nulls := [name for name, value in fields.items() if value is None]):
            raise ValueError(f"null in {', '.join(map(str, nulls))}: leave it out")
        return fields


class PeriodRow(_Row):
    """How long, and from which date on."""

    basis: Basis
    months: Count | None = None
    days: Count | None = None

    @model_validator(mode="after")
    def _one_length(self) -> PeriodRow:
        if (self.months is None) == (self.days is None):
            raise ValueError("months or days, one of them")
        return self


class PolicyRow(PeriodRow):
    """When fines double."""

    id: Text
    law: Annotated[str, Field(pattern=r"^[1-9]\d{0,2}/(19|20)\d\d$")]
    valid_from: Day
    articles: Annotated[list[Article], Field(min_length=1)]
    families: Annotated[list[Family], Field(min_length=1)]
    factor: Annotated[int, Field(ge=2, le=10)]
    times: Annotated[int, Field(ge=0, le=1)]
    readings: list[PeriodRow]


class WindowRow(_Row):
    """When less is asked."""

    id: Text
    legal_basis: Text
    pay_from: Day
    pay_until: Day
    recorded_before: Day | None = None
    articles: Annotated[list[Article], Field(min_length=1)] | None = None
    families: Annotated[list[Family], Field(min_length=1)] | None = None
    percent_off: Annotated[int, Field(ge=1, le=100)] | None = None
    undo_doubling: Literal[True] | None = None
    suspend_doubling: Literal[True] | None = None

    @model_validator(mode="after")
    def _one_effect(self) -> WindowRow:
        if [self.percent_off, self.undo_doubling, self.suspend_doubling].count(None) != 2:
            raise ValueError("percent_off, undo_doubling or suspend_doubling, one of them")
        return self


class SetRow(_Row):
    """A set of rules. raises: that it makes something dearer."""

    released: Day
    policies: Annotated[list[PolicyRow], Field(min_length=1)]
    windows: list[WindowRow]
    warn_by: WarnBy
    raises: Literal["yes"] | None = None


class Document(_Row):
    """The file."""

    objections_where: dict[Annotated[str, _one_of(LANGUAGES)], Text]
    sets: Annotated[list[SetRow], Field(min_length=1)]


def faults(document: Any, today: date) -> list[str]:
    """Say what is wrong of the rules of money, each with the field that it is of; nothing where they are good.

    today: in Baghdad.
    """
    try:
        rows = Document.model_validate(document)
    except ValidationError as error:
        return [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_url=False)]
    found = [f"objections_where.{language}: missing" for language in LANGUAGES if language not in rows.objections_where]
    for number, one in enumerate(rows.sets):
        found += [f"sets.{number}.{fault}" for fault in _of_set(one)]
    for number, (before, after) in enumerate(pairwise(rows.sets), start=1):
        if after.released < before.released:
            found.append(f"sets.{number}.released: before that of the set before it")
    found += _changed(document["sets"])
    if not found and len(rows.sets) > 1:
        number = len(rows.sets) - 1
        found += [f"sets.{number}.{fault}" for fault in _too_soon(*rows.sets[-2:])]
        found += [f"sets.{number}.{fault}" for fault in _too_late(rows.sets[-1], today)]
        found += [f"sets.{number}.{fault}" for fault in _dearer(rows.sets[-1], today, *document["sets"][-2:])]
    return found


def lock(document: Any) -> list[str]:
    """Work out the lines that lock the sets of a good document, each with the day of its release."""
    whole = (json.dumps(one, ensure_ascii=False, sort_keys=True) for one in document["sets"])
    digests = (hashlib.sha256(text.encode()).hexdigest() for text in whole)
    return [f"{one['released']} {digest}" for one, digest in zip(document["sets"], digests, strict=True)]


def _locked() -> list[str]:
    return LOCK.read_text(encoding="ascii").splitlines()


def _changed(sets: Sequence[Any]) -> Iterator[str]:
    """Sets that are not as they were built, or are not there any more."""
    locked, found = _locked(), lock({"sets": sets})
    for number, line in enumerate(locked):
        if number == len(found):
            yield f"sets: {len(locked)} are locked in {LOCK.name}, and stay"
            return
        if found[number] != line:
            yield f"sets.{number}: not as it is locked in {LOCK.name}; leave it as it was, and add a set"


def _of_set(one: SetRow) -> Iterator[str]:
    days = [("released", one.released), *_days("policies", one.policies), *_days("windows", one.windows)]
    for field, day in days:
        try:
            date.fromisoformat(day)
        except ValueError:
            yield f"{field}: no day"
            return
    for name, rows in (("policies", one.policies), ("windows", one.windows)):
        ids = [row.id for row in rows]
        for index, known in enumerate(ids):
            if known in ids[:index]:
                yield f"{name}.{index}.id: {known} stands twice"
    for (_, one_policy), (index, policy) in combinations(enumerate(one.policies), 2):
        same = (policy.law, policy.valid_from) == (one_policy.law, one_policy.valid_from)
        if same and _meet(policy, one_policy):
            yield f"policies.{index}.valid_from: {one_policy.id} begins on this day for the same fines"
    for index, window in enumerate(one.windows):
        if window.pay_until < window.pay_from:
            yield f"windows.{index}.pay_until: before pay_from"
    for (_, former), (index, window) in combinations(enumerate(one.windows), 2):
        apart = window.pay_until < former.pay_from or former.pay_until < window.pay_from
        if not apart and _meet(window, former):
            yield f"windows.{index}.pay_from: overlaps {former.id}"


def _days(name: str, rows: Sequence[_Row]) -> Iterator[tuple[str, str]]:
    for index, row in enumerate(rows):
        for field in ("valid_from", "pay_from", "pay_until", "recorded_before"):
            if day := getattr(row, field, None):
                yield f"{name}.{index}.{field}", day


def _meet(one: PolicyRow | WindowRow, other: PolicyRow | WindowRow) -> bool:
    """Whether both may be for the same fine."""
    families = not one.families or not other.families or set(one.families) & set(other.families)
    articles = (f"{mine}/" for mine in one.articles or ())
    theirs = [f"{article}/" for article in other.articles or ()]
    return bool(families) and (
        not one.articles
        or not other.articles
        or any(mine.startswith(article) or article.startswith(mine) for mine in articles for article in theirs)
    )


def _too_soon(before: SetRow, newest: SetRow) -> Iterator[str]:
    """New rows that begin before people can have heard of them. Another reading of a known row is none."""
    told_by = (date.fromisoformat(newest.released) + timedelta(days=NOTICE_DAYS)).isoformat()
    known = [row.model_copy(update={"readings": []}) for row in before.policies]
    for index, row in enumerate(newest.policies):
        if row.valid_from < told_by and row.model_copy(update={"readings": []}) not in known:
            yield f"policies.{index}.valid_from: a new row begins {NOTICE_DAYS} days after its set at the earliest"


def _too_late(newest: SetRow, today: date) -> Iterator[str]:
    """A release that lies far ahead: what it says of the days until then would hold already."""
    if newest.released > (today + timedelta(days=MAX_DAYS_AHEAD)).isoformat():
        yield f"released: {MAX_DAYS_AHEAD} days from today at the latest"


def _dearer(newest: SetRow, today: date, *both: Any) -> Iterator[str]:
    """What the newest set makes dearer without its word, from its release on, or from today where that is ahead."""
    begins = min(newest.released, today.isoformat())
    found = [] if newest.raises else list(dearer(begins, *map(rules_of, both)))
    if found:
        yield f"raises: must be yes, {len(found)} cells of the grid get dearer, such as {'; '.join(found[:_SHOWN])}"


def dearer(released: str, before: Rules, after: Rules) -> Iterator[str]:
    """Compare two sets from a day on, and name each cell of a grid in which a fine gets dearer."""
    start = f"{released}T00:00:00+03:00"
    both = (before, after)
    for reference, (family, prefix), facts in product(_references(both), PREFIXES.items(), _recorded(released, both)):
        fine = facts._replace(legal_ref=reference, family=f"{prefix}#"[:FAMILY])
        if chosen(fine, before) == chosen(fine, after):
            continue  # and so is all that is ever owed
        ever = steps(fine, before), steps(fine, after)
        for at in sorted({start, *(step.at for each in ever for step in each if step.at > start)}):
            was, asked = (next(step.amount for step in reversed(each) if step.at <= at) for each in ever)
            if asked > was:
                yield (
                    f"{reference or 'without reference'}, {family}, occurred {(fine.occurred_at or '')[:10]},"
                    f" recorded {fine.recorded_at[:10]}, notified {(fine.notified_at or 'never')[:10]}:"
                    f" {was:,} to {asked:,} on {at[:10]}"
                )
                break


def steps(fine: Facts, rules: Rules) -> tuple[Step, ...]:
    """All that is ever owed for a fine by these rules."""
    policy, windows, _, _ = chosen(fine, rules)
    return rise(fine, policy, windows)


def _references(both: Iterable[Rules]) -> Iterator[str | None]:
    """No reference, and each article of both sets and one of neither, of no law and of each."""
    policies = [policy for rules in both for policy in rules.policies]
    articles = {article for policy in policies for article in policy.articles}
    articles |= {article for rules in both for window in rules.windows for article in window.articles}
    articles |= {f"{article}/{_OTHER_ARTICLE}" for article in articles if "/" not in article}
    yield None
    laws = [policy.law.split("/") for policy in policies]
    for article in [*sorted(articles), _OTHER_ARTICLE]:
        yield article
        yield from sorted({f"المادة {article} من القانون {number} لسنة {year}" for number, year in laws})


def _recorded(released: str, both: Sequence[Rules]) -> Iterator[Facts]:
    """Fines recorded about each day at which something begins or ends, or so that their periods end about it.

    And for a year after a policy begins that is in one set alone: months differ in their days.
    """
    edges, periods = {released}, set()
    for rules in both:
        edges |= {policy.valid_from for policy in rules.policies}
        periods |= {policy.period for policy in rules.policies}
        for window in rules.windows:
            edges |= {window.begins[:10], window.ends[:10], window.recorded_before or released}
    alone = set(both[0].policies) ^ set(both[1].policies)
    begins = {date.fromisoformat(policy.valid_from) for policy in alone}
    days = {begin + timedelta(days=after) for begin in begins for after in range(0, 370, 5)}
    for edge, period, shift in product(edges, periods, (-1, 0, 1)):
        day = date.fromisoformat(edge) + timedelta(days=shift)
        days |= {day, day - timedelta(days=period.days or period.months * 30), day - timedelta(days=period.months * 31)}
    # A longer period ends sooner where it begins so long before the recording: at the commission, or told on the spot.
    lags = {0, 3, *(period.days or period.months * 31 for period in periods)}
    for day, before in product(sorted(days), sorted(lags)):
        for notified in (None, -before, 5):
            recorded_at, occurred_at, notified_at = (
                f"{(day + timedelta(days=shift)).isoformat()}T12:00:00+03:00" if shift is not None else None
                for shift in (0, -before, notified)
            )
            yield Facts(_AMOUNT, recorded_at or "", occurred_at=occurred_at, notified_at=notified_at)


def main(arguments: Sequence[str]) -> int:
    """Check a file, the rules in force unless another is named; returns the exit code. A set must be locked to pass."""
    path = Path(*arguments or [FILE])
    try:
        document = json.loads(path.read_bytes())
        found = faults(document, now().date())
    except ValueError as error:
        found = [f"no JSON: {error}"]
    if not found:
        new = lock(document)[len(_locked()) :]
        found = [f"sets: not locked, add the line {line} to {LOCK.relative_to(ROOT)}" for line in new]
    for fault in found:
        print(f"{path.name}: {fault}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
