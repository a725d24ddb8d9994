"""A citizen's vehicles: linking with or without proof, changing, ending; and what a proven owner may do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from query import rights
from query.plates import concerning, of_category
from query.ports import Ports
from query.quotas import admit, refused
from query.views import Teller, assess, plate_view, totals_view
from shared.access.grant import Grant
from shared.access.proofs import vehicle_of
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
from shared.stores.people.profiles import Subject
from shared.stores.people.who_looked import What
from shared.stores.registry import SUSPICIOUS

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
    categories, the citizen has too many vehicles or proofs that wait or the plate too many followers without proof,
    429.
    """
    plate_key = asked.reading.plate.key
    vehicle = Vehicle(new_id(), plate_key, asked.reading.category, asked.relation, asked.notify)
    unreadable: list[Exception] = []
    ports.citizens.seen_in_person(citizen.sub, citizen.phone, language, unreadable)
    wanted, number = _proved(ports, citizen, vehicle, asked.proof, language, now)
    reading = asked.reading._replace(category=wanted.category)
    kept: list[Exception] = []
    violations, outlooks = assess(ports.violations.of_plate(plate_key, kept), to_text(now), kept)
    ports.who_looked.enter_once_a_day(plate_key, citizen.sub, now)
    try:
        of_category(reading, violations, language)
    except Problem:
        report([*unreadable, *kept])
        # That there are several is told of a plate that does not become one of the citizen's few: it is a look-up.
        subject = Subject(plate_key, ports.crypto.plate_fingerprint(plate_key))
        admit(ports, citizen, subject, language, now)
        raise
    waiting = [ports.registry.wait_action(plate_key, citizen.sub, number, now)] if wanted.pending_at else []
    told = _to_owners(ports, citizen, wanted, now, unreadable)
    report(unreadable)
    try:
        known = ports.citizens.link(citizen.sub, wanted, now, ports.limits, [*told, *waiting])
        linked = _proved_later(ports, citizen, known, wanted, waiting, now) if known else wanted
    except QuotaError as error:
        raise refused(error.quota, now) from None
    except FollowersFullError:
        count("FollowersFull")
        raise Problem(409, "followers_full") from None
    complete, found = not kept, rights.grant(ports, citizen, linked, now, kept)
    is_whole = found.sees_whole(violations, linked.category)
    teller = Teller(reading.plate, to_text(now), language, is_whole=is_whole, outlooks=outlooks)
    totals = totals_view(concerning(linked.category, violations), teller.due, complete=complete)
    view = {**vehicle_view(linked, language, proven=found.is_proven), "totals": totals}
    return marked(view, kept, language), known is None


def _proved(
    ports: Ports,
    citizen: Citizen,
    vehicle: Vehicle,
    proof: str | None,
    language: str,
    now: datetime,
) -> tuple[Vehicle, str]:
    """The vehicle with what its proof has made of it, and the proof's fingerprint ("" for none). Raises Problem.

    The try is counted and audited before the number is looked at; where nothing is registered, it waits for its card.
    """
    if proof is None:
        if ports.needs_proof:
            raise invalid("proof", "missing")
        return vehicle, ""
    try:
        ports.citizens.count_proof(citizen.sub, citizen.phone, language, vehicle.plate_key, ports.limits, now)
    except QuotaError as error:
        if error.quota == "proofs":
            count("SuspiciousProofs")
        raise refused(error.quota, now) from None
    entry = ports.who_looked.entry_action(vehicle.plate_key, What.PROOF, citizen.sub, now, vehicle.vehicle_id)
    ports.who_looked.enter([entry])
    found, number = ports.registry.prove(vehicle.plate_key, vehicle.category, proof)
    if found.right:
        return vehicle._replace(category=found.category, proven=True, card=number, proved_at=to_text(now)), number
    if not found.known and not ports.needs_proof:
        return vehicle._replace(pending_at=to_text(now)), number
    count("ProofRefused")
    if ports.registry.count_wrong(vehicle.plate_key, now) >= SUSPICIOUS:
        count("SuspiciousProofs")
    raise invalid("proof.number", "proof_wrong")


