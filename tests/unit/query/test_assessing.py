"""Of which violations it can be told what is owed."""

from __future__ import annotations

from typing import Final

import pytest

from query.views import assess
from shared.domain.time import to_text
from tests.support.build import NOON, violation

AT: Final = to_text(NOON)


@pytest.mark.parametrize(
    ("fields", "is_read"),
    [
        ({}, True),
        ({"category": "hire"}, True),
        ({"category": "hovercraft"}, False),
        ({"recorded_at": "yesterday"}, False),
        ({"recorded_at": "yesterday", "status": "paid"}, True),
        ({"status": "appealed"}, True),
    ],
)
def test_the_others_are_assessed(fields: dict[str, str], is_read: bool) -> None:
    unreadable: list[Exception] = []
    subject, other = violation(**fields), violation()
    found, outlooks = assess([subject, other], AT, unreadable)
    assert found == ([subject, other] if is_read else [other])
    assert other.violation_no in outlooks
    assert len(unreadable) == (not is_read)


def test_what_is_owed_is_known_of_what_may_have_to_be_paid() -> None:
    states = [{}, {"status": "disputed"}, {"held_by": "p1"}, {"status": "paid"}, {"status": "cancelled"}]
    subjects = [violation(**state) for state in states]
    found, outlooks = assess(subjects, AT, [])
    assert found == subjects
    assert list(outlooks) == [each.violation_no for each in subjects[:3]]
