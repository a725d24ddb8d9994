"""A citizen's profile, with the counts of the day: what an item of it says, and updates of it in the making."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final, NamedTuple

from shared.aws_json import Call, Json
from shared.domain.citizen import ErasingError, Limits, Profile
from shared.domain.sms_texts import PREFIXES
from shared.stores.items import Item, get_item, is_made, item_key, number, pack, readable, text

ERASING: Final = "erasing"
"""The attribute of a profile that is being erased: since when, a stored text."""

COUNTS: Final = ("queries", "unreadable", "links", "proofs")
"""What a profile counts of its citizen's day."""
OF_DAYS: Final = ("plates_full_on", "plates_full_days")
"""What it counts of days on end."""
COUNTED: Final[tuple[str, ...]] = ("day", "plates", *COUNTS, *OF_DAYS)
"""What is kept under the citizen's fingerprint where they are erased, until the next day is over."""


class Subject(NamedTuple):
    """A plate that a look-up is about, and its fingerprint."""

    plate_key: str
    mark: str


class Change:
    """An update of a profile in the making."""

    def __init__(self) -> None:
        self._sets: list[str] = []
        self._removes: list[str] = []
        self._adds: list[str] = []
        self._deletes: list[str] = []
        self._conditions: list[str] = []
        self._names: set[str] = set()
        self._values: Item = {}
        self._first_of_day = False
        self._mark: str | None = None

    @classmethod
    def in_person(cls, phone: str | None, language: str) -> Change:
        """Begin a change with what a citizen's token and call say. A language that was chosen stays."""
        change = cls()
        change.phone(phone)
        change._sets.append(f"{change._name('language')} = if_not_exists(chosen_language, :language)")
        change._values[":language"] = {"S": language}
        return change

    def phone(self, phone: str | None) -> None:
        """The phone of the token, or that it has none."""
        for name in ("phone", "person"):  # the index finds a profile by its person, an entry of who looked too
            if phone:
                self.set(name, phone)
            else:
                self._removes.append(name)

    def set(self, name: str, value: str | int | bool) -> None:
        """Another value of an attribute."""
        self._sets.append(f"{self._name(name)} = :{name}")
        self._values |= pack({f":{name}": value})

    def add_text(self, name: str, value: str) -> None:
        """One text more in a set of them."""
        self._adds.append(f"{self._name(name)} :{name}")
        self._values[f":{name}"] = {"SS": [value]}

    def remove_text(self, name: str, value: str) -> None:
        """One text less in a set of them."""
        self._deletes.append(f"{self._name(name)} :{name}")
        self._values[f":{name}"] = {"SS": [value]}

    @property
    def is_empty(self) -> bool:
        """Whether it changes nothing."""
        return not (self._sets or self._removes or self._adds or self._deletes)

    def count(self, known: Item | None, day: str, *, mark: str | None = None, **more: int) -> None:
        """Add to the day's counts, on condition that the profile's day is as known; a day's first starts them anew.

        known: None where the counts that stand there cannot be read, and so begin anew whatever they are. more: of
        COUNTS. mark: the fingerprint of a plate that is not linked.
        """
        known_day = text(known or {}, "day") or ""
        self._mark = mark
        self._first_of_day = known_day < day
        if self._first_of_day:
            self.set("day", day)
            for name in COUNTS:
                self.set(name, more.get(name, 0))
            if known is not None:
                self._conditions.append("(attribute_not_exists(#day) OR #day < :day)")
            if mark is None:
                self._removes.append(self._name("plates"))
            else:
                self._sets.append(f"{self._name('plates')} = :plates")
                self._values[":plates"] = {"SS": [mark]}
            return
        self._conditions.append(f"{self._name('day')} = :day")
        self._values[":day"] = {"S": known_day}  # the clock of another run may have passed midnight already
        for name, amount in more.items():
            self._adds.append(f"{self._name(name)} :{name}")
            self._values[f":{name}"] = {"N": str(amount)}
        if mark is not None:
            self.add_text("plates", mark)

    def at_most(self, name: str, most: int) -> None:
        """On condition that a count has not reached its limit."""
        if not self._first_of_day:
            below = f"{self._name(name)} < :most_{name}"
            self._conditions.append(f"(attribute_not_exists(#{name}) OR {below})")
            self._values[f":most_{name}"] = {"N": str(most)}

    def at_most_plates(self, known: Item, day: str, most: int) -> int:
        """On condition that the plate is one of the day's, or that they have not reached their limit.

        The last one that fits is taken only where the profile is known as it stands: with it is kept for how many days
        on end they were used up. Returns those days; 0 where this plate is not the last.
        """
        if self._mark is None:
            return 0
        before = [] if self._first_of_day else texts(known, "plates")
        is_read = known.keys() != {"day"}
        if is_read and self._mark not in before and len(before) + 1 == most:
            return self._use_up(known, day, most)
        if not self._first_of_day:
            none_yet = "attribute_not_exists(#plates) OR " if most > 1 else ""
            self._conditions.append(f"({none_yet}contains(#plates, :mark) OR size(#plates) < :last_plate)")
            self._values |= pack({":mark": self._mark, ":last_plate": most - 1})
        return 0

    def _use_up(self, known: Item, day: str, most: int) -> int:
        last, days = text(known, "plates_full_on"), number(known, "plates_full_days") or 0
        if last != day:
            the_day_before = (date.fromisoformat(day) - timedelta(days=1)).isoformat()
            days = days + 1 if last == the_day_before else 1
        self.set("plates_full_on", day)
        self.set("plates_full_days", days)
        if not self._first_of_day:
            self._conditions.append("attribute_not_exists(#plates)" if most == 1 else "size(#plates) = :last_plate")
            self._values |= pack({":last_plate": most - 1} if most > 1 else {})
        return days

    def at_most_texts(self, name: str, most: int) -> None:
        """On condition that a set of texts has not reached its limit."""
        self._conditions.append(f"(attribute_not_exists({self._name(name)}) OR size(#{name}) < :most_{name})")
        self._values |= pack({f":most_{name}": most})

    def only_if_linked(self, plate_key: str, linked: bool) -> None:
        """On condition that a plate is, or is not, among the vehicles."""
        self._conditions.append(f"{'' if linked else 'NOT '}contains({self._name('linked')}, :plate)")
        self._values[":plate"] = {"S": plate_key}

    def request(self, table: str, key: Item, *, while_erasing: bool = False) -> Json:
        """The UpdateItem. A refused one answers with the item as it stands.

        while_erasing: whether it may be made of a citizen who is being erased.
        """
        if not while_erasing:
            self._conditions.append(f"attribute_not_exists({ERASING})")
        clauses = (("SET", self._sets), ("REMOVE", self._removes), ("ADD", self._adds), ("DELETE", self._deletes))
        request: Json = {
            "TableName": table,
            "Key": key,
            "UpdateExpression": " ".join(f"{verb} {', '.join(parts)}" for verb, parts in clauses if parts),
        }
        if self._names:
            request["ExpressionAttributeNames"] = {f"#{name}": name for name in sorted(self._names)}
        if self._values:
            request["ExpressionAttributeValues"] = self._values
        if self._conditions:
            request["ConditionExpression"] = " AND ".join(self._conditions)
            request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        return request

    def _name(self, name: str) -> str:
        self._names.add(name)
        return f"#{name}"


