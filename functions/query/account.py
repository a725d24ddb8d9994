"""What a citizen chose, and the SMS that were sent to them."""

from __future__ import annotations

from typing import Any

from query.ports import Ports
from query.views import plate_view
from shared.domain.citizen import Profile
from shared.domain.message import Message, MessageStatus
from shared.domain.phone import masked
from shared.domain.plate import Plate, Reading
from shared.http import invalid, known_or_other, marked
from shared.identity import Citizen
from shared.pagination import Cursors
from shared.stores.items import readable


def me(ports: Ports, citizen: Citizen, *, language: str) -> dict[str, Any]:
    """The citizen's choices; those of the call where none were made yet."""
    unreadable: list[Exception] = []
    profile = ports.citizens.profile(citizen.sub, unreadable) or Profile(None, language)
    return marked(_view(profile, citizen), unreadable, language)


def choose(ports: Ports, citizen: Citizen, *, chosen: str | None, sms: bool | None, language: str) -> dict[str, Any]:
    """The citizen's choices after a change; None leaves one as it is. SMS off counts for everything, at once.

    chosen: the language that they choose. language: that of the answer.
    """
    unreadable: list[Exception] = []
    profile = ports.citizens.choose(citizen.sub, citizen.phone, chosen, sms, unreadable)
    return marked(_view(profile, citizen), unreadable, language)


def _view(profile: Profile, citizen: Citizen) -> dict[str, Any]:
    phone = masked(citizen.phone) if citizen.phone else None
    return {"language": profile.language, "sms": profile.sms, "phone": phone}


def messages(ports: Ports, citizen: Citizen, cursor: str | None, limit: int, *, language: str) -> dict[str, Any]:
    """A page of a citizen's messages, newest first. Raises Problem 422."""
    ports.citizens.profile(citizen.sub, [])  # which says no while they are being erased
    cursors = Cursors(ports.crypto, citizen.sub, "messages")
    after = cursors.open(cursor) if cursor else None
    if after is not None and len(after) != 2:
        raise invalid("cursor", "cursor_invalid")
    unreadable: list[Exception] = []
    position = (after[0], after[1]) if after else None
    found, following = ports.messages.of_citizen(citizen.sub, limit, position, unreadable)
    items = [*readable(found, lambda said: _message_view(said, language), unreadable)]
    view = {"items": items, "next_cursor": cursors.seal(following) if following else None}
    return marked(view, unreadable, language)


def _message_view(said: Message, language: str) -> dict[str, Any]:
    return {
        "message_id": said.message_id,
        "kind": said.kind,
        "status": known_or_other(said.status, tuple(MessageStatus)),
        "created_at": said.created_at,
        "plate": plate_view(Reading(Plate.from_key(said.plate_key)), language) if said.plate_key else None,
        "text": said.text,
    }
