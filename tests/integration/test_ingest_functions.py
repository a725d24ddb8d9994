"""The three functions as Lambda calls them: their wiring, their settings, what they answer, what comes again."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
import requests

from infra.local.config import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY
from ingest import api, load_chunk, on_file
from shared.aws_json import Json
from shared.domain.plate import GERMAN, Plate
from tests.support import lambda_events
from tests.support.aws import Engine, Tables
from tests.support.build import follow
from tests.support.ingesting import Ingest, row, text

CACHED = (
    on_file._ports,
    load_chunk._port,
    load_chunk._ending_ports,
    load_chunk._store,
    load_chunk._crypto,
    load_chunk._audience,
    load_chunk._violations,
    load_chunk._registry,
    api._files,
    api._s3,
)


@pytest.fixture
def ingest(engine: Engine, tables: Tables, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ingest]:
    """An ingest path whose functions find their tables, bucket and queue in the environment."""
    ingest = Ingest(engine, tables)
    settings = {
        **engine.environment(),
        "FILES_TABLE": tables["Files"],
        "VIOLATIONS_TABLE": tables["Violations"],
        "REGISTRY_TABLE": tables["Registry"],
        "CITIZENS_TABLE": tables["Citizens"],
        "MESSAGES_TABLE": tables["Messages"],
        "PLATE_KEY_SECRET": plate_key(engine, ingest.bucket),
        "UPLOADS_BUCKET": ingest.bucket,
        "EDGE_SECRET": "",
        "FILE_QUEUE_URL": sqs(engine).create_queue(QueueName=f"{ingest.bucket}-files")["QueueUrl"],
        "CHUNK_QUEUE_URL": sqs(engine).create_queue(QueueName=ingest.bucket)["QueueUrl"],
        "PROOF_QUEUE_URL": sqs(engine).create_queue(QueueName=f"{ingest.bucket}-proofs")["QueueUrl"],
        "OPERATOR_TOPIC": topic(engine),
        "FEED_ENCODING": "utf-8",
        "MAX_BAD_ROWS_PERCENT": "20",
        "MIN_BAD_ROWS": "25",
        "COLUMN_NAMES": "",
        "ANNOUNCE_WITHIN_DAYS": "45",
        "MIN_AMOUNT": "1000",
        "MAX_NEWS": "30000",
        "MAX_MOVED_PLATES": "1000",
        "POWERTOOLS_SERVICE_NAME": "gharama",
        "POWERTOOLS_METRICS_NAMESPACE": "Gharama",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    # engine.fast() reads the same environment, and its connections are closed after the test.
    monkeypatch.setattr(load_chunk, "FastClient", engine.fast)
    forget()
    yield ingest
    forget()


def forget() -> None:
    """As a new environment of each function."""
    for wired in CACHED:
        wired.cache_clear()


def plate_key(engine: Engine, name: str) -> str:
    engine.fast()("secretsmanager", "CreateSecret", {"Name": name, "SecretString": "a key"})
    return name


def sqs(engine: Engine) -> Any:
    return boto3.client(
        "sqs",
        endpoint_url=engine.endpoint,
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY_ID,
        aws_secret_access_key=SECRET_ACCESS_KEY,
    )


def topic(engine: Engine) -> str:
    """An operator's topic."""
    arn: str = engine.session.client("sns", endpoint_url=engine.endpoint).create_topic(Name="operator")["TopicArn"]
    return arn


def chunks(ingest: Ingest) -> list[Json]:
    """The messages on the chunk queue, as load_chunk is given them."""
    client = sqs(ingest.engine)
    url = client.get_queue_url(QueueName=ingest.bucket)["QueueUrl"]
    found = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    for message in found:
        client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [lambda_events.queued(message["Body"]) for message in found]


def context(seconds: float = 60) -> Any:
    found = lambda_events.context()
    found.get_remaining_time_in_millis = lambda: int(seconds * 1000)
    return found


def take(ingest: Ingest, message: str) -> None:
    assert on_file.handler(lambda_events.records([lambda_events.queued(message)]), context()) == ALL_DONE
    assert load_chunk.handler(lambda_events.records(chunks(ingest)), context()) == ALL_DONE


ALL_DONE: Json = {"batchItemFailures": []}


def test_a_file_goes_through_both_functions(ingest: Ingest, capfd: pytest.CaptureFixture[str]) -> None:
    message = ingest.put("live/a.csv", text([*(row() for _ in range(9)), row("BAD-1", amount="x")]))
    take(ingest, message)
    (version,) = on_file.versions(message)
    assert ingest.report(version)["counts"]["inserted"] == 9
    logged = capfd.readouterr().out
    assert '"RowsLoaded":[9.0]' in logged
    assert '"RowsRejected":[1.0]' in logged
    assert "12345" not in logged  # the plate


