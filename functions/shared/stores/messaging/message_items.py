"""A message as an item of the Messages table, and back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from zlib import crc32

from shared.domain.message import Message, MessageKind, MessageStatus
from shared.domain.sms_texts import VERSION
from shared.domain.time import to_text
from shared.stores.items import Item, epoch, known, number, pack, text

SHARDS: Final = 4
KEPT: Final = timedelta(days=400)


def shard_of(message_id: str) -> int:
    """Return the shard of the index of what is due in which a message lies."""
    return crc32(message_id.encode()) % SHARDS


def quiet_shard(shard: int) -> str:
    """Return what the index calls a shard of what quiet hours hold."""
    return f"quiet#{shard}"


def written(message: Message, at: datetime) -> Item:
    """Return the item of a message that may go out from an instant on."""
    return pack(
        {
            "pk": message.message_id,
            "sub": message.sub,
            "kind": message.kind,
            "created_at": message.created_at,
            "phone": message.phone,
            "language": message.language,
            "text": message.text,
            "texts_version": VERSION if message.text is not None else None,
            "plate": message.plate_key,
            "violations": message.violations,
            "status": message.status,
            "due": str(shard_of(message.message_id)),
            "not_before": to_text(at),
            "expires": epoch(at + KEPT),
        }
    )


def read(item: Item) -> Message:
    """Return the message that an item holds. Raises KeyError, TypeError or ValueError for one that holds none."""
    return Message(
        message_id=item["pk"]["S"],
        sub=item["sub"]["S"],
        kind=known(MessageKind, item["kind"]["S"]),
        created_at=item["created_at"]["S"],
        phone=text(item, "phone"),
        language=item["language"]["S"],
        text=text(item, "text"),
        plate_key=text(item, "plate"),
        violations=tuple(value["S"] for value in item.get("violations", {}).get("L", [])),
        status=known(MessageStatus, item["status"]["S"]),
        not_before=item["not_before"]["S"],
        attempts=number(item, "attempts") or 0,
    )
