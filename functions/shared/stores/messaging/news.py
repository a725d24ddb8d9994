"""What is news about a plate, and which of its followers hear of it: for telling them, and for checking a file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping
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


class About(NamedTuple):
    """The violation that is told of. episode: what names its last dispute, if there was one."""

    violation_no: str
    category: str | None
    episode: str | None = None


class News(NamedTuple):
    """Something to tell the followers of a plate, of those vehicles that have the violation's category or none."""

    kind: MessageKind
    plate_key: str
    about: About

    @property
    def violation_no(self) -> str:
        """The violation's number."""
        return self.about.violation_no


class Group(NamedTuple):
    """News of one kind about one plate. violations: by number."""

    plate_key: str
    kind: MessageKind
    violations: Mapping[str, About]

    def marker(self, violation_no: str, sub: str) -> str:
        """Return the key of the marker that a citizen has been told this of a violation."""
        return told_marker(violation_no, sub, self.kind, self.plate_key, self.violations[violation_no].episode)


def told_marker(violation_no: str, sub: str, kind: str, plate_key: str, episode: str | None) -> str:
    """Return the key of the marker that a citizen has been told of a violation: of its dispute, for each and plate."""
    return marker(violation_no, sub, f"{kind}#{episode}#{plate_key}" if kind in DISPUTE_KINDS else kind)


def dispute_markers(violation_no: str, sub: str, plate_key: str, episode: str | None) -> list[str]:
    """Return the keys of the markers of which one stands for whoever has heard of a violation's last dispute."""
    return [told_marker(violation_no, sub, kind, plate_key, episode) for kind in DISPUTE_KINDS] if episode else []


def news_of(tell: str, about: About, plate_key: str, before: str | None) -> list[News]:
    """Say what is news in a write of a violation.

    tell: what ingest wrote of it. before: the plate that it was on, if it was known. A violation that moved to another
    plate is news there and cancelled here. Raises ValueError for a ``tell`` that this version does not know, or a
    dispute without a name.
    """
    if tell not in KINDS:
        raise ValueError("tell is of no known kind")
    kind = KINDS[tell]
    if kind in DISPUTE_KINDS and about.episode is None:
        raise ValueError("a dispute has no name")
    if tell in (CANCELLED, ACCEPTED):
        return [News(kind, before, about)] if before is not None else []
    news = [News(kind, plate_key, about)]
    if before not in (None, plate_key):
        news.append(News(MessageKind.CANCELLED, before, about))
    return news


def grouped(everything: Iterable[News]) -> Iterator[Group]:
    """Give news by plate and kind."""
    groups: defaultdict[tuple[str, MessageKind], dict[str, About]] = defaultdict(dict)
    for kind, plate_key, about in everything:
        groups[plate_key, kind][about.violation_no] = about
    return (Group(plate_key, kind, violations) for (plate_key, kind), violations in groups.items())


def markers(follower: Follower, group: Group) -> list[str]:
    """Return the markers that say which violations of a group a follower has heard of."""
    if not follower.notify:
        return []
    return [
        key
        for number, about in group.violations.items()
        if concerns(follower, about.category)
        for key in dict.fromkeys((group.marker(number, follower.sub), *_known_by(follower.sub, group, about)))
    ]


def to_tell(follower: Follower, group: Group, known: Container[str]) -> list[str]:
    """Return those violations of a group that a follower is to hear of, and has not heard of.

    Cancelled is told only to those who have heard of the violation, new only to those who have not; how an objection
    goes concerns all. known: the markers (:func:`markers`) that stand.
    """
    if not follower.notify:
        return []
    return [
        number
        for number, about in group.violations.items()
        if concerns(follower, about.category)
        and group.marker(number, follower.sub) not in known
        and (
            group.kind in DISPUTE_KINDS
            or any(key in known for key in _known_by(follower.sub, group, about))
            == (group.kind == MessageKind.CANCELLED)
        )
    ]


def _known_by(sub: str, group: Group, about: About) -> list[str]:
    """Return the markers of which one stands for whoever has heard of a violation: as new, or of its last dispute."""
    if group.kind in DISPUTE_KINDS:
        return []
    new = marker(about.violation_no, sub, MessageKind.NEW_VIOLATION)
    return [new, *dispute_markers(about.violation_no, sub, group.plate_key, about.episode)]


def concerns(follower: Follower, category: str | None) -> bool:
    """True unless the violation's category and that of the follower's vehicle are both known and differ."""
    return follower.category is None or category in (follower.category, None)
