"""A row of the directorate about a violation, and the attributes of the Violations table that it becomes."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from operator import itemgetter
from typing import Final, NamedTuple
from zlib import crc32

import orjson

from shared.domain import fine
from shared.domain.violation import CANCELLED, FIELDS, OPEN, OPENED, SAID, Violation
from shared.stores.items import Item, pack, text

_OFFENCE: Final = ("code", "amount", "status", "category", "title", "legal_ref", "amount_due")
_SECTOR: Final = ("sector_code", "sector_name", "sector_governorate", "place")
"""The directorate's fields that hold few values in millions of rows."""

_OWN: Final = ("violation_no", "plate_key", "occurred_at", "recorded_at", "version", "doubled_at")
"""Those of which each row has its own, of letters, digits and a few signs."""

_RARE: Final = tuple(name for name in SAID if name not in {*_OFFENCE, *_SECTOR, *_OWN})
"""All others, which most rows leave empty: those of the counter. A new field is one unless it is named above."""

_MARKS: Final = (
    *("hash", "origin", "changed_by", "doubling_day", "tell", "tell_held", "was", "changed_before", "inserted_by"),
)
"""Ingest's attributes beside the directorate's fields.

tell_held: news that nobody hears of yet (:class:`Held`), in the place of tell.
was: what the last change should be told for (:func:`shared.stores.hurts.kept`).

changed_by: the line that last changed it; changed_before: the one of another file that had before, which still tells
what it said.
inserted_by: the line that inserted it, where another has changed it since.
"""

INGEST_ATTRIBUTES: Final = frozenset({*_MARKS, *(FIELDS[name].attribute for name in SAID)} - {"pk"})

SHARDS: Final = 8


class Row(NamedTuple):
    """One accepted row of a file.

    content: a digest of everything the directorate wrote but the version. dated: whether the row named its own
    ``updated_at``. ref: the file version and line it stands on. origin: live or backlog. recent: recorded so lately
    that followers should hear of it. declared: somebody said when this was so, in the row or for its file. The number,
    plate, instants and version of the violation, and these fields, are of
    letters, digits and a few signs; what people wrote stands in its other fields.
    """

    violation: Violation
    content: str
    dated: bool
    ref: str
    origin: str
    recent: bool
    declared: bool = True

    @property
    def identity(self) -> str:
        """The violation's number."""
        return self.violation.violation_no

    @property
    def plate_key(self) -> str:
        """The plate that the violation is on."""
        return self.violation.plate_key

    @property
    def version(self) -> str:
        """What tells which of two rows about a violation is newer."""
        return self.violation.version


class Held(NamedTuple):
    """News of a violation that a file's rows made, and of which followers hear only when that file's news are let go.

    news: what will be told (:func:`tell`). file_id: of that file. status, plate: of the violation before, as far as
    anybody can have heard of it; None where it was not there.
    """

    news: str
    file_id: str
    status: str | None = None
    plate: str | None = None

    @property
    def text(self) -> str:
        """What the item keeps."""
        return " ".join(filter(None, self))


def held_of(item: Item) -> Held | None:
    """Read the news that an item holds back, if it does."""
    held = text(item, "tell_held")
    return Held(*held.split(" ", 3)) if held else None


def held_back(news: str, ref: str, known: Item | None) -> str:
    """What an item keeps of news that are held back. ref: of the line that makes them. known: the item before."""
    file_id = ref.partition("#")[0]
    if not known:
        return f"{news} {file_id}"
    before = held_of(known) or Held("", "", text(known, "status"), text(known, "plate"))
    return before._replace(news=news, file_id=file_id).text


