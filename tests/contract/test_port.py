"""Both adapters of the port answer alike, over every operation that the stores use."""

from __future__ import annotations

import json
import secrets

import pytest

from shared.aws_json import AwsError, Call, Json
from tests.support.aws import Engine, Tables

ARABIC = 'غرامة-أور: لوحة ..١٢٣ 🚗 \u0000\u2028\\"'


@pytest.fixture(params=["sdk", "fast"])
def call(request: pytest.FixtureRequest, engine: Engine) -> Call:
    return engine.sdk() if request.param == "sdk" else engine.fast()


@pytest.fixture
def table(tables: Tables) -> str:
    return tables["Citizens"]


def key(pk: str, sk: str = "s") -> Json:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def put(call: Call, table: str, item: Json) -> None:
    call("dynamodb", "PutItem", {"TableName": table, "Item": item})


def get(call: Call, table: str, pk: str, sk: str = "s") -> Json:
    return call("dynamodb", "GetItem", {"TableName": table, "Key": key(pk, sk), "ConsistentRead": True})


def refused(call: Call, operation: str, request: Json) -> AwsError:
    with pytest.raises(AwsError) as caught:
        call("dynamodb", operation, request)
    return caught.value


def test_what_was_put_is_got_as_the_same_json(call: Call, table: str) -> None:
    item = {
        **key("1"),
        "text": {"S": ARABIC},
        "number": {"N": "-123456789012345678901234567890.5"},
        "flag": {"BOOL": False},
        "list": {"L": [{"S": "a"}, {"M": {"deep": {"N": "1"}}}, {"L": []}]},
        "nothing": {"NULL": True},
        "empty": {"S": ""},
    }
    put(call, table, item)
    assert get(call, table, "1") == {"Item": item}


def test_an_answer_holds_nothing_but_what_the_service_said(call: Call, table: str) -> None:
    assert get(call, table, "nobody") == {}
    assert call("dynamodb", "PutItem", {"TableName": table, "Item": key("1")}) == {}


def test_keys_may_hold_any_letters(call: Call, table: str) -> None:
    put(call, table, key("P#DE#11#هـ#123", ARABIC))
    assert get(call, table, "P#DE#11#هـ#123", ARABIC) == {"Item": key("P#DE#11#هـ#123", ARABIC)}


def test_an_item_of_400_kb_passes_and_a_larger_one_is_refused_by_name(call: Call, table: str) -> None:
    big = {**key("1"), "text": {"S": "ا" * 200_000}}
    put(call, table, big)
    assert get(call, table, "1")["Item"] == big
    error = refused(call, "PutItem", {"TableName": table, "Item": {**key("1"), "text": {"S": "ا" * 210_000}}})
    assert error.code == "ValidationException"
    assert not error.condition_failed


def test_an_update_returns_the_new_item(call: Call, table: str) -> None:
    update = {
        "TableName": table,
        "Key": key("1"),
        "UpdateExpression": "SET #name = :name ADD seen :one",
        "ExpressionAttributeNames": {"#name": "name"},
        "ExpressionAttributeValues": {":name": {"S": ARABIC}, ":one": {"N": "1"}},
        "ReturnValues": "ALL_NEW",
    }
    call("dynamodb", "UpdateItem", update)
    assert call("dynamodb", "UpdateItem", update)["Attributes"] == {
        **key("1"),
        "name": {"S": ARABIC},
        "seen": {"N": "2"},
    }


