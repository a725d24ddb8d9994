from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from infra.local.aws.conditions import choose, decide
from infra.local.aws.localize import localize, own_variables
from infra.template import Template, read

URL = "http://127.0.0.1:4600"


def function(**events: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::Serverless::Function",
        "Properties": {"Handler": "a.b", "Runtime": "python3.13", "CodeUri": "functions/", "Events": events},
    }


def route(path: str, method: str, **auth: Any) -> dict[str, Any]:
    properties = {"ApiId": {"Ref": "Api"}, "Path": path, "Method": method, **({"Auth": auth} if auth else {})}
    return {"Type": "HttpApi", "Properties": properties}


def resources(*, parameters: dict[str, str] | None = None, declared: Any = None, **logical: Any) -> Template:
    template = {"Parameters": declared or {}, "Resources": logical}
    return localize(template, parameters or {}, URL)["Resources"]


def of_type(found: Template, kind: str) -> dict[str, Any]:
    return {name: one["Properties"] for name, one in found.items() if one["Type"] == kind}


JWT = {
    "Type": "AWS::Serverless::HttpApi",
    "Properties": {
        "Auth": {
            "DefaultAuthorizer": "Portal",
            "Authorizers": {
                "Portal": {
                    "IdentitySource": "$request.header.Authorization",
                    "JwtConfiguration": {"issuer": {"Ref": "Issuer"}, "audience": ["me"]},
                }
            },
        },
        "CorsConfiguration": {"AllowOrigins": {"Ref": "Origins"}, "AllowMethods": ["GET"], "MaxAge": 60},
    },
}
DECLARED = {
    "Issuer": {"Type": "String"},
    "Origins": {"Type": "CommaDelimitedList", "Default": "https://default.test"},
}


def test_the_template_is_left_as_it_was() -> None:
    template = read()
    before = copy.deepcopy(template)

    localize(template, {"JwtIssuer": "x", "JwtAudience": "y"}, URL)

    assert template == before


def test_it_needs_neither_region_nor_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_PROFILE", "HOME"):
        monkeypatch.delenv(name, raising=False)

    assert "Fn" in resources(Fn=function())


def test_routes_of_the_http_api_are_resources() -> None:
    found = resources(
        declared=DECLARED,
        parameters={"Issuer": "http://issuer.test"},
        Api=JWT,
        Fn=function(
            Guarded=route("/items/{id}", "GET"),
            Scoped=route("/items", "POST", AuthorizationScopes=["write"]),
            Open=route("/open", "ANY", Authorizer="NONE"),
            Else={"Type": "HttpApi", "Properties": {"ApiId": {"Ref": "Api"}, "Auth": {"Authorizer": "NONE"}}},
        ),
    )

    routes = {one["RouteKey"]: one for one in of_type(found, "AWS::ApiGatewayV2::Route").values()}
    assert routes.keys() == {"GET /items/{id}", "POST /items", "ANY /open", "$default"}
    assert routes["GET /items/{id}"]["AuthorizationType"] == "JWT"
    assert routes["POST /items"]["AuthorizationScopes"] == ["write"]
    assert "AuthorizationType" not in routes["ANY /open"]
    assert "AuthorizationType" not in routes["$default"]
    authorizers = of_type(found, "AWS::ApiGatewayV2::Authorizer")
    assert routes["GET /items/{id}"]["AuthorizerId"]["Ref"] in authorizers
    assert authorizers["ApiPortalAuthorizer"]["JwtConfiguration"] == {
        "Issuer": {"Ref": "Issuer"},
        "Audience": ["me"],
    }
    integrations = of_type(found, "AWS::ApiGatewayV2::Integration")
    for one in routes.values():
        name = one["Target"]["Fn::Sub"].removeprefix("integrations/${").removesuffix("}")
        assert "${Fn.Arn}" in integrations[name]["IntegrationUri"]["Fn::Sub"]
    assert "Body" not in found["Api"]["Properties"]


