"""What the operator reads of a file that ended."""

from __future__ import annotations

from typing import Any

from ingest.reporting.operator_mail import body, operator_topic, subject

COUNTS = {"rows": 12_000, "inserted": 7_000, "updated": 0, "unchanged": 0, "stale": 0, "rejected": 5_000}
LOADED: dict[str, Any] = {
    "status": "loaded_with_many_rejects",
    "key": "live/مخالفات.csv",
    "version_id": "v1",
    "counts": COUNTS,
    "error": None,
}
ERROR = {"code": "rows_not_loaded", "message_en": "Some rows are left: 1 / 2", "replay": "python -m infra.operator x"}


class Sns:
    def __init__(self) -> None:
        self.sent: list[dict[str, str]] = []

    def publish(self, **request: str) -> None:
        self.sent.append(request)


def test_a_mail_says_first_that_nothing_tells_what_is_paid() -> None:
    codes = ("status_defaulted", "category_other")
    warnings = [{"code": code, "rows": 20, "first_line": 2, "message_en": "said"} for code in codes]
    said = body({**LOADED, "warnings": warnings}).splitlines()[3:]
    assert said == ["20 rows, first in line 2: status_defaulted. said"]


def test_a_subject_is_what_sns_takes() -> None:
    assert subject(LOADED) == "Gharama: a file is loaded with many rejects"
    assert subject(LOADED).isascii()
    assert len(subject(LOADED)) < 100


def test_a_mail_says_which_file_and_what_became_of_it() -> None:
    assert body(LOADED).splitlines() == [
        "live/مخالفات.csv (version v1): loaded_with_many_rejects",
        "12,000 rows: 7,000 inserted, 0 updated, 0 unchanged, 0 stale, 5,000 rejected",
        "Report: reports/live/مخالفات.csv.v1.json",
    ]


def test_a_mail_of_a_failure_says_why_and_what_to_do() -> None:
    assert body({**LOADED, "status": "failed", "error": ERROR}).splitlines()[3:] == [
        "Error: rows_not_loaded. Some rows are left: 1 / 2",
        "Once its cause is mended: python -m infra.operator x",
    ]


def test_the_topic_is_reached_only_when_there_is_something_to_tell() -> None:
    made: list[Sns] = []

    def sns() -> Sns:
        made.append(Sns())
        return made[-1]

    tell = operator_topic(sns, "arn:topic")
    assert not made
    tell(LOADED)
    assert made[0].sent == [{"TopicArn": "arn:topic", "Subject": subject(LOADED), "Message": body(LOADED)}]
