"""What is news about a plate, and which of its followers hear of it: for telling them, and for checking a file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from shared.domain.citizen import Follower
from shared.domain.message import MessageKind
from shared.domain.violation import ACCEPTED, CANCELLED, DISPUTED, OPENED, REFUSED
from shared.stores.messaging.messages import marker

KINDS: Final = {
    OPENED: MessageKind.NEW_VIOLATION,
    CANCELLED: MessageKind.CANCELLED,
    DISPUTED: MessageKind.DISPUTED,
    REFUSED: MessageKind.DISPUTE_REFUSED,
    ACCEPTED: MessageKind.DISPUTE_ACCEPTED,
}
DISPUTE_KINDS: Final = (MessageKind.DISPUTED, MessageKind.DISPUTE_REFUSED, MessageKind.DISPUTE_ACCEPTED)
"""What is told once a dispute; all else is told once a violation."""


_new: Final = tuple.__new__
"""Makes a named tuple of all its fields, at half the cost of calling its class."""


class News(NamedTuple):
    """Something to tell the followers of a plate, of those vehicles that have the violation's category or none.

    episode: what names the violation's last dispute, if there was one.
    """

    kind: MessageKind
    plate_key: str
    violation_no: str
    category: str | None
    episode: str | None = None


class Group(NamedTuple):
    """News of one kind about one plate. violations: by number."""

    plate_key: str
    kind: MessageKind
    violations: Mapping[str, News]


class Concern(NamedTuple):
    """A violation of a group that concerns a follower, with the keys of what says whether they have heard.

    marker: that they have been told this of it. known_by: of which one stands for whoever has heard of it at all.
    """

    violation_no: str
    marker: str
    known_by: Sequence[str]


def told_marker(violation_no: str, who: str, kind: str, plate_key: str, episode: str | None) -> str:
    """Return the key of the marker that a citizen has been told of a violation: of its dispute, for each and plate."""
    return marker(violation_no, who, f"{kind}#{episode}#{plate_key}" if kind in DISPUTE_KINDS else kind)


def dispute_markers(violation_no: str, who: str, plate_key: str, episode: str | None) -> list[str]:
    """Return the keys of the markers of which one stands for whoever has heard of a violation's last dispute."""
    return [told_marker(violation_no, who, kind, plate_key, episode) for kind in DISPUTE_KINDS] if episode else []


def news_of(
    tell: str, violation_no: str, plate_key: str, before: str | None, category: str | None, episode: str | None
) -> list[News]:
    """Say what is news in a write of a violation.

    tell: what ingest wrote of it. before: the plate that it was on, if it was known. A violation that moved to another
    plate is news there and cancelled here. Raises ValueError for a ``tell`` that this version does not know, or a
    dispute without a name.
    """
    kind = KINDS.get(tell)
    if kind is None:
        raise ValueError("tell is of no known kind")
    if episode is None and kind in DISPUTE_KINDS:
        raise ValueError("a dispute has no name")
    ends = tell in (CANCELLED, ACCEPTED)
    if ends and before is None:
        return []
    news = [_new(News, (kind, before if ends else plate_key, violation_no, category, episode))]
    if not ends and before not in (None, plate_key):
        news.append(News(MessageKind.CANCELLED, before, violation_no, category, episode))
    return news


def grouped(everything: Iterable[News]) -> Iterator[Group]:
    """Give news by plate and kind."""
    groups: defaultdict[tuple[str, MessageKind], dict[str, News]] = defaultdict(dict)
    for each in everything:
        kind, plate_key, violation_no, _, _ = each
        groups[plate_key, kind][violation_no] = each
    for (plate_key, kind), violations in groups.items():
        yield _new(Group, (plate_key, kind, violations))


def concerns_of(follower: Follower, group: Group) -> list[Concern]:
    """Return what of a group concerns a follower, who may have heard of it."""
    if not follower.notify:
        return []
    who = follower.told_as
    return [_concern(who, each) for each in group.violations.values() if is_concerned(follower, each.category)]


def is_concerned(follower: Follower, category: str | None) -> bool:
    """True unless the violation's category and that of the follower's vehicle are both known and differ."""
    return category is None or follower.category in (category, None)


def _concern(who: str, news: News) -> Concern:
    kind, plate_key, violation_no, _, episode = news
    own = told_marker(violation_no, who, kind, plate_key, episode)
    if kind in DISPUTE_KINDS:
        return _new(Concern, (violation_no, own, ()))
    new = own if kind == MessageKind.NEW_VIOLATION else marker(violation_no, who, MessageKind.NEW_VIOLATION)
    return _new(Concern, (violation_no, own, (new, *dispute_markers(violation_no, who, plate_key, episode))))


def markers(concerns: Iterable[Concern]) -> list[str]:
    """Return the markers that say which violations a follower has heard of."""
    return [key for _, own, known_by in concerns for key in dict.fromkeys((own, *known_by))]


def to_tell(kind: MessageKind, concerns: Iterable[Concern], known: Container[str]) -> list[Concern]:
    """Return those that a follower is to hear of, and has not heard of.

    Cancelled is told only to those who have heard of the violation, new only to those who have not; how an objection
    goes concerns all. known: the markers (:func:`markers`) that stand.
    """
    is_end, whoever = kind == MessageKind.CANCELLED, kind in DISPUTE_KINDS
    return [
        each
        for each in concerns
        if each.marker not in known and (whoever or any(key in known for key in each.known_by) == is_end)
    ]
