"""A citizen's vehicles: linking with or without proof, changing, ending; and what a proven owner may do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, NamedTuple

from query.plates import concerning, of_category
from query.ports import Ports
from query.quotas import admit, refused
from query.views import Teller, assess, plate_view, totals_view
from shared.aws_json import Json
from shared.domain import message
from shared.domain.citizen import Follower, FollowersFullError, QuotaError, Vehicle
from shared.domain.message import Message, MessageKind
from shared.domain.phone import masked
from shared.domain.plate import Plate, Reading
from shared.domain.text import digest
from shared.domain.time import to_text
from shared.http import Problem, invalid, known_or_other, marked, report
from shared.identity import Citizen
from shared.observability import count
from shared.pagination import Cursors, paginate
from shared.stores.items import readable
from shared.stores.profiles import Subject
from shared.stores.registry import SUSPICIOUS, TooManyTriesError

RELATIONS: Final = ("self", "family")
MAX_TOLD_OWNERS: Final = 50
"""Owners that hear of a new follower: a vehicle has a few, and they must fit the transaction of the link."""


class LinkRequest(NamedTuple):
    """A request to link a vehicle. notify: the consent to SMS. proof: the registration number in its normal form."""

    reading: Reading
    relation: str
    notify: bool
    proof: str | None


def link(
    ports: Ports, citizen: Citizen, asked: LinkRequest, *, language: str, now: datetime, new_id: Callable[[], str]
) -> tuple[dict[str, Any], bool]:
    """The link and whether it is new; linking twice is linking once, but a proof given later counts.

    Raises Problem: 422 for a proof that is missing or wrong, 409 where the plate's number is found in several
    categories, the citizen has too many vehicles or the plate too many followers without proof, 429.
    """
    proven, category = _prove(ports, citizen, asked, now)
    reading = asked.reading._replace(category=category)
    unreadable: list[Exception] = []
    found = ports.violations.of_plate(reading.plate.key, unreadable)
    violations, outlooks = assess(found, to_text(now), unreadable)
    complete = not unreadable
    mark = ports.crypto.plate_fingerprint(reading.plate.key)
    ports.look_ups.audit(citizen.sub, new_id(), mark, now)
    try:
        of_category(reading, violations, language)
    except Problem:
        # That there are several is told of a plate that does not become one of the citizen's few: it is a look-up.
        admit(ports, citizen, Subject(reading.plate.key, mark), language, now)
        report(unreadable)
        raise
    ports.citizens.seen_in_person(citizen.sub, citizen.phone, language, unreadable)
    wanted = Vehicle(new_id(), reading.plate.key, reading.category, asked.relation, asked.notify, proven)
    told = _to_owners(ports, citizen, wanted, now, unreadable)
    try:
        known = ports.citizens.link(citizen.sub, wanted, now, ports.limits, told)
    except QuotaError as error:
        raise refused(error.quota, now) from None
    except FollowersFullError:
        count("FollowersFull")
        raise Problem(409, "followers_full") from None
    vehicle = known or wanted
    if known and proven and not known.proven and known.category in (None, category):
        vehicle = known._replace(proven=True, category=category)
        ports.citizens.change(citizen.sub, known, vehicle)
    teller = Teller(reading.plate, to_text(now), language, proven=vehicle.proven, outlooks=outlooks)
    totals = totals_view(concerning(vehicle.category, violations), teller.due, complete=complete)
    view = {**vehicle_view(vehicle, language), "totals": totals}
    if complete:
        report(unreadable)
        return view, known is None
    return marked(view, unreadable, language), known is None


def _prove(ports: Ports, citizen: Citizen, asked: LinkRequest, now: datetime) -> tuple[bool, str | None]:
    """Return whether the vehicle is proved the citizen's, and its category: the card's where it tells several apart."""
    plate_key, category = asked.reading.plate.key, asked.reading.category
    if ports.registry is None:
        return False, category
    if asked.proof is None:
        raise invalid("proof", "missing")
    try:
        proof = ports.registry.prove(citizen.sub, plate_key, category, asked.proof, now)
    except TooManyTriesError:
        raise refused("proofs", now) from None
    if not proof.right:
        if proof.wrong_today >= SUSPICIOUS:
            count("SuspiciousProofs")
        raise invalid("proof.number", "proof_wrong")
    return True, proof.category


def _to_owners(
    ports: Ports, citizen: Citizen, vehicle: Vehicle, now: datetime, unreadable: list[Exception]
) -> list[Json]:
    """The actions that tell everybody who has proved the vehicle theirs that another account follows it.

    An owner hears of an account and plate once, however often it ends the link and comes back.
    """
    owners = [
        follower.sub
        for follower in ports.citizens.followers(vehicle.plate_key, unreadable)
        if follower.proven and follower.sub != citizen.sub and _same_category(follower, vehicle)
    ][:MAX_TOLD_OWNERS]
    plate, at = Plate.from_key(vehicle.plate_key), to_text(now)
    told = {sub: digest(MessageKind.FOLLOWER_ADDED, sub, citizen.sub, vehicle.plate_key) for sub in owners}
    known = ports.messages.known(told.values())
    profiles = ports.citizens.profiles((sub for sub in owners if told[sub] not in known), unreadable)
    return [
        ports.messages.put_action(
            Message(
                message_id=told[sub],
                sub=sub,
                kind=MessageKind.FOLLOWER_ADDED,
                created_at=at,
                phone=profile.phone,
                language=profile.language,
                text=message.follower_added(profile.language, plate),
                plate_key=vehicle.plate_key,
            ),
            now,
        )
        for sub, profile in profiles.items()
        if profile.phone and profile.sms
    ]


def listed(ports: Ports, citizen: Citizen, cursor: str | None, limit: int, *, language: str) -> dict[str, Any]:
    """A page of a citizen's vehicles. Raises Problem 422."""
    unreadable: list[Exception] = []
    vehicles = sorted(ports.citizens.vehicles(citizen.sub, unreadable), key=_position, reverse=True)
    page, following = paginate(vehicles, _position, cursor, limit, Cursors(ports.crypto, citizen.sub, "vehicles"))
    items = [*readable(page, lambda vehicle: vehicle_view(vehicle, language), unreadable)]
    return marked({"items": items, "next_cursor": following}, unreadable, language)


