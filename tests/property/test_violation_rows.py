"""A row's attributes under arbitrary words: the JSON that is written is that of what the row says."""

from __future__ import annotations

import orjson
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.violation import STATUSES, Violation
from shared.stores.items import pack
from shared.stores.violation_rows import INGEST_ATTRIBUTES, Row, attributes, doubling_day
from tests.support.build import violation

WORDS = st.one_of(st.sampled_from(['"', "\\", '",', '":"', "%b", "{}", "جسر\u2028"]), st.text(min_size=1, max_size=40))
INSTANTS = st.datetimes().map(lambda instant: instant.isoformat(timespec="seconds") + "+03:00")
REFS = st.integers(2, 5_000_000).map("5f0c2e9a1b#{}".format)


@given(
    st.fixed_dictionaries(
        {"status": st.sampled_from(STATUSES), "code": WORDS, "sector_code": WORDS, "amount": st.integers(1, 10**8)},
        optional={
            **dict.fromkeys(("category", "title", "legal_ref", "sector_name", "sector_governorate"), WORDS),
            **dict.fromkeys(("place", "counter_receipt_no"), WORDS),
            **dict.fromkeys(("recorded_at", "doubled_at", "counter_paid_at"), INSTANTS),
            "amount_due": st.integers(0, 2 * 10**8),
        },
    ).map(lambda fields: violation(**fields)),
    st.sampled_from([None, "opened", "cancelled"]),
    st.none() | REFS,
    st.none() | REFS,
    st.none() | INSTANTS,
)
def test_attributes_are_the_json_of_what_a_row_says(
    said: Violation, told: str | None, before: str | None, inserted_by: str | None, episode: str | None
) -> None:
    row = Row(said, "0f" * 16, dated=True, ref="5f0c2e9a1b#7", origin="live", recent=True)
    written = orjson.loads(b"{%b}" % attributes(row, told, before, inserted_by, episode=episode))
    fields = said._asdict()
    assert written == pack(
        {
            **{name: fields[name] for name in INGEST_ATTRIBUTES & fields.keys()},
            "plate": said.plate_key,
            "hash": row.content,
            "origin": row.origin,
            "changed_by": row.ref,
            "tell": told,
            "doubling_day": doubling_day(said),
            "changed_before": before,
            "inserted_by": inserted_by,
            "episode": episode,
        }
    )
    assert written.keys() <= INGEST_ATTRIBUTES
