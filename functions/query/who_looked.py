"""What a proven owner is told of those who looked at the vehicle's number: how many on which day, never who."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from query import rights
from query.ports import Ports
from shared.http import invalid
from shared.identity import Citizen
from shared.pagination import Cursors


def of_vehicle(
    ports: Ports, citizen: Citizen, vehicle_id: str, cursor: str | None, limit: int, *, now: datetime
) -> dict[str, Any]:
    """Show a page of days, the newest first, on which others looked at a vehicle that the citizen has proved theirs.

    Only what happened since the number of their card stands for the vehicle: what was before is the former owner's.
    Raises Problem 404, 403 without proof, or 422.
    """
    vehicle = rights.own(ports, citizen, vehicle_id)
    grant = rights.grant(ports, citizen, vehicle, now)
    rights.require_proven(grant)
    cursors = Cursors(ports.crypto, citizen.sub, vehicle_id, "look-ups")
    after = cursors.open(cursor) if cursor else None
    if after is not None and len(after) != 1:
        raise invalid("cursor", "cursor_invalid")
    ports.who_looked.enter_once_a_day(vehicle.plate_key, citizen.sub, now)
    since, before = grant.proof and grant.proof.since, after[0] if after else None
    days, more = ports.who_looked.days(vehicle.plate_key, citizen.sub, since, before, limit, now)
    return {"items": [day._asdict() for day in days], "next_cursor": cursors.seal((days[-1].day,)) if more else None}
