"""What a citizen may do with one of their own vehicles: asked of the registry anew each time, never remembered."""

from __future__ import annotations

from datetime import datetime

from query.ports import Ports
from shared.access.grant import Access, Grant
from shared.domain.citizen import Vehicle
from shared.http import Problem
from shared.identity import Citizen


def own(ports: Ports, citizen: Citizen, vehicle_id: str) -> Vehicle:
    """Return one of the citizen's own vehicles. Raises Problem 404."""
    vehicle = ports.citizens.vehicle(citizen.sub, vehicle_id)
    if vehicle is None:
        raise Problem(404, "no_such_vehicle")
    return vehicle


def grant(
    ports: Ports, citizen: Citizen, vehicle: Vehicle, now: datetime, unreadable: list[Exception] | None = None
) -> Grant:
    """Say what the citizen is to the plate of a vehicle of theirs. One BatchGetItem where a proof stands or waits.

    unreadable: as :func:`shared.stores.items.readable` takes it.
    """
    if vehicle.proven or vehicle.pending_at:
        return ports.proofs.access(citizen.sub, vehicle.plate_key, now, unreadable)
    return Grant(Access.NONE if ports.needs_proof else Access.LINKED)


def require_seen(found: Grant) -> None:
    """Raises Problem 403 where the deployment shows nothing of a link without proof, and this is one."""
    if found.access not in (Access.PROVEN, Access.LINKED):
        raise Problem(403, "not_proven")


def require_proven(found: Grant) -> None:
    """Raises Problem 403 where the vehicle is not proved the citizen's now."""
    if not found.is_proven:
        raise Problem(403, "not_proven")
