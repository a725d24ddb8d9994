"""A citizen's profile, with the counts of the day: what an item of it says, and updates of it in the making."""

from __future__ import annotations

from typing import Final, NamedTuple

from shared.aws_json import Json
from shared.domain.citizen import Limits, Profile
from shared.domain.sms_texts import PREFIXES
from shared.stores.items import Item, number, pack, readable, text

_COUNTS: Final = ("queries", "unreadable", "links")
"""What is counted of a day, beside the plates."""


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
        if phone:
            self.set("phone", phone)
        else:
            self._removes.append("phone")

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

    def count(self, known: Item | None, day: str, what: str, mark: str | None = None) -> None:
        """Add one to a count of the day, on condition that the profile's day is as known; a day's first starts anew.

        known: None where the counts that stand there cannot be read, and so begin anew whatever they are. what: one of
        ``queries``, ``unreadable`` and ``links``. mark: the fingerprint of a plate that is not linked.
        """
        known_day = text(known or {}, "day") or ""
        self._mark = mark
        self._first_of_day = known_day < day
        if self._first_of_day:
            self.set("day", day)
            for name in _COUNTS:
                self.set(name, int(name == what))
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
        self._adds.append(f"{self._name(what)} :{what}")
        self._values[f":{what}"] = {"N": "1"}
        if mark is not None:
            self.add_text("plates", mark)

    def at_most(self, name: str, most: int) -> None:
        """On condition that a count has not reached its limit."""
        if not self._first_of_day:
            named = self._name(name)
            self._conditions.append(f"(attribute_not_exists({named}) OR {named} < :most_{name})")
            self._values[f":most_{name}"] = {"N": str(most)}

    def at_most_plates(self, most: int) -> None:
        """On condition that the plate is one of the day's, or that they have not reached their limit."""
        if self._mark is not None and not self._first_of_day:
            self._conditions.append(
                "(attribute_not_exists(#plates) OR contains(#plates, :mark) OR size(#plates) < :most_plates)"
            )
            self._values |= pack({":mark": self._mark, ":most_plates": most})

    def at_most_vehicles(self, most: int) -> None:
        """On condition that the vehicles have not reached their limit."""
        name = self._name("linked")
        self._conditions.append(f"(attribute_not_exists({name}) OR size({name}) < :most_vehicles)")
        self._values |= pack({":most_vehicles": most})

    def only_if_linked(self, plate_key: str, linked: bool) -> None:
        """On condition that a plate is, or is not, among the vehicles."""
        self._conditions.append(f"{'' if linked else 'NOT '}contains({self._name('linked')}, :plate)")
        self._values[":plate"] = {"S": plate_key}

    def request(self, table: str, key: Item) -> Json:
        """The UpdateItem. A refused one answers with the item as it stands."""
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


def profile_of(item: Item, unreadable: list[Exception] | None = None) -> Profile:
    """Read a profile; where it cannot be read, that of somebody of whom nothing is known and who is sent nothing."""
    return next(readable([item], _read, unreadable), Profile(None, sms=False))


def _read(item: Item) -> Profile:
    language = text(item, "language") or "ar"
    if language not in PREFIXES:
        raise ValueError("a language without texts")
    return Profile(text(item, "phone"), language, item["sms"]["BOOL"] if "sms" in item else True)


def texts(item: Item, name: str) -> list[str]:
    """A set of texts; empty where there is none."""
    value = item.get(name)
    return value["SS"] if value else []
