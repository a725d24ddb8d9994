"""Asking by plate: the answer on screen and by SMS, and its further pages."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from query.plates import of_category
from query.views import plate_view, totals_view, violation_view
from shared.domain import message
from shared.domain.plate import Plate, Reading
from shared.domain.time import to_text
from shared.domain.violation import Violation
from shared.http import Problem, invalid
from shared.identity import Citizen
from shared.stores.citizens import Citizens
from shared.stores.messages import Message, Messages
from shared.stores.violations import Violations

PAGE: Final = 50
LARGEST_PAGE: Final = 100


class Stores(NamedTuple):
    """What a look-up reads and writes."""

    violations: Violations
    citizens: Citizens
    messages: Messages


def ask(
    stores: Stores,
    citizen: Citizen,
    reading: Reading,
    *,
    by_sms: bool,
    language: str,
    now: datetime,
    new_id: Callable[[], str],
) -> dict[str, Any]:
    """Everything recorded on a plate, newest first, with totals over the whole plate; the result by SMS if wanted.

    A plate that does not exist and one without violations are the same answer by the same work. Calls of tables: one
    Query (more for each further megabyte of violations), a PutItem, an UpdateItem, and a TransactWriteItems of two that
    queues the SMS (without one, an UpdateItem).
    Raises Problem 409 where the plate's number is found in several categories.
    """
    at = to_text(now)
    violations = of_category(reading, _newest_first(stores.violations.of_plate(reading.plate.key)), language)
    totals = totals_view(violations, at)
    query_id = new_id()
    stores.citizens.put_query(citizen.sub, query_id, reading.plate.key, reading.category, now)
    sms = _tell(stores, citizen, reading.plate, query_id, violations, totals, by_sms=by_sms, language=language, now=now)
    items, cursor = _page(violations, None, PAGE, query_id)
    return {
        "query_id": query_id,
        "plate": plate_view(reading, language),
        "as_of": at,
        "violations": [violation_view(violation, reading, at, language) for violation in items],
        "totals": totals,
        "next_cursor": cursor,
        "sms": sms,
    }


def read_on(
    stores: Stores, citizen: Citizen, query_id: str, cursor: str | None, limit: int, *, language: str, now: datetime
) -> dict[str, Any]:
    """A further page of a citizen's own query of the last 24 h. Raises Problem 404, or 422 for a cursor not its own."""
    asked = stores.citizens.query(citizen.sub, query_id, now)
    if asked is None:
        raise Problem(404, "no_such_query")
    reading = Reading(Plate.from_key(asked[0]), asked[1])
    violations = of_category(reading, _newest_first(stores.violations.of_plate(reading.plate.key)), language)
    items, following = _page(violations, cursor, limit, query_id)
    at = to_text(now)
    return {
        "items": [violation_view(violation, reading, at, language) for violation in items],
        "next_cursor": following,
    }


def _position(violation: Violation) -> tuple[str, str]:
    return violation.recorded_at, violation.violation_no


def _newest_first(violations: list[Violation]) -> list[Violation]:
    return sorted(violations, key=_position, reverse=True)


def _page(
    violations: Sequence[Violation], cursor: str | None, limit: int, query_id: str
) -> tuple[Sequence[Violation], str | None]:
    """A slice after a cursor, which is a position and not a count, so that writes between pages move nothing."""
    if cursor:
        after = _open_cursor(cursor, query_id)
        violations = [violation for violation in violations if _position(violation) < after]
    page = violations[:limit]
    return page, _seal_cursor(_position(page[-1]), query_id) if len(violations) > limit else None


def _seal_cursor(position: tuple[str, str], query_id: str) -> str:
    text = "\x1f".join(position).encode()
    return base64.urlsafe_b64encode(_mac(text, query_id) + text).decode().rstrip("=")


def _open_cursor(cursor: str, query_id: str) -> tuple[str, str]:
    try:
        sealed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        mac, text = sealed[:8], sealed[8:]
        if not hmac.compare_digest(mac, _mac(text, query_id)):
            raise invalid("cursor", "cursor_invalid")
        recorded_at, _, violation_no = text.decode().partition("\x1f")
    except ValueError:
        raise invalid("cursor", "cursor_invalid") from None
    return recorded_at, violation_no


def _mac(text: bytes, query_id: str) -> bytes:
    """Binds a cursor to its query, whose random id only its citizen knows."""
    return hmac.digest(query_id.encode(), text, "sha256")[:8]


def _tell(
    stores: Stores,
    citizen: Citizen,
    plate: Plate,
    query_id: str,
    violations: Sequence[Violation],
    totals: dict[str, Any],
    *,
    by_sms: bool,
    language: str,
    now: datetime,
) -> dict[str, Any]:
    """Put the result's SMS, unless there is a reason not to; keep that the plate was looked up in any case."""
    at = to_text(now)
    profile = stores.citizens.seen_in_person(citizen.sub, citizen.phone, language)
    reason = "off" if not (by_sms and profile.sms) else None if citizen.phone else "no_phone"
    if reason:
        stores.citizens.seen(citizen.sub, plate.key, now)
        return {"status": reason, "parts": 0}
    rises = min((due.changes_at for v in violations if v.owed and (due := v.due(at)).changes_at), default=None)
    text = message.query_result(language, plate, totals["unpaid_count"], totals["amount"], rises, at)
    answer = message.identity(language, str(totals), str(rises))
    said = Message(
        message_id=message.identity(message.QUERY_RESULT, citizen.sub, query_id),
        sub=citizen.sub,
        kind=message.QUERY_RESULT,
        created_at=at,
        phone=citizen.phone,
        language=language,
        text=text,
        plate_key=plate.key,
    )
    # Together, so that an answer kept as told has its message.
    if not stores.messages.put(said, now, stores.citizens.answered_action(citizen.sub, plate.key, answer, now)):
        return {"status": "same_as_recent", "parts": 0}
    return {"status": "queued", "parts": message.parts(text)}