@pytest.mark.parametrize(
    ("parameters", "origins"),
    [({}, ["https://default.test"]), ({"Origins": "http://a.test,http://b.test"}, ["http://a.test", "http://b.test"])],
)
def test_cors_has_the_origins_of_the_parameter(parameters: dict[str, str], origins: list[str]) -> None:
    found = resources(declared=DECLARED, parameters=parameters, Api=JWT, Fn=function(Get=route("/x", "GET")))

    assert found["Api"]["Properties"]["CorsConfiguration"] == {
        "allowOrigins": origins,
        "allowMethods": ["GET"],
        "maxAge": 60,
    }


def test_a_lambda_authorizer_guards_a_route() -> None:
    guard = {
        "FunctionArn": {"Fn::GetAtt": ["Guard", "Arn"]},
        "AuthorizerPayloadFormatVersion": "2.0",
        "EnableSimpleResponses": True,
        "Identity": {"Headers": ["x-key"], "ReauthorizeEvery": 0},
    }
    api = {
        "Type": "AWS::Serverless::HttpApi",
        "Properties": {"Auth": {"DefaultAuthorizer": "ByKey", "Authorizers": {"ByKey": guard}}},
    }

    found = resources(Api=api, Guard=function(), Fn=function(Get=route("/x", "GET")))

    (authorizer,) = of_type(found, "AWS::ApiGatewayV2::Authorizer").values()
    assert authorizer["AuthorizerType"] == "REQUEST"
    assert authorizer["IdentitySource"] == ["$request.header.x-key"]
    assert authorizer["EnableSimpleResponses"] is True
    assert authorizer["AuthorizerResultTtlInSeconds"] == 0
    (guarded,) = of_type(found, "AWS::ApiGatewayV2::Route").values()
    assert guarded["AuthorizationType"] == "CUSTOM"


def test_invocations_go_to_the_processes() -> None:
    found = resources(One=function(), Two=function())

    for name in ("One", "Two"):
        variables = found[name]["Properties"]["Environment"]["Variables"]
        assert variables == {"MINISTACK_LAMBDA_PROXY_URL": f"{URL}/{name}"}
        assert own_variables(variables) == {}


@pytest.mark.parametrize(
    ("source", "enabled"),
    [
        ({"Fn::GetAtt": ["Table", "StreamArn"]}, False),
        ({"Fn::GetAtt": "Table.StreamArn"}, False),
        ("arn:aws:dynamodb:me-south-1:000000000000:table/t/stream/s", False),
        ({"Fn::GetAtt": ["Queue", "Arn"]}, None),
    ],
)
def test_only_mappings_of_streams_are_left_to_the_poller(source: Any, enabled: bool | None) -> None:
    mapping = {
        "Type": "AWS::Lambda::EventSourceMapping",
        "Properties": {"FunctionName": "Fn", "EventSourceArn": source},
    }

    found = resources(Mapping=mapping, Fn=function())

    assert found["Mapping"]["Properties"].get("Enabled") is enabled


def test_a_secret_is_referred_to_by_its_arn() -> None:
    uses = {
        "Type": "AWS::SSM::Parameter",
        "Properties": {
            "A": {"Ref": "Secret"},
            "B": {"Fn::Sub": "x ${Secret} ${Other} ${Secret.Id}"},
            "C": {"Fn::Sub": ["${Secret} ${Mine}", {"Mine": {"Ref": "Secret"}}]},
            "D": {"Fn::Sub": ["${Secret}", {"Secret": "shadow"}]},
            "E": [{"Ref": "Other"}],
        },
    }
    arn = {"Fn::GetAtt": ["Secret", "Id"]}

    found = resources(Secret={"Type": "AWS::SecretsManager::Secret"}, Uses=uses)

    assert found["Uses"]["Properties"] == {
        "A": arn,
        "B": {"Fn::Sub": "x ${Secret.Id} ${Other} ${Secret.Id}"},
        "C": {"Fn::Sub": ["${Secret.Id} ${Mine}", {"Mine": arn}]},
        "D": {"Fn::Sub": ["${Secret}", {"Secret": "shadow"}]},
        "E": [{"Ref": "Other"}],
    }