def _proved_later(
    ports: Ports, citizen: Citizen, known: Vehicle, wanted: Vehicle, waiting: Sequence[Json], now: datetime
) -> Vehicle:
    """The link that was there already, with a proof that came later. Raises QuotaError."""
    if not (wanted.proven or wanted.pending_at) or rights.grant(ports, citizen, known, now).is_proven:
        return known
    if known.category != wanted.category and None not in (known.category, wanted.category):
        return known  # the card of another vehicle with this number
    known = ports.citizens.vehicle(citizen.sub, known.vehicle_id) or known  # as its grant has left it
    category = wanted.category if wanted.proven and known.category is None else known.category
    changed = wanted._replace(
        vehicle_id=known.vehicle_id, category=category, relation=known.relation, notify=known.notify
    )
    others = waiting or (ports.registry.forget_actions(known.plate_key, citizen.sub) if known.pending_at else [])
    if ports.citizens.change(citizen.sub, known, changed, others, ports.limits.pending):
        return changed
    if changed.pending_at and not known.pending_at:
        raise QuotaError("pending")
    return ports.citizens.vehicle(citizen.sub, known.vehicle_id) or known


def _to_owners(
    ports: Ports, citizen: Citizen, vehicle: Vehicle, now: datetime, unreadable: list[Exception]
) -> list[Json]:
    """The actions that tell everybody who has proved the vehicle theirs that another account follows it.

    An owner hears of an account and plate once, however often it ends the link and comes back.
    """
    followers = ports.citizens.followers(vehicle.plate_key, unreadable)
    owners = [
        follower.sub
        for follower, grant in ports.accesses.of_followers(vehicle.plate_key, followers, unreadable)
        if grant.is_proven and follower.sub != citizen.sub and _same_category(follower, vehicle)
    ][:MAX_TOLD_OWNERS]
    plate, at, who = Plate.from_key(vehicle.plate_key), to_text(now), ports.crypto.citizen_fingerprint(citizen.sub)
    told = {sub: digest(MessageKind.FOLLOWER_ADDED, sub, who, vehicle.plate_key) for sub in owners}
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


def listed(
    ports: Ports, citizen: Citizen, cursor: str | None, limit: int, *, language: str, now: datetime
) -> dict[str, Any]:
    """A page of a citizen's vehicles. Raises Problem 422."""
    unreadable: list[Exception] = []
    ports.citizens.profile(citizen.sub, [])  # which says no while they are being erased
    vehicles = sorted(ports.citizens.vehicles(citizen.sub, unreadable), key=_position, reverse=True)
    page, following = paginate(vehicles, _position, cursor, limit, Cursors(ports.crypto, citizen.sub, "vehicles"))
    asked = [vehicle.plate_key for vehicle in page if vehicle.proven]
    grants = ports.accesses.accesses(citizen.sub, asked, now, unreadable)

    def view(vehicle: Vehicle) -> dict[str, Any]:
        return vehicle_view(vehicle, language, proven=vehicle.proven and grants[vehicle.plate_key].is_proven)

    items = [*readable(page, view, unreadable)]
    return marked({"items": items, "next_cursor": following}, unreadable, language)


def _position(vehicle: Vehicle) -> tuple[str]:
    return (vehicle.vehicle_id,)


def change(
    ports: Ports,
    citizen: Citizen,
    vehicle_id: str,
    *,
    relation: str | None,
    notify: bool | None,
    renew: bool,
    language: str,
    now: datetime,
) -> dict[str, Any]:
    """A link with another relation or notify; None leaves it as it is. renew: it is still wanted.

    Raises Problem 404.
    """
    vehicle = rights.own(ports, citizen, vehicle_id)
    changed = vehicle._replace(
        relation=vehicle.relation if relation is None else relation,
        notify=vehicle.notify if notify is None else notify,
    )
    if changed != vehicle and not ports.citizens.change(citizen.sub, vehicle, changed):
        raise Problem(404, "no_such_vehicle")
    if renew:
        if not ports.lapses.renew(citizen.sub, vehicle_id, now):
            raise Problem(404, "no_such_vehicle")
        changed = changed._replace(lapses_on=None)
    return vehicle_view(changed, language, proven=rights.grant(ports, citizen, changed, now).is_proven)


