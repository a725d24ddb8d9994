"""Asking by plate: the answer on screen and by SMS, and its further pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, NamedTuple

from query import rights
from query.plates import concerning, of_category
from query.ports import Ports
from query.quotas import admit
from query.views import Teller, assess, note_of_none, plate_view, totals_view
from shared.access.grant import Access, Grant
from shared.aws_json import Json
from shared.domain import message
from shared.domain.citizen import Profile
from shared.domain.fine import Outlook
from shared.domain.message import Message, MessageKind
from shared.domain.plate import Plate, Reading
from shared.domain.text import digest
from shared.domain.time import to_text
from shared.domain.violation import Violation
from shared.http import Problem, marked, report
from shared.identity import Citizen
from shared.pagination import PAGE, Cursors, paginate
from shared.policies import OBJECTIONS_WHERE
from shared.stores.items import readable
from shared.stores.messaging.messages import QUEUED
from shared.stores.people.look_ups import Asked
from shared.stores.people.profiles import Subject
from shared.stores.people.who_looked import What

PROBED: Final = "PROBE"
"""In the place of a plate and of a citizen: neither can be called so."""


class Recorded(NamedTuple):
    """What is recorded on a plate at an instant (``at``, a stored text), read for one look-up of one citizen.

    violations: newest first. outlooks: what is owed for those that may have to be paid, by number. complete: whether
    they are all; unreadable: why that or something else could not be read. grant: what the citizen is to the plate.
    as_of: up to when the directorate's data goes, a stored text.
    """

    query_id: str
    reading: Reading
    at: str
    profile: Profile
    violations: list[Violation]
    outlooks: dict[str, Outlook]
    complete: bool
    grant: Grant
    as_of: str | None
    unreadable: list[Exception]


class Said(NamedTuple):
    """What became of the SMS of an answer: queued, or why there is none. parts: how many SMS it takes."""

    status: str
    parts: int = 0


def ask(
    ports: Ports,
    citizen: Citizen,
    reading: Reading,
    *,
    by_sms: bool,
    language: str,
    now: datetime,
    new_id: Callable[[], str],
) -> dict[str, Any]:
    """Everything recorded on a plate, newest first, with totals over the whole plate; the result by SMS if wanted.

    What cannot be read is left out, and the answer says so: its sums may be too small, so they go by no SMS. A plate
    that does not exist and one without violations are the same answer by the same work. Calls of tables: one
    UpdateItem (see :meth:`Citizens.admit`), one Query (more for each further megabyte of violations), and one
    TransactWriteItems of all that is kept (a second where the SMS is refused); a GetItem for the feed's date once a
    minute, and a BatchGetItem where a proof of the citizen's stands or waits for this plate. Raises Problem 429, or 409
    where the plate's number is found in several categories.
    """
    recorded = read(ports, citizen, reading, new_id(), language, now)
    said = say(ports, citizen, recorded, wanted=by_sms, now=now)
    return show(recorded, said, _cursors(ports, citizen, recorded.query_id), language)


def read(ports: Ports, citizen: Citizen, reading: Reading, query_id: str, language: str, now: datetime) -> Recorded:
    """Count the look-up, and read what is recorded. Raises Problem as :func:`ask` does."""
    plate_key, at = reading.plate.key, to_text(now)
    subject = Subject(plate_key, ports.crypto.plate_fingerprint(plate_key))
    admission = admit(ports, citizen, subject, language, now)
    unreadable: list[Exception] = []
    found, outlooks = assess(ports.violations.of_plate(plate_key, unreadable), at, unreadable)
    try:
        violations = of_category(reading, newest_first(found), language)
    except Problem:
        report(unreadable)
        ports.who_looked.enter([_entry(ports, citizen, plate_key, query_id, now)])
        raise
    complete, grant = not unreadable, Grant(Access.LOOKED_UP)
    if admission.proof:
        grant = ports.proofs.access(citizen.sub, plate_key, now, unreadable)
    return Recorded(
        query_id=query_id,
        reading=reading,
        at=at,
        profile=admission.profile,
        violations=violations,
        outlooks=outlooks,
        complete=complete,
        grant=grant,
        as_of=ports.feed.as_of(now, unreadable),
        unreadable=unreadable,
    )


def probe(ports: Ports, now: datetime) -> None:
    """Look a plate up that nobody can have, as for a citizen that nobody is: nothing is counted, kept or told."""
    at, unreadable = to_text(now), list[Exception]()
    _, outlooks = assess(ports.violations.of_plate(PROBED, unreadable), at, unreadable)
    message.owed([*outlooks.values()], at)
    ports.proofs.access(PROBED, PROBED, now, unreadable)
    ports.feed.as_of(now, unreadable)


def say(ports: Ports, citizen: Citizen, recorded: Recorded, *, wanted: bool, now: datetime) -> Said:
    """Keep the look-up, and put the SMS of its result if one is wanted and may be sent."""
    plate_key = recorded.reading.plate.key
    asked = Asked(plate_key, recorded.reading.category)
    kept = [
        ports.look_ups.query_action(citizen.sub, recorded.query_id, asked, now),
        _entry(ports, citizen, plate_key, recorded.query_id, now),
    ]
    status = "off" if not (wanted and recorded.profile.sms) else QUEUED if citizen.phone else "no_phone"
    if status == QUEUED and not recorded.complete:
        status = "incomplete"
    if status == QUEUED:
        owed = message.owed(
            [recorded.outlooks[each.violation_no] for each in recorded.violations if each.owed], recorded.at
        )
        result = _result(citizen, recorded, owed)
        answer = digest(result.language, *map(str, owed[:3]))
        # Together, so that an answer kept as told has its message.
        answered = ports.look_ups.answered_action(citizen.sub, plate_key, answer, now)
        who = recorded.profile.who or citizen.sub
        status = ports.messages.put_answer(result, who, now, ports.limits.sms, answered, *kept)
        if status == QUEUED:
            return Said(QUEUED, message.parts(result.text or ""))
    ports.look_ups.seen(citizen.sub, plate_key, now, *kept)
    return Said(status)


def show(recorded: Recorded, said: Said, cursors: Cursors, language: str) -> dict[str, Any]:
    """The answer on screen: the first page, and the totals of all."""
    reading, unreadable = recorded.reading, [*recorded.unreadable]
    is_whole = recorded.grant.sees_whole(recorded.violations, reading.category)
    teller = Teller(reading.plate, recorded.at, language, is_whole=is_whole, outlooks=recorded.outlooks)
    totals = totals_view(recorded.violations, teller.due, complete=recorded.complete)
    items, cursor = paginate(recorded.violations, position, None, PAGE, cursors)
    view = {
        "query_id": recorded.query_id,
        "plate": plate_view(recorded.reading, language),
        "as_of": recorded.as_of,
        "note": None if totals["unpaid_count"] else note_of_none(recorded.as_of or recorded.at, language),
        "objections_where": OBJECTIONS_WHERE[language],
        "violations": [*readable(items, teller.tell, unreadable)],
        "totals": totals,
        "next_cursor": cursor,
        "sms": said._asdict(),
    }
    return marked(view, unreadable, language)


def read_on(
    ports: Ports, citizen: Citizen, query_id: str, cursor: str | None, limit: int, *, language: str, now: datetime
) -> dict[str, Any]:
    """A further page of a citizen's own query of the last 24 h: no quota, no SMS.

    Raises Problem 404, 422 for a cursor not its own, or 409 as :func:`ask` does.
    """
    unreadable: list[Exception] = []
    asked = ports.look_ups.query(citizen.sub, query_id, now, unreadable)
    if asked is None:
        report(unreadable)
        raise Problem(404, "no_such_query")
    plate = Plate.from_key(asked.plate_key)
    found, outlooks = assess(ports.violations.of_plate(asked.plate_key, unreadable), to_text(now), unreadable)
    violations = of_category(Reading(plate, asked.category), newest_first(found), language)
    items, following = paginate(violations, position, cursor, limit, _cursors(ports, citizen, query_id))
    grant = ports.proofs.access(citizen.sub, asked.plate_key, now, unreadable)
    is_whole = grant.sees_whole(violations, asked.category)
    teller = Teller(plate, to_text(now), language, is_whole=is_whole, outlooks=outlooks)
    view = {"items": [*readable(items, teller.tell, unreadable)], "next_cursor": following}
    return marked(view, unreadable, language)


def of_vehicle(
    ports: Ports,
    citizen: Citizen,
    vehicle_id: str,
    cursor: str | None,
    limit: int,
    *,
    language: str,
    now: datetime,
) -> dict[str, Any]:
    """A page of the violations on a linked vehicle, with the totals of all. Raises Problem 403, 404 or 422."""
    vehicle = rights.own(ports, citizen, vehicle_id)
    unreadable: list[Exception] = []
    grant = rights.grant(ports, citizen, vehicle, now, unreadable)
    rights.require_seen(grant)
    ports.who_looked.enter_once_a_day(vehicle.plate_key, citizen.sub, now)
    kept: list[Exception] = []
    found, outlooks = assess(ports.violations.of_plate(vehicle.plate_key, kept), to_text(now), kept)
    violations, complete = newest_first(concerning(vehicle.category, found)), not kept
    unreadable += kept
    plate = Plate.from_key(vehicle.plate_key)
    is_whole = grant.sees_whole(violations, vehicle.category)
    teller = Teller(plate, to_text(now), language, is_whole=is_whole, outlooks=outlooks)
    items, following = paginate(violations, position, cursor, limit, Cursors(ports.crypto, citizen.sub, vehicle_id))
    view = {
        "plate": plate_view(Reading(plate, vehicle.category), language),
        "as_of": ports.feed.as_of(now, unreadable),
        "objections_where": OBJECTIONS_WHERE[language],
        "totals": totals_view(violations, teller.due, complete=complete),
        "items": [*readable(items, teller.tell, unreadable)],
        "next_cursor": following,
    }
    return marked(view, unreadable, language)


def newest_first(violations: list[Violation]) -> list[Violation]:
    """By when they were recorded, and by number where that is the same."""
    return sorted(violations, key=position, reverse=True)


def position(violation: Violation) -> tuple[str, str]:
    """Return where a violation stands on its plate."""
    return violation.recorded_at, violation.violation_no


def _entry(ports: Ports, citizen: Citizen, plate_key: str, query_id: str, now: datetime) -> Json:
    return ports.who_looked.entry_action(plate_key, What.LOOK_UP, citizen.sub, now, query_id)


def _cursors(ports: Ports, citizen: Citizen, query_id: str) -> Cursors:
    return Cursors(ports.crypto, citizen.sub, query_id)


def _result(citizen: Citizen, recorded: Recorded, owed: message.Owed) -> Message:
    """The SMS that says what the screen says."""
    language, plate = recorded.profile.language, recorded.reading.plate
    return Message(
        message_id=digest(MessageKind.QUERY_RESULT, citizen.sub, recorded.query_id),
        sub=citizen.sub,
        kind=MessageKind.QUERY_RESULT,
        created_at=recorded.at,
        phone=citizen.phone,
        language=language,
        text=message.query_result(language, plate, owed, recorded.as_of, recorded.at),
        plate_key=plate.key,
    )
