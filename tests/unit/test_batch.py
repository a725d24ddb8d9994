"""A batch of a queue: what is taken is gone, what is left or fails comes again, and neither holds up the rest."""

from __future__ import annotations

import pytest

from shared.batch import take_each
from tests.support.lambda_events import context, queued, records

BATCH = records([queued(name, name) for name in ("good", "later", "bad", "last")])


def test_only_what_was_not_taken_comes_again(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[str] = []

    def take(body: str) -> bool:
        seen.append(body)
        if body == "bad":
            raise RuntimeError("broken")
        return body != "later"

    answer = take_each(BATCH, context(), take, "it was not taken")
    assert answer == {"batchItemFailures": [{"itemIdentifier": "later"}, {"itemIdentifier": "bad"}]}
    assert seen == ["good", "later", "bad", "last"]
    (logged,) = caplog.records
    assert (logged.levelname, logged.getMessage()) == ("ERROR", "it was not taken")
    assert logged.exc_info


def test_a_batch_that_is_all_taken_reports_nothing() -> None:
    assert take_each(BATCH, context(), lambda body: True, "") == {"batchItemFailures": []}


def test_what_ends_the_process_is_not_held_back() -> None:
    def take(body: str) -> bool:
        raise SystemExit

    with pytest.raises(SystemExit):
        take_each(BATCH, context(), take, "")
