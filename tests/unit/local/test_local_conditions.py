"""A template's conditions decided, and both ways to sign in as the emulator gets them."""

from __future__ import annotations

from typing import Any

import pytest

from infra.local.aws.conditions import choose, decide
from infra.local.aws.localize import localize
from infra.template import read

EQUAL = {"Fn::Equals": [{"Ref": "Mode"}, "on"]}


@pytest.mark.parametrize(
    ("condition", "held"),
    [
        (EQUAL, True),
        ({"Fn::Not": [EQUAL]}, False),
        ({"Fn::And": [EQUAL, {"Fn::Not": [EQUAL]}]}, False),
        ({"Fn::Or": [EQUAL, {"Fn::Not": [EQUAL]}]}, True),
        ({"Condition": "Other"}, True),
    ],
)
def test_a_condition_is_decided(condition: Any, held: bool) -> None:
    assert decide({"It": condition, "Other": EQUAL}, {"Mode": "on"})["It"] is held


@pytest.mark.parametrize("condition", [{"Fn::Equals": [{"Ref": "AWS::Region"}, "x"]}, {"Fn::Exists": "x"}, "x"])
def test_what_is_not_known_is_refused(condition: Any) -> None:
    with pytest.raises(ValueError, match="not supported"):
        decide({"It": condition}, {"Mode": "on"})


def test_branches_are_chosen_all_the_way_down() -> None:
    value = {"a": [{"Fn::If": ["Yes", {"b": {"Fn::If": ["No", 1, 2]}}, 3]}], "c": 4}
    assert choose(value, {"Yes": True, "No": False}) == {"a": [{"b": 2}], "c": 4}


def localized(sign_in: str) -> dict[str, Any]:
    resources: dict[str, Any] = localize(read(), {"SignIn": sign_in}, "http://127.0.0.1:1")["Resources"]
    return resources


@pytest.mark.parametrize(("sign_in", "kind"), [("jwt", "JWT"), ("ur", "CUSTOM")])
def test_either_way_to_sign_in_guards_the_same_routes(sign_in: str, kind: str) -> None:
    routes = {
        one["Properties"]["RouteKey"]: one["Properties"].get("AuthorizationType")
        for one in localized(sign_in).values()
        if one["Type"] == "AWS::ApiGatewayV2::Route"
    }
    assert routes["POST /v1/queries"] == routes["POST /v1/payments"] == routes["POST /v1/uploads"] == kind
    assert routes["GET /v1/health"] is routes["$default"] is None


def test_answers_of_the_user_endpoint_are_kept_for_a_minute_at_most() -> None:
    authorizer = localized("ur")["ApiCitizenAuthorizer"]["Properties"]
    assert authorizer["AuthorizerType"] == "REQUEST"
    assert authorizer["AuthorizerResultTtlInSeconds"] <= 60
    assert authorizer["EnableSimpleResponses"] is True
