"""The sample application as a whole: what AWS would do with it happens, and under the template's own roles."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pytest
from joserfc import jwt

from infra.local.engine import Engine
from infra.local.issuer import Issuer

Found = TypeVar("Found")


class Answer(NamedTuple):
    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def request(url: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
    asked = urllib.request.Request(url, body, headers, method=method)  # noqa: S310
    try:
        with urllib.request.urlopen(asked, timeout=30) as response:  # noqa: S310
            return Answer(response.status, response.headers, response.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.headers, error.read())


def until(condition: Callable[[], Found | None], within: float = 30) -> Found:
    deadline = time.monotonic() + within
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def invoke(local: Engine, name: str, event: Any, **options: Any) -> Any:
    answer = local.clients.get("lambda").invoke(
        FunctionName=local.stack.physical[name], Payload=json.dumps(event), **options
    )
    return json.loads(answer["Payload"].read() or b"null")


def item(local: Engine, key: str) -> dict[str, Any] | None:
    table = local.stack.outputs["Table"]
    found = local.clients.get("dynamodb").get_item(TableName=table, Key={"pk": {"S": key}}, ConsistentRead=True)
    result: dict[str, Any] | None = found.get("Item")
    return result


def put(local: Engine, key: str, **attributes: Any) -> None:
    local.clients.get("dynamodb").put_item(
        TableName=local.stack.outputs["Table"], Item={"pk": {"S": key}, **attributes}
    )


@pytest.fixture
def key() -> str:
    return uuid.uuid4().hex


# ---------------------------------------------------------------- HTTP API


def test_an_open_route_answers(local: Engine) -> None:
    answer = request(f"{local.api_url}/open")

    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json == {"route": "ANY /open", "claims": None, "greeting": "سلام"}


def test_unknown_paths_and_methods_reach_the_default_route(local: Engine) -> None:
    assert request(f"{local.api_url}/nothing/here").json["route"] == "$default"
    assert request(f"{local.api_url}/guarded/1", "DELETE").json["route"] == "$default"


def test_a_token_of_the_issuer_opens_a_guarded_route(local: Engine, issuer: Issuer) -> None:
    token = issuer.token({"sub": "ur-1", "scope": "directorate"})

    answer = request(f"{local.api_url}/guarded/1", authorization=f"Bearer {token}")

    assert answer.status == 200
    assert answer.json["route"] == "GET /guarded/{id}"
    assert answer.json["claims"]["sub"] == "ur-1"
    assert isinstance(answer.json["claims"]["exp"], str)


@pytest.mark.parametrize("authorization", [None, "Bearer x", "forged"])
def test_without_one_it_stays_shut(local: Engine, issuer: Issuer, authorization: str | None) -> None:
    if authorization == "forged":
        head, claims, _ = issuer.token({"sub": "ur-1"}).split(".")
        _, _, signature = issuer.token({"sub": "ur-2"}).split(".")
        authorization = f"Bearer {head}.{claims}.{signature}"

    answer = request(f"{local.api_url}/guarded/1", **({"authorization": authorization} if authorization else {}))

    assert (answer.status, answer.json) == (401, {"message": "Unauthorized"})


def test_a_token_that_never_ends_is_refused(local: Engine, issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    encode = jwt.encode
    monkeypatch.setattr(jwt, "encode", lambda header, claims, key: encode(header, _without_end(claims), key))
    token = issuer.token({"sub": "ur-1"})

    answer = request(f"{local.api_url}/guarded/1", authorization=f"Bearer {token}")

    assert (answer.status, answer.json) == (401, {"message": "Unauthorized"})


def _without_end(claims: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in claims.items() if name != "exp"}


def test_a_function_that_fails_is_answered_as_on_aws(local: Engine) -> None:
    answer = request(f"{local.api_url}/open?fail")

    assert (answer.status, answer.json) == (500, {"message": "Internal Server Error"})


def test_a_page_of_an_allowed_origin_may_call(local: Engine) -> None:
    allowed = request(
        f"{local.api_url}/open", "OPTIONS", origin="http://page.test", **{"access-control-request-method": "GET"}
    )
    refused = request(f"{local.api_url}/open", "OPTIONS", origin="http://other.test")

    assert allowed.headers["access-control-allow-origin"] == "http://page.test"
    assert allowed.headers["access-control-allow-methods"] == "GET"
    assert refused.headers["access-control-allow-origin"] is None


# ---------------------------------------------------------------- roles


def test_a_function_may_do_what_its_role_allows(local: Engine, key: str) -> None:
    invoke(local, "Worker", {"do": "put", "pk": key})

    assert item(local, key)


def test_a_function_is_denied_what_its_role_does_not_allow(local: Engine) -> None:
    error = invoke(local, "Worker", {"do": "scan"})

    assert "AccessDeniedException" in error["errorMessage"]
    assert "not authorized to perform: dynamodb:Scan" in error["errorMessage"]


def test_a_transaction_needs_the_right_to_each_of_its_parts(local: Engine, key: str) -> None:
    table = local.stack.outputs["Table"]
    write = {"Put": {"TableName": table, "Item": {"pk": {"S": key}}}}
    check = {
        "ConditionCheck": {
            "TableName": table,
            "Key": {"pk": {"S": "none"}},
            "ConditionExpression": "attribute_not_exists(pk)",
        }
    }

    denied = invoke(local, "Worker", {"do": "transact", "items": json.dumps([write, check])})
    assert "dynamodb:ConditionCheckItem" in denied["errorMessage"]
    assert item(local, key) is None

    invoke(local, "Worker", {"do": "transact", "items": json.dumps([write])})
    assert item(local, key)


def test_a_secret_is_generated_and_readable_by_its_arn(local: Engine) -> None:
    secret = request(f"{local.api_url}/open?secret").json

    assert secret["user"] == "one"
    assert len(secret["key"]) == 40


def test_unknown_credentials_are_refused(local: Engine) -> None:
    url = f"{local.clients.get('s3').meta.endpoint_url}/{local.stack.physical['Bucket']}/x"

    assert request(url).status == 403


# ---------------------------------------------------------------- queues, buckets, asynchronous calls


def send(local: Engine, **message: Any) -> None:
    local.clients.get("sqs").send_message(QueueUrl=local.stack.physical["Queue"], MessageBody=json.dumps(message))


def dead_letters(local: Engine) -> list[Any]:
    received = local.clients.get("sqs").receive_message(
        QueueUrl=local.stack.physical["DeadLetters"], MaxNumberOfMessages=10, VisibilityTimeout=0
    )
    return [json.loads(message["Body"]) for message in received.get("Messages", [])]


def test_a_message_reaches_its_function(local: Engine, key: str) -> None:
    send(local, id=key)

    assert until(lambda: item(local, f"message {key} 1"))
    assert {"id": key} not in dead_letters(local)


@pytest.mark.parametrize("failure", ["fail", "raise"])
def test_a_failed_message_comes_again_and_ends_as_a_dead_letter(local: Engine, key: str, failure: str) -> None:
    message = {"id": key, failure: True}
    send(local, **message)

    until(lambda: message in dead_letters(local))

    if failure == "fail":
        assert item(local, f"message {key} 1")
        assert item(local, f"message {key} 2")
        assert item(local, f"message {key} 3") is None


def test_an_object_is_told_with_its_version(local: Engine, key: str) -> None:
    bucket = local.stack.physical["Bucket"]
    before = item(local, "message s3 1")

    name = f"live/ملف {key}.csv"
    version = local.clients.get("s3").put_object(Bucket=bucket, Key=name, Body=b"x")["VersionId"]

    told = until(lambda: found if (found := item(local, "message s3 1")) != before else None)
    (record,) = json.loads(told["body"]["S"])["Records"]
    assert record["s3"]["object"]["versionId"] == version
    assert record["s3"]["object"]["key"] == f"live/%D9%85%D9%84%D9%81+{key}.csv"


def test_a_browser_may_post_a_file(local: Engine, key: str) -> None:
    bucket = local.stack.physical["Bucket"]
    s3 = local.clients.get("s3")
    form = s3.generate_presigned_post(bucket, f"other/{key}", Conditions=[["content-length-range", 1, 10]])

    def post(content: bytes) -> Answer:
        boundary = uuid.uuid4().hex
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n'
            for n, v in form["fields"].items()
        ]
        parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n')
        body = "".join(parts).encode() + content + f"\r\n--{boundary}--\r\n".encode()
        kind = f"multipart/form-data; boundary={boundary}"
        return request(form["url"], "POST", body, origin="http://page.test", **{"content-type": kind})

    taken, too_large = post(b"12345"), post(b"12345678901")

    assert taken.status == 204
    assert taken.headers["access-control-allow-origin"] in ("http://page.test", "*")
    assert s3.get_object(Bucket=bucket, Key=f"other/{key}")["Body"].read() == b"12345"
    assert too_large.status == 400


def test_an_asynchronous_call_that_fails_is_repeated(local: Engine, key: str, tmp_path: Path) -> None:
    calls = tmp_path / "calls"

    invoke(local, "Worker", {"do": "count-and-fail", "calls": str(calls)}, InvocationType="Event")

    until(lambda: calls.exists() and calls.read_text() == "xxx")


@pytest.mark.slow
def test_a_schedule_fires(local: Engine) -> None:
    found = until(lambda: item(local, "sweep"), within=90)

    assert found["source"] == {"S": "aws.events"}


# ---------------------------------------------------------------- streams


def test_changes_of_a_table_reach_their_function(local: Engine, key: str) -> None:
    put(local, f"{key} quiet")
    put(local, f"{key} loud", tell={"BOOL": True})

    assert until(lambda: item(local, f"record {key} loud"))
    assert item(local, f"record {key} quiet") is None


def test_a_poison_change_alone_ends_in_the_bucket(local: Engine, key: str) -> None:
    s3, bucket = local.clients.get("s3"), local.stack.physical["FailedRecords"]
    put(local, f"{key} 1", tell={"BOOL": True})
    put(local, f"{key} 2", tell={"BOOL": True}, poison={"BOOL": True})
    put(local, f"{key} 3", tell={"BOOL": True})

    until(lambda: item(local, f"record {key} 1") and item(local, f"record {key} 3"))

    def failed() -> list[Any]:
        names = [one["Key"] for one in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]
        bodies = [json.loads(s3.get_object(Bucket=bucket, Key=name)["Body"].read()) for name in names]
        records = [record for body in bodies for record in json.loads(body["payload"])["Records"]]
        return [one for one in records if one["dynamodb"]["Keys"]["pk"]["S"].startswith(key)]

    (record,) = until(failed)
    assert record["dynamodb"]["Keys"]["pk"]["S"] == f"{key} 2"
