"""Run by the bench under valgrind: so many stream records through ``on_violation``, its tables answering from memory.

``python -m tests.bench.on_violation_loop ROUNDS FOLLOWERS``: so often the same thousand records in batches of 100, each
of a plate with so many followers.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from notify import on_violation
from shared.domain.citizen import Follower
from shared.stores.items import pack
from tests.support import lambda_events as events
from tests.support.build import violation

BATCH = 100
RECORDS = 1000
SINCE = "2026-11-01T09:00:00+03:00"


class Citizens:
    def __init__(self, followers: int) -> None:
        self._followers = [
            Follower(f"ur-{number}", "v", None, True, False, "self", SINCE) for number in range(followers)
        ]

    def followers(self, plate_key: str, unreadable: list[Exception]) -> Iterator[Follower]:
        return iter(self._followers)


class Messages:
    def marked(self, markers: Iterable[str]) -> dict[str, str]:
        deque(markers, maxlen=0)
        return {}

    def tell(self, *_: object) -> bool:
        return True


def record(number: int) -> dict[str, Any]:
    """The record of a new violation with all that the directorate writes, on a plate of its own."""
    values = violation(
        f"2026/{number:07d}",
        plate_key=f"DE#11#ز#{number}",
        category="private",
        title="تجاوز الإشارة الضوئية الحمراء",
        legal_ref="25/3/هـ",
        sector_name="قاطع مرور الرصافة",
        sector_governorate="11",
        place="تقاطع ساحة الأندلس",
    )._asdict()
    values["pk"] = values.pop("violation_no")
    values["plate"] = values.pop("plate_key")
    image = pack(
        {**values, "hash": "d41d8cd98f00b204", "origin": "live", "tell": "opened", "inserted_by": "live/a@1:2"}
    )
    return events.change(None, image)


def main(rounds: int, followers: int) -> None:
    stores = Citizens(followers), Messages()
    on_violation._stores = lambda: stores  # type: ignore[assignment]
    batches = [
        events.records([record(start + number) for number in range(BATCH)]) for start in range(0, RECORDS, BATCH)
    ]
    for _ in range(rounds):
        for batch in batches:
            assert on_violation.handler(batch, events.context()) == {"batchItemFailures": []}


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