def test_who_may_send_a_message_may_send_a_batch() -> None:
    statements = [
        {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "q"},
        {"Effect": "Deny", "Action": ["sqs:DeleteMessage", "sqs:ReceiveMessage"], "Resource": "q"},
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "b"},
    ]
    policy = {"Type": "AWS::IAM::Policy", "Properties": {"PolicyDocument": {"Statement": statements}}}

    found = resources(Policy=policy)

    assert [one["Action"] for one in found["Policy"]["Properties"]["PolicyDocument"]["Statement"]] == [
        ["sqs:SendMessage", "sqs:SendMessageBatch"],
        ["sqs:DeleteMessage", "sqs:ReceiveMessage", "sqs:DeleteMessageBatch"],
        "s3:GetObject",
    ]


def test_the_whole_application_is_carried_over() -> None:
    template = read()

    found = localize(template, {"JwtIssuer": "x", "JwtAudience": "y"}, URL)

    missing = template["Resources"].keys() - found["Resources"].keys()
    # They refuse plain HTTP and do nothing else.
    assert missing == {"FailedRecordsPolicy", "ReceiptsPolicy", "UploadsPolicy"}
    assert "AWS::Serverless" not in json.dumps(found)
    events = [
        event["Properties"].get("Path", "$default")
        for one in template["Resources"].values()
        for event in one.get("Properties", {}).get("Events", {}).values()
        if event["Type"] == "HttpApi"
    ]
    routes = of_type(found["Resources"], "AWS::ApiGatewayV2::Route").values()
    assert sorted(one["RouteKey"].rpartition(" ")[2] for one in routes) == sorted(events)


def test_nothing_shifts_from_version_to_version_here() -> None:
    found = localize(read(), {}, URL)["Resources"]
    kinds = {one["Type"] for one in found.values()}
    assert not kinds & {"AWS::Lambda::Alias", "AWS::Lambda::Version", "AWS::CodeDeploy::DeploymentGroup"}
    told = str(found)
    assert "Aliaslive" not in told
    assert ".Version" not in told, "a version is its function here"
    alarm = found["QueryApiNewVersionFailingAlarm"]["Properties"]
    assert (alarm["Namespace"], alarm["MetricName"], "Metrics" in alarm) == ("AWS/Lambda", "Errors", False)
    tried = found["RolloutBeforeTraffic"]["Properties"]["Environment"]["Variables"]["VERSIONS"]["Fn::Join"][1]
    assert {"Fn::GetAtt": ["QueryApi", "Arn"]} in tried


@pytest.mark.parametrize(("phase", "is_begun"), [("1", False), ("2", False), ("3", True)])
def test_payments_are_concluded_in_every_phase_and_begun_in_the_last(phase: str, is_begun: bool) -> None:
    template = read()
    found = localize(template, {"Phase": phase}, URL)["Resources"]
    routes = {
        one["RouteKey"].split("/")[2]
        for one in of_type(found, "AWS::ApiGatewayV2::Route").values()
        if "/" in one["RouteKey"]
    }
    assert {"payments", "receipts", "callbacks", "settlements"} <= routes
    values = {name: str(one.get("Default", "")) for name, one in template["Parameters"].items()}
    conditions = decide(template["Conditions"], {**values, "Phase": phase})
    open_gateways = choose(found["PayApi"]["Properties"]["Environment"]["Variables"]["GATEWAYS"], conditions)
    assert open_gateways == ({"Fn::Join": [",", {"Ref": "Gateways"}]} if is_begun else "")