def unlink(ports: Ports, citizen: Citizen, vehicle_id: str) -> None:
    """End a link, and a proof that waits for it. Raises Problem 404."""
    _end(ports, citizen.sub, rights.own(ports, citizen, vehicle_id))


def _end(ports: Ports, sub: str, vehicle: Vehicle) -> None:
    waiting = ports.registry.forget_actions(vehicle.plate_key, sub) if vehicle.pending_at else []
    if not ports.citizens.unlink(sub, vehicle.vehicle_id, vehicle.plate_key, proven=vehicle.proven, others=waiting):
        raise Problem(404, "no_such_vehicle")


def followers(ports: Ports, citizen: Citizen, vehicle_id: str, *, language: str, now: datetime) -> dict[str, Any]:
    """List who follows a vehicle that the citizen has proved theirs. Raises Problem 404, or 403 without proof."""
    unreadable: list[Exception] = []
    vehicle = rights.own(ports, citizen, vehicle_id)
    found = _followers(ports, citizen, vehicle, now, unreadable)
    ports.who_looked.enter_once_a_day(vehicle.plate_key, citizen.sub, now)
    profiles = ports.citizens.profiles((follower.sub for follower, _ in found), unreadable)
    items = [
        {
            "follower_id": follower.vehicle_id,
            "me": follower.sub == citizen.sub,
            "phone": masked(profile.phone) if (profile := profiles.get(follower.sub)) and profile.phone else None,
            "relation": known_or_other(follower.relation, RELATIONS),
            "proven": grant.is_proven,
            "since": follower.since,
        }
        for follower, grant in found
    ]
    items.sort(key=lambda item: str(item["since"]))
    return marked({"items": items, "next_cursor": None}, unreadable, language)


def remove_follower(ports: Ports, citizen: Citizen, vehicle_id: str, follower_id: str, now: datetime) -> None:
    """End another's link, made without proof, to a vehicle that the citizen has proved theirs.

    Raises Problem 404, 403 without proof, or 409 where the other has proved it too: that is the directorate's to judge.
    """
    unreadable: list[Exception] = []
    vehicle = rights.own(ports, citizen, vehicle_id)
    found = _followers(ports, citizen, vehicle, now, unreadable)
    report(unreadable)
    for follower, grant in found:
        if follower.vehicle_id != follower_id:
            continue
        if grant.is_proven and follower.sub != citizen.sub:
            ports.citizens.contest(citizen.sub, vehicle, follower, now)
            count("FollowersContested")
            raise Problem(409, "follower_proven")
        _end(ports, follower.sub, vehicle_of(vehicle.plate_key, follower))
        return
    raise Problem(404, "no_such_follower")


def _followers(
    ports: Ports, citizen: Citizen, vehicle: Vehicle, now: datetime, unreadable: list[Exception]
) -> list[tuple[Follower, Grant]]:
    """Who follows a vehicle that the citizen has proved theirs, and what each is to it now. Raises Problem 403."""
    rights.require_proven(rights.grant(ports, citizen, vehicle, now, unreadable))
    everybody = ports.citizens.followers(vehicle.plate_key, unreadable)
    same = (each for each in everybody if _same_category(each, vehicle))
    return ports.accesses.of_followers(vehicle.plate_key, same, unreadable)


def _same_category(follower: Follower, vehicle: Vehicle) -> bool:
    return None in (follower.category, vehicle.category) or follower.category == vehicle.category


def vehicle_view(vehicle: Vehicle, language: str, *, proven: bool) -> dict[str, Any]:
    """A vehicle as the API shows it. proven: now."""
    return {
        "vehicle_id": vehicle.vehicle_id,
        "plate": plate_view(Reading(Plate.from_key(vehicle.plate_key), vehicle.category), language),
        "relation": known_or_other(vehicle.relation, RELATIONS),
        "notify": vehicle.notify,
        "proven": proven,
        "proof_pending": not proven and vehicle.pending_at is not None,
        "lapses_on": None if proven else vehicle.lapses_on,
    }
