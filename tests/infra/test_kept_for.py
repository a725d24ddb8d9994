"""What the privacy page and the threat model say of times and limits is what the template, and the stores, set."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import pytest

from pay.payments.settle import new_receipt_no
from shared.stores.files import KEPT as FILES_KEPT
from shared.stores.messaging.message_items import KEPT as MESSAGES_KEPT
from shared.stores.people.look_ups import SEEN_FOR
from shared.stores.persons.erasing import FAREWELL_KEPT
from tests.infra.reading import events, of_type
from tests.support.aws import template

DAY: Final = 86_400


def rules_of(bucket: str) -> dict[str, dict[str, Any]]:
    """A bucket's rules of forgetting, by the prefix that they are about."""
    rules = of_type(template(), "AWS::S3::Bucket")[bucket]["LifecycleConfiguration"]["Rules"]
    return {rule.get("Prefix", ""): rule for rule in rules if "ExpirationInDays" in rule}


@pytest.mark.parametrize(
    ("bucket", "prefix", "days"),
    [
        ("Uploads", "registry/", 30),
        ("Uploads", "rejects/registry/", 30),
        ("Uploads", "check/", 30),
        ("Uploads", "chunks/", 30),
        ("Uploads", "rejects/.parts/", 30),
        ("Receipts", "", 400),
        ("FailedRecords", "", 30),
    ],
)
def test_a_bucket_forgets(bucket: str, prefix: str, days: int) -> None:
    rule = rules_of(bucket)[prefix]
    assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", days)
    if bucket == "Uploads":
        assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}


def test_the_directorates_files_are_kept_in_every_version() -> None:
    uploads = of_type(template(), "AWS::S3::Bucket")["Uploads"]
    assert uploads["VersioningConfiguration"] == {"Status": "Enabled"}
    assert not [prefix for prefix in rules_of("Uploads") if prefix.startswith(("live", "backlog", "statistics"))]
    assert "" not in rules_of("Uploads")


def test_dead_letters_are_kept_for_two_weeks_and_those_with_a_phone_for_a_day() -> None:
    queues = of_type(template(), "AWS::SQS::Queue").items()
    kept = {name: queue["MessageRetentionPeriod"] for name, queue in queues if name.endswith("DeadLetters")}
    assert kept.pop("DeliveryDeadLetters") == DAY
    assert set(kept.values()) == {14 * DAY}


def test_delivery_logs_are_kept_for_a_day_under_a_key_of_their_own() -> None:
    for name in ("SmsDelivered", "SmsUndelivered"):
        group = of_type(template(), "AWS::Logs::LogGroup")[name]
        assert (group["RetentionInDays"], group["KmsKeyId"]) == (1, {"Fn::GetAtt": ["SmsDeliveryKey", "Arn"]})
    readers = {name for name, _ in events(template(), "CloudWatchLogs")}
    assert readers == {"NotifyOnDelivery"}


def test_operators_actions_are_kept_for_ten_years_and_outlive_the_stack() -> None:
    resource = template()["Resources"]["OperatorActions"]
    assert resource["Properties"]["RetentionInDays"] == 3653
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_items_are_kept_for_as_long_as_the_page_says() -> None:
    assert timedelta(hours=24) == SEEN_FOR
    assert timedelta(days=400) == MESSAGES_KEPT
    assert timedelta(days=90) == FILES_KEPT
    assert timedelta(days=3) == FAREWELL_KEPT


def test_money_is_kept_for_good() -> None:
    """Of the payments table only the use of a key expires (tests/unit/test_data_model.py); of the ledger nothing."""
    assert "TimeToLiveSpecification" not in of_type(template(), "AWS::DynamoDB::Table")["Settlements"]


def test_the_api_is_throttled_and_the_queues_that_its_calls_fill_are_worked_off_at_a_bounded_pace() -> None:
    settings = of_type(template(), "AWS::Serverless::HttpApi")["Api"]["DefaultRouteSettings"]
    assert 0 < settings["ThrottlingRateLimit"] <= 1000
    filled = {"NotifySendSms", "QueryOnErasure"}
    bounded = {name for name, mapping in events(template(), "SQS") if "ScalingConfig" in mapping}
    assert filled <= bounded


def test_a_receipts_number_cannot_be_guessed() -> None:
    """13 signs of Crockford's 32 are 65 bits."""
    numbers = {new_receipt_no() for _ in range(100)}
    assert len(numbers) == 100
    assert {len(number.removeprefix("GH-")) for number in numbers} == {13}
