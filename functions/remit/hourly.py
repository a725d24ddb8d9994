"""Every hour: what was paid since the last run is laid into the bucket, a file for each sector."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from remit.files import files, manifest
from shared import uploads
from shared.aws_json import sdk
from shared.clock import now
from shared.domain.settlement import BatchStatus, Cursor, SettlementFile
from shared.domain.time import BAGHDAD, to_text
from shared.observability import count, log_with, logger
from shared.settings import number, setting
from shared.stores.paying.settlements import Settlements
from shared.uploads import CSV, JSON, Put

MAX_BATCH_VIOLATIONS: Final = 100_000
"""Violations in one batch, which is put together in memory; more wait for the next."""


def run(ledger: Settlements, put: Put, at: datetime, *, most: int = MAX_BATCH_VIOLATIONS) -> None:
    """Finish the batch that an earlier run left, then make this hour's, if there is anything to tell.

    Can be interrupted anywhere, done again and done twice at once: what is due goes into one batch, a closed batch
    is always the same files, and there is never more than one that is not written.
    """
    cursor = ledger.cursor()
    if cursor and cursor.state != BatchStatus.WRITTEN:
        _finish(cursor, ledger, put, at, most)
        cursor = cursor._replace(state=BatchStatus.WRITTEN)
    hour = Cursor(f"{at.astimezone(BAGHDAD):%Y-%m-%d/%H}", BatchStatus.OPEN)
    if (cursor is None or cursor.batch < hour.batch) and ledger.is_due() and ledger.advance(cursor, hour):
        _finish(hour, ledger, put, at, most)


def _finish(cursor: Cursor, ledger: Settlements, put: Put, at: datetime, most: int) -> None:
    closed = cursor._replace(state=BatchStatus.CLOSED)
    if cursor.state == BatchStatus.OPEN:
        ledger.collect(cursor.batch, most)
        ledger.advance(cursor, closed)
    ledger.put_back_unknown(cursor.batch)
    made = files(cursor.batch, ledger.entries(cursor.batch))
    for file in made:
        put(file.key, file.content, CSV)
        ledger.put_file(SettlementFile(file.key, file.sha256, file.lines, file.amount, to_text(at)))
    put(*manifest(cursor.batch, made), JSON)
    ledger.advance(closed, cursor._replace(state=BatchStatus.WRITTEN))
    logger().info("settlements written", extra={"batch": cursor.batch, "files": len(made)})
    count("SettlementLines", sum(file.lines for file in made))


@cache
def _ledger() -> Settlements:
    return Settlements(sdk(), setting("SETTLEMENTS_TABLE"))


def handler(event: dict[str, Any], context: Any) -> None:
    """Lambda's entry point."""
    log_with(request_id=context.aws_request_id)
    at = now()
    run(_ledger(), uploads.put, at)
    count("SettlementsUnknown", _ledger().unknown())
    count("SettlementsUnacknowledged", _ledger().unacknowledged(at - timedelta(days=number("ACKNOWLEDGE_WITHIN_DAYS"))))
