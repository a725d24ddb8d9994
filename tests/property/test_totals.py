"""A plate's totals beside its items: whatever is recorded, they add up, in whatever pages they are read."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from query.lookup import newest_first, position
from query.views import Teller, totals_view
from shared.domain.time import to_text
from shared.domain.violation import CANCELLED, DISPUTED, OPEN, PAID, Violation
from shared.pagination import Cursors, paginate
from shared.plate_crypto import PlateCrypto
from tests.support.build import NOON, PLATE, violation

AGO = st.integers(0, 90).map(lambda days: to_text(NOON - timedelta(days=days)))
SETTLEMENTS = st.sampled_from([{}, {"held_by": "p1"}, {"paid_by": "p1", "paid_amount": 5, "paid_at": to_text(NOON)}])


@st.composite
def violations(draw: st.DrawFn) -> Violation:
    recorded = draw(AGO)
    return violation(
        amount=draw(st.integers(1, 100_000_000)),
        occurred_at=recorded,
        recorded_at=recorded,
        status=draw(st.sampled_from([OPEN, OPEN, OPEN, PAID, CANCELLED, DISPUTED])),
        legal_ref=draw(st.sampled_from(["25/3/هـ", "26", None])),
        amount_due=draw(st.none() | st.integers(0, 200_000_000)),
        doubled_at=draw(st.none() | AGO),
        place=draw(st.none() | st.just("جسر الجادرية")),
        **draw(SETTLEMENTS),
    )


@given(st.lists(violations(), max_size=30), st.integers(1, 9), st.booleans())
def test_the_items_of_all_pages_add_up_to_the_totals(found: list[Violation], limit: int, proven: bool) -> None:
    teller = Teller(PLATE, to_text(NOON), "ar", is_whole=lambda _: proven)
    ordered = newest_first(found)
    totals = totals_view(ordered, teller.due, complete=True)
    items, cursor = [], None
    while True:
        page, cursor = paginate(ordered, position, cursor, limit, Cursors(PlateCrypto(b"key"), "ur-1", "list"))
        items += [teller.tell(each) for each in page]
        if cursor is None:
            break
    assert [item["violation_no"] for item in items] == [each.violation_no for each in ordered]
    disputed = [item["due"]["amount"] for item in items if item["status"] == "disputed"]
    owed = [item["due"]["amount"] for item in items if item["due"] and item["status"] != "disputed"]
    assert totals == {
        "count": len(found),
        "unpaid_count": len(owed),
        "amount": sum(owed),
        "disputed_count": len(disputed),
        "disputed_amount": sum(disputed),
        "currency": "IQD",
        "complete": True,
    }
    assert {item["status"] for item in items if item["due"]} <= {"unpaid", "in_payment", "disputed"}
    assert all(item["status"] in ("paid", "cancelled") for item in items if not item["due"])
    assert proven or all(item["place"] is None and len(item["recorded_at"]) == 10 for item in items)
