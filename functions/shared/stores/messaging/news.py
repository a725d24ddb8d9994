"""What is news about a plate, and which of its followers hear of it: for telling them, and for checking a file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from shared.domain.citizen import Follower
from shared.domain.message import MessageKind
from shared.domain.violation import CANCELLED, OPENED
from shared.stores.messaging.messages import Messages


class News(NamedTuple):
    """Something to tell the followers of a plate, of those vehicles that have the category or none."""

    kind: MessageKind
    plate_key: str
    violation_no: str
    category: str | None


class Group(NamedTuple):
    """News of one kind about one plate. violations: their categories, by number."""

    plate_key: str
    kind: MessageKind
    violations: Mapping[str, str | None]


def news_of(tell: str, violation_no: str, plate_key: str, category: str | None, before: str | None) -> list[News]:
    """Say what is news in a write of a violation.

    tell: what ingest wrote of it. before: the plate that it was on, if it was known. A violation that moved to another
    plate is news there and cancelled here. Raises ValueError for a ``tell`` that this version does not know.
    """
    if tell == OPENED:
        opened = News(MessageKind.NEW_VIOLATION, plate_key, violation_no, category)
        if before in (None, plate_key):
            return [opened]
        return [opened, News(MessageKind.CANCELLED, before, violation_no, category)]
    if tell != CANCELLED:
        raise ValueError("tell is neither opened nor cancelled")
    return [News(MessageKind.CANCELLED, before, violation_no, category)] if before is not None else []


def grouped(everything: Iterable[News]) -> Iterator[Group]:
    """Give news by plate and kind."""
    groups: defaultdict[tuple[str, MessageKind], dict[str, str | None]] = defaultdict(dict)
    for kind, plate_key, violation_no, category in everything:
        groups[plate_key, kind][violation_no] = category
    return (Group(plate_key, kind, violations) for (plate_key, kind), violations in groups.items())


def to_tell(follower: Follower, group: Group, messages: Messages) -> list[str]:
    """Return those violations of a group that a follower is to hear of, and has not heard of.

    Cancelled is told only to those who have heard of the violation. At most one BatchGetItem, two of what is cancelled.
    """
    if not follower.notify:
        return []
    concerning = [number for number, category in group.violations.items() if concerns(follower, category)]
    if group.kind == MessageKind.CANCELLED:
        known = messages.told(follower.sub, MessageKind.NEW_VIOLATION, concerning)
        concerning = [violation_no for violation_no in concerning if violation_no in known]
    told = messages.told(follower.sub, group.kind, concerning)
    return [violation_no for violation_no in concerning if violation_no not in told]


def concerns(follower: Follower, category: str | None) -> bool:
    """True unless the violation's category and that of the follower's vehicle are both known and differ."""
    return follower.category is None or category in (follower.category, None)