def used_up(known: Item, day: str, subject: Subject | None, limits: Limits) -> str | None:
    """Return which quota of look-ups a profile has used up on a day, or None."""
    if (text(known, "day") or "") < day:
        return None
    if subject is None:
        return "unreadable" if (number(known, "unreadable") or 0) >= limits.unreadable else None
    if (number(known, "queries") or 0) >= limits.queries:
        return "queries"
    if subject.plate_key in texts(known, "linked"):
        return None
    plates = texts(known, "plates")
    return "plates" if subject.mark not in plates and len(plates) >= limits.plates else None


def no_room(known: Item, day: str, limits: Limits) -> str | None:
    """Return which quota keeps a profile from another link on a day, or None."""
    if len(texts(known, "linked")) >= limits.vehicles:
        return "vehicles"
    is_today = (text(known, "day") or "") >= day
    return "links" if is_today and (number(known, "links") or 0) >= limits.links else None


def profile_of(item: Item, unreadable: list[Exception] | None = None) -> Profile:
    """Read a profile; where it cannot be read, that of somebody of whom nothing is known and who is sent nothing."""
    return next(readable([item], _read, unreadable), Profile(None, sms=False))


def _read(item: Item) -> Profile:
    language = text(item, "language") or "ar"
    if language not in PREFIXES:
        raise ValueError("a language without texts")
    sms = item["sms"]["BOOL"] if "sms" in item else True
    return Profile(text(item, "phone"), language, sms, text(item, "who"))


def require_present(item: Item | None) -> None:
    """Raise ErasingError for the profile of a citizen who is being erased."""
    if item and ERASING in item:
        raise ErasingError


def returned(call: Call, table: str, key: Item, who: str | None, day: str, known: Item) -> Item:
    """Return a profile; one that has counted nothing yet with what its citizen had counted before they were erased.

    So that erasing renews no quota. Only a citizen's very first count costs the GetItem; who comes back, an UpdateItem.
    """
    if "day" in known or who is None:
        return known
    kept = get_item(call, table, item_key(who, "COUNTS")) or {}
    names = COUNTED if text(kept, "day") == day else OF_DAYS
    counts = {name: kept[name] for name in names if name in kept and name not in known}
    if not counts:
        return known
    request: Json = {
        "TableName": table,
        "Key": key,
        "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in counts),
        "ConditionExpression": f"attribute_not_exists(#day) AND attribute_not_exists({ERASING})",
        "ExpressionAttributeNames": {f"#{name}": name for name in ("day", *counts)},
        "ExpressionAttributeValues": {f":{name}": value for name, value in counts.items()},
    }
    is_made(lambda: call("dynamodb", "UpdateItem", request))
    return {**known, **counts}


def texts(item: Item, name: str) -> list[str]:
    """A set of texts; empty where there is none."""
    value = item.get(name)
    return value["SS"] if value else []