def test_a_check_goes_through_both_functions_and_counts_as_nothing_loaded(
    ingest: Ingest, capfd: pytest.CaptureFixture[str]
) -> None:
    follow(ingest.citizens(), plate=Plate(GERMAN, "11", "ز", "12345"))
    message = ingest.put("check/live/a.csv", text([*(row() for _ in range(9)), row("BAD-1", amount="x")]))
    take(ingest, message)
    (version,) = on_file.versions(message)
    report = ingest.report(version)
    assert (report["status"], report["check"]["people"], report["counts"]["inserted"]) == ("checked", 1, 9)
    assert ingest.violations() == {}
    logged = capfd.readouterr().out
    for metric in ("RowsLoaded", "RowsRejected", "LiveFilesLoaded", "FilesNotLoaded"):
        assert metric not in logged


def test_the_least_fine_is_the_stacks(ingest: Ingest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIN_AMOUNT", "60000")
    forget()
    message = ingest.put("live/a.csv", text([*(row(amount="60000") for _ in range(9)), row("SMALL", amount="59999")]))
    take(ingest, message)
    assert [bad["error_code"] for bad in ingest.rejected("live/a.csv")] == ["amount_too_small"]
    refused = ingest.put("live/b.csv", text([row() for _ in range(30)]))
    assert on_file.handler(lambda_events.records([lambda_events.queued(refused)]), context()) == ALL_DONE
    assert chunks(ingest) == []


def test_a_file_of_registrations_has_its_cards_walked(ingest: Ingest) -> None:
    header = b"plate_family,plate_governorate,plate_letter,plate_number,registration_no\n"
    take(ingest, ingest.put("registry/a.csv", header + "german,11,ز,12345,AB-12345\n".encode()))
    client = sqs(ingest.engine)
    url = client.get_queue_url(QueueName=f"{ingest.bucket}-proofs")["QueueUrl"]
    (message,) = client.receive_message(QueueUrl=url)["Messages"]
    assert message["Body"] == "{}"


def test_chunk_messages_are_small(ingest: Ingest) -> None:
    on_file.handler(lambda_events.records([lambda_events.queued(ingest.put("live/a.csv", text([row()])))]), context())
    (message,) = chunks(ingest)
    assert set(json.loads(message["body"])) == {"file", "number", "start", "end", "line"}


def test_s3s_own_test_is_taken_and_a_broken_message_alone_comes_again(ingest: Ingest) -> None:
    event = lambda_events.records(
        [
            lambda_events.queued('{"Service": "Amazon S3", "Event": "s3:TestEvent"}', "test"),
            taken(ingest, "not json", "broken"),
            lambda_events.queued(ingest.put("live/a.csv", text([row()])), "good"),
        ]
    )
    assert on_file.handler(event, context()) == {"batchItemFailures": [{"itemIdentifier": "broken"}]}
    assert len(chunks(ingest)) == 1


def test_a_file_that_could_not_be_received_comes_again_within_a_minute(
    ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not when its function would have been killed: hours later, after three of its tries."""
    hidden: list[int] = []
    monkeypatch.setattr(
        "botocore.client.BaseClient._make_api_call",
        lambda self, operation, request: hidden.append(request["VisibilityTimeout"]),
    )
    broken = lambda_events.queued("not json", "broken")
    on_file.handler(lambda_events.records([broken, lambda_events.queued("{}", "nothing")]), context())
    assert hidden == [60]


def taken(ingest: Ingest, body: str, message_id: str) -> Json:
    """A message that lies in the queue of files and was taken from it."""
    client, queue = sqs(ingest.engine), os.environ["FILE_QUEUE_URL"]
    client.send_message(QueueUrl=queue, MessageBody=body)
    (message,) = client.receive_message(QueueUrl=queue)["Messages"]
    return {**lambda_events.queued(body, message_id), "receiptHandle": message["ReceiptHandle"]}


def test_a_chunk_without_time_or_without_sense_comes_again(ingest: Ingest, caplog: pytest.LogCaptureFixture) -> None:
    on_file.handler(lambda_events.records([lambda_events.queued(ingest.put("live/a.csv", text([row()])))]), context())
    (message,) = chunks(ingest)
    event = lambda_events.records([message, lambda_events.queued("{}", "broken")])
    assert load_chunk.handler(event, context(seconds=1)) == {
        "batchItemFailures": [{"itemIdentifier": message["messageId"]}, {"itemIdentifier": "broken"}]
    }
    assert [(line.levelname, line.getMessage()) for line in caplog.records] == [
        ("INFO", "a chunk is left for later"),
        ("ERROR", "a chunk could not be loaded"),
    ]
    assert load_chunk.handler(lambda_events.records([message]), context()) == ALL_DONE
    assert len(ingest.violations()) == 1


# ---------------------------------------------------------------------- the API

CLERK = {"sub": "clerk", "scope": "openid directorate"}
GOOD: Json = {"origin": "live", "format": "csv", "encoding": "utf-8", "size": 1000}


def call(route: str, *, claims: dict[str, str | None] = CLERK, **given: Any) -> tuple[int, Json]:
    reply = api.handler(lambda_events.http(route, claims=claims, **given), context())
    body: Json = json.loads(reply["body"])
    return reply["statusCode"], body


def watch(upload_id: str, sub: str = "clerk") -> tuple[int, Json]:
    return call("GET /v1/uploads/{upload_id}", path={"upload_id": upload_id}, claims={**CLERK, "sub": sub})


def post(form: Json, content: bytes, **changed: str) -> int:
    return requests.post(
        form["url"], data={**form["fields"], **changed}, files={"file": ("f.csv", content)}, timeout=10
    ).status_code


def test_an_upload_from_its_form_to_its_report(ingest: Ingest) -> None:
    content = text([row(), row()])
    status, form = call("POST /v1/uploads", body={**GOOD, "size": len(content)})
    assert status == 201
    assert set(form) == {"upload_id", "url", "fields", "expires_at"}
    assert form["fields"]["key"].startswith("live/20")
    assert form["upload_id"] in form["fields"]["key"]
    nothing = {"upload_id": form["upload_id"], "rows_found": 0, "rows_done": 0, "report": None}
    assert watch(form["upload_id"]) == (200, {**nothing, "status": "waiting"})

    assert post(form, content) == 204
    key = form["fields"]["key"]
    version_id = ingest.s3.head_object(Bucket=ingest.bucket, Key=key)["VersionId"]
    event = ingest.notification(key, version_id)
    on_file.handler(lambda_events.records([lambda_events.queued(event)]), context())
    assert watch(form["upload_id"]) == (200, {**nothing, "status": "loading", "rows_found": 2})

    load_chunk.handler(lambda_events.records(chunks(ingest)), context())
    status, progress = watch(form["upload_id"])
    assert (progress["status"], progress["rows_found"], progress["rows_done"]) == ("loaded", 2, 2)
    assert progress["report"] == json.loads(ingest.read(f"reports/{key}.json"))


def test_what_is_accepted_goes_along_with_the_file(ingest: Ingest) -> None:
    content = text(row(recorded_at=day) for day in ("10/25/2025", "10/26/2025", "10/11/2025"))
    accept = ["date_order_us:recorded_at", "numbers_cut:1"]
    _, form = call("POST /v1/uploads", body={**GOOD, "size": len(content), "accept": accept})
    assert post(form, content, **{"x-amz-meta-accept": "numbers_cut:1"}) == 403
    assert post(form, content) == 204
    head = ingest.s3.head_object(Bucket=ingest.bucket, Key=form["fields"]["key"])
    take(ingest, ingest.notification(form["fields"]["key"], head["VersionId"]))
    _, progress = watch(form["upload_id"])
    assert progress["report"]["accepted"] == accept
    assert progress["report"]["counts"]["inserted"] == 1
    _, form = call("POST /v1/uploads", body=GOOD)
    assert "x-amz-meta-accept" not in form["fields"]


def test_a_form_carries_when_the_file_was_made(ingest: Ingest) -> None:
    content = text([row("AS-OF", updated_at="")])
    _, form = call("POST /v1/uploads", body={**GOOD, "size": len(content), "as_of": "25/11/2026 07:30"})
    assert post(form, content) == 204
    assert post(form, content, **{"x-amz-meta-as-of": "2026-11-26"}) == 403
    key = form["fields"]["key"]
    event = ingest.notification(key, ingest.s3.head_object(Bucket=ingest.bucket, Key=key)["VersionId"])
    on_file.handler(lambda_events.records([lambda_events.queued(event)]), context())
    load_chunk.handler(lambda_events.records(chunks(ingest)), context())
    assert ingest.violations()["AS-OF"]["version"]["S"].startswith("2026-11-25T07:30:00+03:00#")


def test_an_upload_may_be_only_checked(ingest: Ingest) -> None:
    content = text([row()])
    _, form = call("POST /v1/uploads", body={**GOOD, "size": len(content), "check": True})
    key = form["fields"]["key"]
    assert key.startswith("check/live/20")
    assert post(form, content, key=key.removeprefix("check/")) == 403
    assert post(form, content) == 204
    take(ingest, ingest.notification(key, ingest.s3.head_object(Bucket=ingest.bucket, Key=key)["VersionId"]))
    _, progress = watch(form["upload_id"])
    assert (progress["status"], progress["report"]["counts"]["inserted"]) == ("checked", 1)
    assert ingest.violations() == {}
    _, form = call("POST /v1/uploads", body={**GOOD, "check": False})
    assert form["fields"]["key"].startswith("live/20")


def test_a_form_takes_its_own_key_and_size_only(ingest: Ingest) -> None:
    _, form = call("POST /v1/uploads", body={**GOOD, "size": 5})
    assert post(form, b"123456") >= 400
    assert post(form, b"1", key="backlog/other.csv") == 403
    assert post(form, b"12345") == 204


def test_an_upload_that_was_refused_says_so(ingest: Ingest) -> None:
    _, form = call("POST /v1/uploads", body={**GOOD, "origin": "backlog"})
    post(form, b"nonsense")
    key = form["fields"]["key"]
    event = ingest.notification(key, ingest.s3.head_object(Bucket=ingest.bucket, Key=key)["VersionId"])
    on_file.handler(lambda_events.records([lambda_events.queued(event)]), context())
    _, progress = watch(form["upload_id"])
    assert (progress["status"], progress["report"]["error"]["code"]) == ("refused", "header_missing")


def test_a_registration_file_may_be_uploaded_too(ingest: Ingest) -> None:
    status, form = call("POST /v1/uploads", body={**GOOD, "origin": "registry"})
    assert (status, form["fields"]["key"].partition("/")[0]) == (201, "registry")


def test_registrations_go_through_both_functions(ingest: Ingest, capfd: pytest.CaptureFixture[str]) -> None:
    header = "plate_family,plate_governorate,plate_letter,plate_number,registration_no"
    message = ingest.put("registry/a.csv", f"{header}\r\ngerman,11,ز,739418,AB-12345\r\n".encode())
    take(ingest, message)
    (version,) = on_file.versions(message)
    assert ingest.report(version)["counts"]["inserted"] == 1
    logged = capfd.readouterr().out
    assert '"RowsLoaded":[1.0]' in logged
    assert [secret for secret in ("739418", "12345") if secret in logged + str(ingest.tables.items("Registry"))] == []


def test_without_the_scope_nothing_is_told(ingest: Ingest) -> None:
    _, form = call("POST /v1/uploads", body=GOOD)
    citizen: dict[str, str | None] = {"sub": "clerk", "scope": "openid"}
    for status, problem in (
        call("POST /v1/uploads", body=GOOD, claims=citizen),
        call("GET /v1/uploads/{upload_id}", path={"upload_id": form["upload_id"]}, claims=citizen),
        call("POST /v1/uploads", body=GOOD, claims={"sub": "clerk", "scope": None}),
    ):
        assert (status, problem["code"]) == (403, "scope_missing")


def test_others_uploads_and_unknown_ones_look_the_same(ingest: Ingest) -> None:
    _, form = call("POST /v1/uploads", body=GOOD)
    for upload_id, sub in ((form["upload_id"], "other"), ("0" * 32, "clerk")):
        status, problem = watch(upload_id, sub)
        assert (status, problem["code"]) == (404, "no_such_upload")


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, [("origin", "missing"), ("format", "missing"), ("encoding", "missing"), ("size", "missing")]),
        ({**GOOD, "origin": "reports"}, [("origin", "wrong_value")]),
        ({**GOOD, "origin": ["live"]}, [("origin", "wrong_value")]),
        ({**GOOD, "format": "xls"}, [("format", "wrong_value")]),
        ({**GOOD, "encoding": "windows-1252"}, [("encoding", "wrong_value")]),
        ({**GOOD, "format": "xlsx", "size": 200 * 1024**2 + 1}, [("size", "too_large")]),
        ({**GOOD, "size": "10"}, [("size", "wrong_type")]),
        ({**GOOD, "size": True}, [("size", "wrong_type")]),
        ({**GOOD, "size": 0}, [("size", "wrong_value")]),
        ({**GOOD, "accept": "numbers_cut:1"}, [("accept", "wrong_type")]),
        ({**GOOD, "accept": ["numbers_cut:1", 1]}, [("accept", "wrong_value")]),
        ({**GOOD, "accept": ["numbers_cut:money"]}, [("accept", "wrong_value")]),
        ({**GOOD, "accept": ["numbers_cut:1"] * 17}, [("accept", "too_many")]),
        ({**GOOD, "size": 5 * 1024**3 + 1}, [("size", "too_large")]),
        ({**GOOD, "check": "yes"}, [("check", "wrong_type")]),
        ({**GOOD, "as_of": "yesterday"}, [("as_of", "wrong_value")]),
        ({**GOOD, "as_of": "2098-11-25"}, [("as_of", "wrong_value")]),
        ({**GOOD, "as_of": 20261125}, [("as_of", "wrong_value")]),
    ],
)
def test_what_is_wrong_with_a_request_is_named(ingest: Ingest, body: Json, errors: list[tuple[str, str]]) -> None:
    status, problem = call("POST /v1/uploads", body=body)
    assert (status, problem["code"]) == (422, "invalid_input")
    assert [(error["field"], error["code"]) for error in problem["errors"]] == errors
