"""The life of a proof: kept while it waits for its card, counted, ended when the registry says otherwise; each told."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from shared.access.accesses import Accesses
from shared.access.grant import Access, Grant, Turn
from shared.domain import message
from shared.domain.citizen import Follower, Vehicle
from shared.domain.message import Message, MessageKind
from shared.domain.plate import Plate
from shared.domain.text import digest
from shared.domain.time import to_text
from shared.stores.items import is_made
from shared.stores.messaging.messages import Messages
from shared.stores.people.citizens import Citizens
from shared.stores.registry import Registry

_KINDS: Final = {
    Turn.RIGHT: MessageKind.PROOF_RIGHT,
    Turn.WRONG: MessageKind.PROOF_WRONG,
    Turn.ENDED: MessageKind.PROOF_ENDED,
}


class Proofs:
    """Writes and tells what the registry has decided of a link, once."""

    def __init__(self, accesses: Accesses, citizens: Citizens, registry: Registry, messages: Messages) -> None:
        self._accesses = accesses
        self._citizens = citizens
        self._registry = registry
        self._messages = messages

    def access(self, sub: str, plate_key: str, now: datetime, unreadable: list[Exception] | None = None) -> Grant:
        """Say what a citizen is to a plate, and write what the registry has decided since.

        One BatchGetItem; where something is to be written, another and one TransactWriteItems.
        """
        grant = self._accesses.access(sub, plate_key, now, unreadable)
        if grant.turn is None:
            return grant
        return self.settle(sub, plate_key, grant, now)

    def settle(self, sub: str, plate_key: str, grant: Grant, now: datetime) -> Grant:
        """Write a turn and tell its citizen; return what they are now. Where others came first, theirs stands."""
        turn, link, proof = grant.turn, grant.link, grant.proof
        if turn is None or link is None or proof is None:
            return grant
        before = vehicle_of(plate_key, link)
        after = before._replace(proven=False, card=None, proved_at=None, pending_at=None)
        if turn is Turn.RIGHT:
            after = after._replace(proven=True, category=proof.category, card=grant.number, proved_at=to_text(now))
        others = [] if turn is Turn.ENDED else self._registry.forget_actions(plate_key, sub)
        if (profile := self._citizens.profiles([sub]).get(sub)) and profile.phone and profile.sms:
            told = Message(
                message_id=digest(_KINDS[turn], sub, link.vehicle_id, link.proved_at or link.pending_at or ""),
                sub=sub,
                kind=_KINDS[turn],
                created_at=to_text(now),
                phone=profile.phone,
                language=profile.language,
                text=message.of_proof(_KINDS[turn], profile.language, Plate.from_key(plate_key)),
                plate_key=plate_key,
            )
            others.append(self._messages.put_action(told, now))
        actions = [*self._citizens.change_actions(sub, before, after), *others]
        if not is_made(lambda: self._citizens.make(actions)):
            return self._accesses.access(sub, plate_key, now)._replace(turn=None)
        if turn is Turn.RIGHT:
            return Grant(Access.PROVEN, link, proof)
        return grant._replace(turn=None)


def vehicle_of(plate_key: str, link: Follower) -> Vehicle:
    """The link as its citizen's own vehicle."""
    return Vehicle(
        link.vehicle_id,
        plate_key,
        link.category,
        link.relation,
        link.notify,
        link.proven,
        link.card,
        link.proved_at,
        link.pending_at,
    )
