"""A row of the directorate about a violation, the attributes of the Violations table that it becomes, and back."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from operator import itemgetter
from typing import Final, NamedTuple
from zlib import crc32

import orjson

from shared.domain import fine
from shared.domain.rules import FAMILY, Rules
from shared.domain.violation import (
    ACCEPTED,
    CANCELLED,
    DISPUTED,
    FIELDS,
    NUMBERS,
    OPEN,
    OPENED,
    REFUSED,
    SAID,
    Violation,
)
from shared.policies import RULES
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
    "episode",
)
"""Ingest's attributes beside the directorate's fields.

tell_held: news that nobody hears of yet (:class:`Held`), in the place of tell.
was: what the last change should be told for (:func:`shared.stores.hurts.kept`).

changed_by: the line that last changed it; changed_before: the one of another file that had before, which still tells
what it said.
inserted_by: the line that inserted it, where another has changed it since.
episode: what names its last dispute (:func:`episode_of`), by which its news are told once.
"""

INGEST_ATTRIBUTES: Final = frozenset({*_MARKS, *(FIELDS[name].attribute for name in SAID)} - {"pk"})

SHARDS: Final = 8

_MAY_BE_OWED: Final = (OPEN, DISPUTED)
"""The statuses of a violation whose amount may have to be paid."""
_NOTHING: Final[frozenset[str]] = frozenset()
_BEGINS: Final = {OPEN: OPENED, DISPUTED: DISPUTED}
"""What is told of one that was not known before, by its status."""
_ENDS: Final = (CANCELLED, ACCEPTED)
"""News that nothing is owed any more."""

_MAY_LACK: Final = frozenset(name for name, default in Violation._field_defaults.items() if default is None)
_TEXTS: Final = [name for name in FIELDS if name not in {*NUMBERS, *_MAY_LACK}]
_OPTIONAL_TEXTS: Final = [name for name in FIELDS if name in _MAY_LACK and name not in NUMBERS]
_NUMBERS: Final = [name for name in NUMBERS if name not in _MAY_LACK]
_OPTIONAL_NUMBERS: Final = [name for name in NUMBERS if name in _MAY_LACK]
_READ: Final = [*_TEXTS, *_OPTIONAL_TEXTS, *_NUMBERS, *_OPTIONAL_NUMBERS]
"""The fields in the order in which they are read: mostly without a step of Python's for each."""


def _attributes_of(names: list[str]) -> list[str]:
    return [FIELDS[name].attribute for name in names]


_text_attributes: Final = itemgetter(*_attributes_of(_TEXTS))
_optional_texts: Final = _attributes_of(_OPTIONAL_TEXTS)
_numbers: Final = _attributes_of(_NUMBERS)
_optional_numbers: Final = _attributes_of(_OPTIONAL_NUMBERS)
_text_in: Final = itemgetter("S")
_no_texts: Final = ({"S": None},) * len(_OPTIONAL_TEXTS)
_in_order: Final = itemgetter(*map(_READ.index, FIELDS))


