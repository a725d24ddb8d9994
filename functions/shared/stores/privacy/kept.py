"""The kinds of items that hold a person, in every table: which the export tells, and what an erasure makes of each.

:data:`KINDS` is the only list: the export and the table on the privacy page are made of it, and tests hold the erasure,
and what the stores write, to it.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cache
from typing import Final, NamedTuple

from shared.stores.items import Item

CITIZENS: Final = "Citizens"
MESSAGES: Final = "Messages"
PAYMENTS: Final = "Payments"
REGISTRY: Final = "Registry"
FILES: Final = "Files"


class Fate(StrEnum):
    """What an erasure makes of a kind of item."""

    GOES = "goes"
    NAMELESS = "stays, names nobody"
    STAYS = "stays"


class Kind(NamedTuple):
    """A kind of item that holds a person or their fingerprint.

    key: as the data model's page writes it. told: what it is called in the export, "" where it is not in it. why: of
    what stays, or is not exported.
    """

    table: str
    key: str
    told: str
    fate: Fate
    why: str = ""


_MONEY: Final = "money: the law wants the books kept"
_EVIDENCE: Final = "who looked at a plate, 366 days: evidence, which an investigator with the key can read"
_COUNT: Final = "a fingerprint only, until the day is over, so that erasing renews no quota"
_MARKER: Final = (
    "a fingerprint only, 400 days; stands for a message that is in the export, and is asked for by its name"
)

KINDS: Final = (
    Kind(CITIZENS, "<sub> / PROFILE", "profile", Fate.GOES),
    Kind(CITIZENS, "<sub> / VEHICLE#<vehicle id>", "vehicle", Fate.GOES),
    Kind(CITIZENS, "P#<plate key> / <sub>", "follower", Fate.GOES),
    Kind(CITIZENS, "CONTESTED / <vehicle id>#<the other's>", "contested", Fate.GOES),
    Kind(CITIZENS, "<sub> / QUERY#<query id>", "query", Fate.GOES),
    Kind(CITIZENS, "<sub> / SEEN#<plate key>", "looked_up", Fate.GOES),
    Kind(CITIZENS, "L#<plate's fingerprint> / <instant>#<id of what was done>", "looked", Fate.NAMELESS, _EVIDENCE),
    Kind(CITIZENS, "L#<plate's fingerprint> / <day>#<who>", "looked", Fate.NAMELESS, _EVIDENCE),
    Kind(CITIZENS, "<who> / COUNTS", "counts", Fate.NAMELESS, _COUNT),
    Kind(MESSAGES, "<message id>", "message", Fate.GOES),
    Kind(MESSAGES, "TOLD#<violation no>#<who>#<kind>", "", Fate.NAMELESS, _MARKER),
    Kind(MESSAGES, "TOLD#<violation no>#<who>#<kind>#<episode>#<plate key>", "", Fate.NAMELESS, _MARKER),
    Kind(MESSAGES, "CAP#CITIZEN#<who>#<day>", "sms_of_day", Fate.NAMELESS, _COUNT),
    Kind(MESSAGES, "CAP#FOLLOWERS#<who>#<day>", "sms_of_followers", Fate.NAMELESS, _COUNT),
    Kind(PAYMENTS, "<payment id> / PAYMENT", "payment", Fate.STAYS, _MONEY),
    Kind(PAYMENTS, "<payment id> / EVENT#<instant>#<what>#<digest>", "payment_event", Fate.STAYS, _MONEY),
    Kind(PAYMENTS, "<payment id> / CALLBACK#<digest>", "payment_callback", Fate.STAYS, _MONEY),
    Kind(PAYMENTS, "<payment id> / WAYS", "ways_to_pay", Fate.STAYS, "24 hours: a picture and links of an order"),
    Kind(PAYMENTS, "RECEIPT#<receipt no> / RECEIPT", "receipt", Fate.STAYS, _MONEY),
    Kind(PAYMENTS, "LIVE#<sub> / LIVE", "live_payments", Fate.GOES),
    Kind(
        PAYMENTS, "KEY#<digest> / KEY", "", Fate.NAMELESS, "24 hours; a digest with what the caller chose, found by it"
    ),
    Kind(REGISTRY, "<plate's fingerprint> / PENDING#<sub>", "proof_that_waits", Fate.GOES),
    Kind(FILES, "UPLOAD#<upload id> / UPLOAD", "", Fate.STAYS, "an act of office: who uploaded a file, 90 days"),
)


def kind_of(table: str, item: Item) -> Kind | None:
    """Return of which kind an item is; None of none that holds a person."""
    key = " / ".join(item[name]["S"] for name in ("pk", "sk") if name in item)
    return next((kind for kind in KINDS if kind.table == table and _pattern(kind.key).fullmatch(key)), None)


@cache
def _pattern(key: str) -> re.Pattern[str]:
    """What keys of a kind look like: no part of one holds a ``#``, but for a plate's own."""
    return re.compile(re.sub(r"<([^>]*)>", lambda part: ".+" if part[1] == "plate key" else "[^#]+", key))