def _position(vehicle: Vehicle) -> tuple[str]:
    return (vehicle.vehicle_id,)


def change(
    ports: Ports, citizen: Citizen, vehicle_id: str, *, relation: str | None, notify: bool | None, language: str
) -> dict[str, Any]:
    """A link with another relation or notify; None leaves it as it is. Raises Problem 404."""
    vehicle = _own(ports, citizen, vehicle_id)
    changed = vehicle._replace(
        relation=vehicle.relation if relation is None else relation,
        notify=vehicle.notify if notify is None else notify,
    )
    if changed != vehicle and not ports.citizens.change(citizen.sub, vehicle, changed):
        raise Problem(404, "no_such_vehicle")
    return vehicle_view(changed, language)


def unlink(ports: Ports, citizen: Citizen, vehicle_id: str) -> None:
    """End a link. Raises Problem 404."""
    vehicle = _own(ports, citizen, vehicle_id)
    if not ports.citizens.unlink(citizen.sub, vehicle_id, vehicle.plate_key, proven=vehicle.proven):
        raise Problem(404, "no_such_vehicle")


def followers(ports: Ports, citizen: Citizen, vehicle_id: str, *, language: str) -> dict[str, Any]:
    """List who follows a vehicle that the citizen has proved theirs. Raises Problem 404, or 403 without proof."""
    vehicle = _proven(ports, citizen, vehicle_id)
    unreadable: list[Exception] = []
    everybody = ports.citizens.followers(vehicle.plate_key, unreadable)
    found = [follower for follower in everybody if _same_category(follower, vehicle)]
    profiles = ports.citizens.profiles((follower.sub for follower in found), unreadable)
    items = [
        {
            "follower_id": follower.vehicle_id,
            "me": follower.sub == citizen.sub,
            "phone": masked(profile.phone) if (profile := profiles.get(follower.sub)) and profile.phone else None,
            "relation": known_or_other(follower.relation, RELATIONS),
            "proven": follower.proven,
            "since": follower.since,
        }
        for follower in found
    ]
    items.sort(key=lambda item: str(item["since"]))
    return marked({"items": items, "next_cursor": None}, unreadable, language)


def remove_follower(ports: Ports, citizen: Citizen, vehicle_id: str, follower_id: str) -> None:
    """End another's link to a vehicle that the citizen has proved theirs. Raises Problem 404, or 403 without proof."""
    vehicle = _proven(ports, citizen, vehicle_id)
    unreadable: list[Exception] = []
    for follower in ports.citizens.followers(vehicle.plate_key, unreadable):
        if follower.vehicle_id == follower_id and _same_category(follower, vehicle):
            ports.citizens.unlink(follower.sub, follower_id, vehicle.plate_key, proven=follower.proven)
            return
    report(unreadable)
    raise Problem(404, "no_such_follower")


def _own(ports: Ports, citizen: Citizen, vehicle_id: str) -> Vehicle:
    vehicle = ports.citizens.vehicle(citizen.sub, vehicle_id)
    if vehicle is None:
        raise Problem(404, "no_such_vehicle")
    return vehicle


def _proven(ports: Ports, citizen: Citizen, vehicle_id: str) -> Vehicle:
    vehicle = _own(ports, citizen, vehicle_id)
    if not vehicle.proven:
        raise Problem(403, "not_proven")
    return vehicle


def _same_category(follower: Follower, vehicle: Vehicle) -> bool:
    return None in (follower.category, vehicle.category) or follower.category == vehicle.category


def vehicle_view(vehicle: Vehicle, language: str) -> dict[str, Any]:
    """A vehicle as the API shows it."""
    return {
        "vehicle_id": vehicle.vehicle_id,
        "plate": plate_view(Reading(Plate.from_key(vehicle.plate_key), vehicle.category), language),
        "relation": known_or_other(vehicle.relation, RELATIONS),
        "notify": vehicle.notify,
        "proven": vehicle.proven,
    }
