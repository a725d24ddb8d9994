"""The engines that the contract suite runs over are what they say; one that is not there is skipped once, here."""

from __future__ import annotations

from tests.support.aws import Engine


def test_ministack_answers(emulator: Engine) -> None:
    assert "TableNames" in emulator.sdk()("dynamodb", "ListTables", {})


def test_dynamodb_local_answers(dynamodb_local: Engine) -> None:
    assert "TableNames" in dynamodb_local.sdk()("dynamodb", "ListTables", {})
