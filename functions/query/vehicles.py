"""Linking a vehicle: the plate is followed from then on, and the answer says what it owes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from query.lookup import Stores
from query.plates import concerning, of_category
from query.views import plate_view, totals_view
from shared.domain.plate import Reading
from shared.domain.time import to_text
from shared.identity import Citizen
from shared.stores.citizens import Vehicle

RELATIONS: Final = ("self", "family")


def link(
    stores: Stores,
    citizen: Citizen,
    reading: Reading,
    *,
    relation: str,
    notify: bool,
    language: str,
    now: datetime,
    new_id: Callable[[], str],
) -> tuple[dict[str, Any], bool]:
    """The link and whether it is new; linking twice is linking once. ``notify`` is the consent to SMS.

    Raises Problem 409 where the plate's number is found in several categories.
    """
    violations = stores.violations.of_plate(reading.plate.key)
    of_category(reading, violations, language)
    stores.citizens.seen_in_person(citizen.sub, citizen.phone, language)
    wanted = Vehicle(new_id(), reading.plate.key, reading.category, relation, notify)
    known = stores.citizens.link(citizen.sub, wanted, now)
    vehicle = known or wanted
    view = {
        "vehicle_id": vehicle.vehicle_id,
        "plate": plate_view(Reading(reading.plate, vehicle.category), language),
        "relation": vehicle.relation,
        "notify": vehicle.notify,
        "proven": False,
        "totals": totals_view(concerning(vehicle.category, violations), to_text(now)),
    }
    return view, known is None
