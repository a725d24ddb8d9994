"""What the emulator's witness notes: rights that let a role through, each once."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

from infra.local.aws.witness import watched

ROLE = "arn:aws:sts::000000000000:assumed-role/gharama-QueryApiRole-1/session"


def decide(*requests: tuple[str, str, str], decision: str = "Allow") -> list[str]:
    """The lines that are noted of requests: who, what, on what."""
    file = io.StringIO()

    def evaluate(context: Any, policies: list[Any]) -> Any:
        return SimpleNamespace(decision=decision)

    witnessed = watched(evaluate, file)
    for who, action, resource in requests:
        context = SimpleNamespace(principal_arn=who, action=action, resource_arn=resource)
        assert witnessed(context, []).decision == decision
    return file.getvalue().splitlines()


def test_a_right_is_noted_once() -> None:
    call = (ROLE, "dynamodb:GetItem", "arn:aws:dynamodb:x:0:table/t")
    assert decide(call, call) == ["gharama-QueryApiRole-1\tdynamodb:GetItem\tarn:aws:dynamodb:x:0:table/t"]


def test_objects_of_a_folder_are_one() -> None:
    calls = [(ROLE, "s3:GetObject", f"arn:aws:s3:::b/{key}") for key in ("live/1", "live/2", "one")]
    calls.append((ROLE, "s3:ListBucket", "arn:aws:s3:::b"))
    assert [line.split("\t")[2] for line in decide(*calls)] == [
        "arn:aws:s3:::b/live/object",
        "arn:aws:s3:::b/object",
        "arn:aws:s3:::b",
    ]


def test_what_is_refused_or_not_a_functions_is_not_noted() -> None:
    call = ("dynamodb:GetItem", "arn:aws:dynamodb:x:0:table/t")
    assert decide((ROLE, *call), decision="ImplicitDeny") == []
    assert decide(("arn:aws:iam::0:user/operator", *call)) == []
