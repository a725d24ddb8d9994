"""What a citizen chose, and the SMS that were sent to them."""

from __future__ import annotations

from typing import Any

from query.ports import Ports
from query.views import plate_view
from shared.domain.citizen import Profile
from shared.domain.phone import masked
from shared.domain.plate import Plate, Reading
from shared.http import invalid
from shared.identity import Citizen
from shared.pagination import Cursors


def me(ports: Ports, citizen: Citizen, *, language: str) -> dict[str, Any]:
    """The citizen's choices; those of the call where none were made yet."""
    return _view(ports.citizens.profile(citizen.sub) or Profile(None, language), citizen)


def choose(ports: Ports, citizen: Citizen, *, language: str | None, sms: bool | None) -> dict[str, Any]:
    """The citizen's choices after a change; None leaves one as it is. SMS off counts for everything, at once."""
    return _view(ports.citizens.choose(citizen.sub, citizen.phone, language, sms), citizen)


def _view(profile: Profile, citizen: Citizen) -> dict[str, Any]:
    phone = masked(citizen.phone) if citizen.phone else None
    return {"language": profile.language, "sms": profile.sms, "phone": phone}


def messages(ports: Ports, citizen: Citizen, cursor: str | None, limit: int, *, language: str) -> dict[str, Any]:
    """A page of a citizen's messages, newest first. Raises Problem 422."""
    ports.citizens.profile(citizen.sub)  # which says no while they are being erased
    cursors = Cursors(ports.crypto, citizen.sub, "messages")
    after = cursors.open(cursor) if cursor else None
    if after is not None and len(after) != 2:
        raise invalid("cursor", "cursor_invalid")
    found, following = ports.messages.of_citizen(citizen.sub, limit, (after[0], after[1]) if after else None)
    items = [
        {
            "message_id": said.message_id,
            "kind": said.kind,
            "status": said.status,
            "created_at": said.created_at,
            "plate": plate_view(Reading(Plate.from_key(said.plate_key)), language) if said.plate_key else None,
            "text": said.text,
        }
        for said in found
    ]
    return {"items": items, "next_cursor": cursors.seal(following) if following else None}
