"""How far the reminders have come, in the Messages table: ``pk=REMINDED#<day of the rise>#<days ahead>#<shard>``."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from shared.aws_json import Call
from shared.stores.items import Item, batch_get, epoch, pack

_KEPT: Final = timedelta(days=60)


class Stage(NamedTuple):
    """A day on which amounts rise, and how many days ahead its reminder goes out."""

    day: str
    ahead: int


class Reminders:
    """The table through the port."""

    def __init__(self, call: Call, table: str) -> None:
        self._call = call
        self._table = table

    def undone(self, stages: Iterable[Stage], shards: int) -> list[list[Stage]]:
        """For each shard, the stages that have not been brought to their end. One BatchGetItem for each 100 asked."""
        stages = list(stages)
        keys: list[Item] = [{"pk": {"S": _key(stage, shard)}} for shard in range(shards) for stage in stages]
        done = {item["pk"]["S"] for item in batch_get(self._call, self._table, keys)}
        return [[stage for stage in stages if _key(stage, shard) not in done] for shard in range(shards)]

    def done(self, stages: Iterable[Stage], shard: int, at: datetime) -> None:
        """Keep that everybody on a shard has been reminded of these."""
        for stage in stages:
            item = pack({"pk": _key(stage, shard), "expires": epoch(at + _KEPT)})
            self._call("dynamodb", "PutItem", {"TableName": self._table, "Item": item})


def _key(stage: Stage, shard: int) -> str:
    return f"REMINDED#{stage.day}#{stage.ahead}#{shard}"