@pytest.mark.parametrize("operation", ["PutItem", "UpdateItem"])
def test_a_failed_condition_brings_the_item_that_failed_it(call: Call, table: str, operation: str) -> None:
    put(call, table, {**key("1"), "name": {"S": ARABIC}})
    request: Json = {
        "TableName": table,
        "ConditionExpression": "attribute_not_exists(pk)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    request |= {"Item": key("1")} if operation == "PutItem" else {"Key": key("1"), "UpdateExpression": "REMOVE other"}
    error = refused(call, operation, request)
    assert error.code == "ConditionalCheckFailedException"
    assert error.condition_failed
    assert not error.transaction_conflict
    assert error.item == {**key("1"), "name": {"S": ARABIC}}


def test_a_failed_condition_brings_no_item_unasked(call: Call, table: str) -> None:
    put(call, table, key("1"))
    error = refused(
        call, "PutItem", {"TableName": table, "Item": key("1"), "ConditionExpression": "attribute_not_exists(pk)"}
    )
    assert error.item is None
    assert error.reasons == []


def test_a_cancelled_transaction_gives_one_reason_an_action_and_writes_nothing(call: Call, table: str) -> None:
    put(call, table, {**key("known"), "name": {"S": ARABIC}})
    new = {"Put": {"TableName": table, "Item": key("new")}}
    known = {
        "Put": {
            "TableName": table,
            "Item": key("known"),
            "ConditionExpression": "attribute_not_exists(pk)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    }
    error = refused(call, "TransactWriteItems", {"TransactItems": [new, known]})
    assert error.code == "TransactionCanceledException"
    assert error.condition_failed
    assert not error.transaction_conflict
    assert [reason["Code"] for reason in error.reasons] == ["None", "ConditionalCheckFailed"]
    assert error.reasons[1]["Item"] == {**key("known"), "name": {"S": ARABIC}}
    assert get(call, table, "new") == {}


def test_a_transaction_of_100_actions_is_written_whole(call: Call, table: str) -> None:
    actions = [{"Put": {"TableName": table, "Item": key("1", f"{index:03}")}} for index in range(100)]
    assert call("dynamodb", "TransactWriteItems", {"TransactItems": actions}) == {}
    query = {
        "TableName": table,
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": "1"}},
        "ScanIndexForward": False,
    }
    assert [item["sk"]["S"] for item in call("dynamodb", "Query", query)["Items"]] == [
        f"{index:03}" for index in reversed(range(100))
    ]


def test_a_transaction_sent_twice_with_its_token_is_written_once(call: Call, table: str) -> None:
    request = {
        "ClientRequestToken": secrets.token_hex(16),
        "TransactItems": [
            {
                "Update": {
                    "TableName": table,
                    "Key": key("1"),
                    "UpdateExpression": "ADD seen :one",
                    "ExpressionAttributeValues": {":one": {"N": "1"}},
                }
            }
        ],
    }
    call("dynamodb", "TransactWriteItems", request)
    call("dynamodb", "TransactWriteItems", request)
    assert get(call, table, "1")["Item"]["seen"] == {"N": "1"}


def test_a_query_beyond_a_megabyte_names_where_to_go_on(call: Call, table: str) -> None:
    for index in range(4):
        put(call, table, {**key("1", str(index)), "text": {"S": "x" * 350_000}})
    request: Json = {
        "TableName": table,
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": "1"}},
    }
    page = call("dynamodb", "Query", request)
    assert 0 < len(page["Items"]) < 4
    rest = call("dynamodb", "Query", {**request, "ExclusiveStartKey": page["LastEvaluatedKey"]})
    assert [item["sk"]["S"] for item in page["Items"] + rest["Items"]] == ["0", "1", "2", "3"]
    assert not rest.get("LastEvaluatedKey")


def test_a_batch_gives_those_that_exist(call: Call, table: str) -> None:
    put(call, table, {**key("1"), "name": {"S": ARABIC}, "other": {"N": "1"}})
    request = {
        table: {
            "Keys": [key("1"), key("2")],
            "ConsistentRead": True,
            "ProjectionExpression": "pk, #name",
            "ExpressionAttributeNames": {"#name": "name"},
        }
    }
    answer = call("dynamodb", "BatchGetItem", {"RequestItems": request})
    assert answer["Responses"] == {table: [{"pk": {"S": "1"}, "name": {"S": ARABIC}}]}
    assert not answer.get("UnprocessedKeys")


def test_a_batch_of_nothing_that_exists_is_an_empty_list(call: Call, table: str) -> None:
    answer = call("dynamodb", "BatchGetItem", {"RequestItems": {table: {"Keys": [key("1")]}}})
    assert answer["Responses"] == {table: []}


def test_an_unknown_table_is_an_error_of_its_own(call: Call) -> None:
    error = refused(call, "GetItem", {"TableName": "no-such-table", "Key": key("1")})
    assert error.code == "ResourceNotFoundException"
    assert not error.condition_failed
    assert str(error).startswith("ResourceNotFoundException: ")


def test_an_index_is_queried(call: Call, tables: Tables) -> None:
    table = tables["Violations"]
    for number, recorded_at in (("1", "2026-01-01"), ("2", "2026-01-02")):
        put(call, table, {"pk": {"S": number}, "plate": {"S": "OLD#11#1"}, "recorded_at": {"S": recorded_at}})
    request = {
        "TableName": table,
        "IndexName": "ByPlate",
        "KeyConditionExpression": "plate = :plate",
        "ExpressionAttributeValues": {":plate": {"S": "OLD#11#1"}},
        "ScanIndexForward": False,
    }
    assert [item["pk"]["S"] for item in call("dynamodb", "Query", request)["Items"]] == ["2", "1"]


class TestSecrets:
    """Secrets Manager through the same port; DynamoDB Local has none."""

    @pytest.fixture(params=["sdk", "fast"])
    def call(self, request: pytest.FixtureRequest, emulator: Engine) -> Call:
        return emulator.sdk() if request.param == "sdk" else emulator.fast()

    def test_a_secret_is_read(self, call: Call, emulator: Engine) -> None:
        name, value = f"secret-{secrets.token_hex(4)}", json.dumps({"api_key": ARABIC})
        emulator.sdk()("secretsmanager", "CreateSecret", {"Name": name, "SecretString": value})
        assert call("secretsmanager", "GetSecretValue", {"SecretId": name})["SecretString"] == value

    def test_an_unknown_secret_is_an_error_of_its_own(self, call: Call) -> None:
        with pytest.raises(AwsError) as caught:
            call("secretsmanager", "GetSecretValue", {"SecretId": "no-such-secret"})
        assert caught.value.code == "ResourceNotFoundException"