def read(item: Item) -> Violation:
    """Read the violation of an item (its stream image will do).

    Raises one of UNREADABLE where it lacks what each has, or holds another type: what is no text is never taken for
    nothing, of a settlement least of all.
    """
    values = [
        *map(_text_in, _text_attributes(item)),
        *map(_text_in, map(item.get, _optional_texts, _no_texts)),
        *[int(item[name]["N"]) for name in _numbers],
        *[int(item[name]["N"]) if name in item else None for name in _optional_numbers],
    ]
    return tuple.__new__(Violation, _in_order(values))


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
    *,
    episode: str | None = None,
) -> bytes:
    """What a row says, as ingest's attributes: the members of a JSON object.

    told: followers hear of it (:func:`tell`). held: or will (:func:`held_back`). before, inserted_by, was:
    ``changed_before`` and the like. episode: :func:`episode_of`.
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
    if episode:
        own += f'"episode":{{"S":"{episode}"}},'
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
    """What followers should hear of a write, or None: only of live rows.

    Disputed: and was not so on this plate before; refused: open, and was disputed here; accepted: cancelled, and was
    disputed. Opened: open, recorded lately, and not known as open or disputed on this plate before. Cancelled: was open
    and is cancelled, or has left this plate; who follows the other one may hear of it there. What is settled here has
    no news but that an objection to it was accepted. doubtful: its own file says as much of another plate, so that
    nobody is to hear of this one.
    News that are held back are not known yet: they go on where they still hold, whatever row says so.
    """
    is_live = row.origin == "live"
    if known is None:
        return _BEGINS.get(row.violation.status) if is_live and row.recent and not doubtful else None
    held = held_of(known)
    if not is_live and not held:
        return None
    said, (status, plate) = row.violation.status, (held.status, held.plate) if held else _stands(known)
    goes_on = _goes_on(held, known, row.plate_key) if held else _NOTHING
    is_here, stood = plate == row.plate_key, status in _MAY_BE_OWED
    news, is_news = None, is_live
    if said == DISPUTED and not doubtful and not (is_here and status == DISPUTED):
        news, is_news = DISPUTED, is_live and (row.recent or status is not None or OPENED in goes_on)
    elif said == OPEN and is_here and status == DISPUTED:
        news = REFUSED
    elif said == OPEN and not doubtful and not (is_here and stood):
        news, is_news = OPENED, is_live and row.recent
    elif said == CANCELLED and status == DISPUTED:
        news = ACCEPTED
    if "paid_by" in known and news != ACCEPTED:
        return None
    if news and (is_news or news in goes_on):
        return news
    if stood and (said == CANCELLED or not is_here) and (is_live or CANCELLED in goes_on):
        return CANCELLED
    return None


def _stands(known: Item) -> tuple[str | None, str | None]:
    """The status and plate of what is known."""
    return text(known, "status"), text(known, "plate")


def _goes_on(held: Held, known: Item, plate_key: str) -> frozenset[str]:
    """The news that a row of a plate may make of what is held back, though it would announce nothing by itself."""
    _, plate = _stands(known)
    ends = held.news in _ENDS or held.plate not in (None, plate)
    return frozenset({*([held.news] if plate == plate_key else ()), *(_ENDS if ends else ())})


def episode_of(row: Row, known: Item | None) -> str | None:
    """What names the last dispute of a violation once a row is written: the version of the row that it began with.

    None where it never was disputed. A dispute whose end nobody has heard of goes on.
    """
    begins = row.version if row.violation.status == DISPUTED else None
    if known is None:
        return begins
    held, last = held_of(known), text(known, "episode")
    if text(known, "status") == DISPUTED:
        return last or text(known, "version")
    return last if held and held.status == DISPUTED else begins or last


def doubling_day(violation: Violation, rules: Rules = RULES) -> str | None:
    """The key of ByDoublingDay: the earliest plausible day of its doubling and the plate's shard.

    None once it can double no more. The clock of a disputed one runs on.
    """
    if violation.status not in _MAY_BE_OWED:
        return None
    if violation.doubled_at and violation.doubled_at <= violation.version:
        return None  # the directorate's own date outweighs every rule
    first_on, last_on = _plausible_days(violation, rules)
    # A version begins with the moment the directorate spoke of, and so sorts with instants. Most fines of a backlog
    # have doubled days ago and most others double days ahead, which is told by the days alone.
    said_on = violation.version[:10]
    if last_on < said_on:
        return None
    if first_on <= said_on or violation.amount_due not in (None, violation.amount):
        doubles_at = fine.earliest(violation.facts, rules)
        if doubles_at is None or doubles_at <= violation.version:
            return None
        first_on = doubles_at[:10]
    return f"{first_on}#{crc32(violation.plate_key.encode()) % SHARDS}"


def doubles_no_more(violation: Violation) -> bool:
    """Whether a fine had doubled days before the directorate spoke of it, by every reading of the rules, or never does.

    Told by the days alone.
    """
    _, last_on = _plausible_days(violation, RULES)
    return last_on < violation.version[:10]


def _plausible_days(violation: Violation, rules: Rules) -> tuple[str, str]:
    """The first and the last day on which a fine may double, by the days of its dates alone; "" where it never does."""
    doubled_at, notified_at = violation.doubled_at, violation.notified_at
    if doubled_at:
        return doubled_at[:10], doubled_at[:10]
    _, _, first_on, last_on = rules.choice(
        violation.legal_ref,
        violation.plate_key[:FAMILY],
        violation.recorded_at[:10],
        violation.occurred_at[:10],
        notified_at[:10] if notified_at else "",
    )
    return first_on, last_on