def attributes(
    row: Row,
    told: str | None,
    before: str | None = None,
    inserted_by: str | None = None,
    was: str | None = None,
    held: str | None = None,
) -> bytes:
    """What a row says, as ingest's attributes: the members of a JSON object.

    told: followers hear of it (:func:`tell`). held: or will (:func:`held_back`). before, inserted_by, was:
    ``changed_before`` and the like.
    Made as text, at half the cost of an item of small objects: what is written as it stands holds no character that
    JSON would escape, see :class:`Row`.
    """
    violation = row.violation
    own = (
        f'"occurred_at":{{"S":"{violation.occurred_at}"}},"recorded_at":{{"S":"{violation.recorded_at}"}},'
        f'"version":{{"S":"{violation.version}"}},"hash":{{"S":"{row.content}"}},'
        f'"origin":{{"S":"{row.origin}"}},"changed_by":{{"S":"{row.ref}"}},'
    )
    if violation.doubled_at:
        own += f'"doubled_at":{{"S":"{violation.doubled_at}"}},'
    if day := doubling_day(violation):
        own += f'"doubling_day":{{"S":"{day}"}},'
    if told:
        own += f'"tell":{{"S":"{told}"}},'
    elif held:
        own += f'"tell_held":{{"S":"{held}"}},'
    if before:
        own += f'"changed_before":{{"S":"{before}"}},'
    if was:
        own += f'"was":{{"S":"{was}"}},'
    if inserted_by:
        own += f'"inserted_by":{{"S":"{inserted_by}"}},'
    rare = _rare_of(violation)
    return b'%b%b%b%b"plate":{"S":"%b"}' % (
        own.encode(),
        _offence(_offence_of(violation)),
        _sector(_sector_of(violation)),
        b"" if rare == _NO_RARE else _rare(rare),
        violation.plate_key.encode(),
    )


def _members_of(names: tuple[str, ...]) -> Callable[[tuple[str | int | None, ...]], bytes]:
    """What makes of the values of a violation's fields members of a JSON object, with a comma behind each."""
    names = tuple(FIELDS[name].attribute for name in names)

    @lru_cache(maxsize=8192)
    def members(values: tuple[str | int | None, ...]) -> bytes:
        return orjson.dumps(pack(dict(zip(names, values, strict=True))))[1:-1] + b","

    return members


def _values_of(names: tuple[str, ...]) -> Callable[[Violation], tuple[str | int | None, ...]]:
    return itemgetter(*map(Violation._fields.index, names))


_offence: Final = _members_of(_OFFENCE)
_offence_of: Final = _values_of(_OFFENCE)
_sector: Final = _members_of(_SECTOR)
_sector_of: Final = _values_of(_SECTOR)
_rare: Final = _members_of(_RARE)
_rare_of: Final = _values_of(_RARE)
_NO_RARE: Final = (None,) * len(_RARE)


def tell(row: Row, known: Item | None, *, doubtful: bool = False) -> str | None:
    """Whether followers should hear of a write: only of live rows; opened, cancelled, or None.

    Opened: open, recorded lately, and not known as open on this plate before. Cancelled: was open and is cancelled, or
    has left this plate without being news on another. doubtful: its own file says as much of another plate, so that
    nobody is to hear of this one.
    News that are held back are not known yet: they go on where they still hold, whatever row says so.
    """
    violation, held = row.violation, held_of(known) if known else None
    if (row.origin != "live" and not held) or (known and "paid_by" in known):
        return None
    was_open_on = known["plate"]["S"] if known and text(known, "status") == OPEN else None
    is_news = row.recent and row.origin == "live"
    if known and held:
        is_news = is_news or (held.news == OPENED and was_open_on == violation.plate_key)
        was_open_on = held.plate if held.status == OPEN else None
    if violation.status == OPEN and is_news and was_open_on != violation.plate_key and not doubtful:
        return OPENED
    if was_open_on and (violation.status == CANCELLED or was_open_on != violation.plate_key):
        return CANCELLED
    return None


def doubling_day(violation: Violation) -> str | None:
    """The key of ByDoublingDay: the day the fine will double and the plate's shard; None once it can no more."""
    if violation.status != OPEN:
        return None
    if doubles_no_more(violation):
        return None
    legal_ref, recorded_at, occurred_at = violation.legal_ref, violation.recorded_at, violation.occurred_at
    doubles_at = violation.doubled_at or fine.doubles_at(legal_ref, recorded_at, occurred_at)
    if doubles_at is None or doubles_at <= violation.version:
        return None
    if violation.amount_due is not None and fine.is_doubled_early(violation.facts):
        return None
    return f"{doubles_at[:10]}#{crc32(violation.plate_key.encode()) % SHARDS}"


def doubles_no_more(violation: Violation) -> bool:
    """Whether a fine had doubled days before the directorate spoke of it, or never does: told by the days alone."""
    doubles_on = violation.doubled_at or _doubles_on(
        violation.legal_ref, violation.recorded_at[:10], violation.occurred_at[:10]
    )
    # A version begins with the moment the directorate spoke of, and so sorts with instants.
    return doubles_on is None or doubles_on < violation.version[:10]


@lru_cache(maxsize=4096)
def _doubles_on(legal_ref: str | None, recorded_on: str, occurred_on: str) -> str | None:
    return fine.doubles_at(legal_ref, recorded_on, occurred_on)
