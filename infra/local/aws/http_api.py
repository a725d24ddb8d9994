"""The routes of a SAM HTTP API, taken out of its OpenAPI body into resources of their own."""

import re
from collections.abc import Mapping
from typing import Any

from infra.local.aws.conditions import choose

Resource = dict[str, Any]

_ANY = "x-amazon-apigateway-any-method"
_NOTHING = {"Ref": "AWS::NoValue"}
_DEFAULT_PATHS = ("$default", "/$default")


def explicit_routes(api: str, resource: Resource, conditions: Mapping[str, bool]) -> dict[str, Resource]:
    """Take `Body` out of `resource` (an `AWS::ApiGatewayV2::Api` that SAM made) and say the same in resources.

    Args:
        api: the API's logical id; those of the new resources begin with it.
        resource: the API; changed in place.
        conditions: whether each of the template's holds; a security scheme or a route may depend on them.

    Raises:
        ValueError: the body holds an authorizer or an integration that is not known here.
    """
    properties = resource["Properties"]
    body = properties.pop("Body", None)
    if body is None:
        return {}
    properties.pop("FailOnWarnings", None)
    properties.update(Name=body["info"]["title"], ProtocolType="HTTP")
    if cors := body.get("x-amazon-apigateway-cors"):
        # As in the body and not as in CloudFormation: the emulator keeps the names that it is given and reads these.
        properties["CorsConfiguration"] = cors
    schemes = choose(body.get("components", {}).get("securitySchemes", {}), conditions)
    resources = {
        _authorizer_id(api, name): _authorizer(api, name, scheme.get("x-amazon-apigateway-authorizer", {}))
        for name, scheme in schemes.items()
    }
    for path, methods in choose(body["paths"], conditions).items():
        for method, operation in methods.items():
            if operation == _NOTHING:
                continue
            key = _route_key(path, method)
            name = api + re.sub(r"\W", "", key.title())
            resources[f"{name}Integration"] = _integration(api, operation["x-amazon-apigateway-integration"])
            resources[f"{name}Route"] = _route(api, key, f"{name}Integration", _security(operation, schemes))
    return resources


def _route_key(path: str, method: str) -> str:
    if path in _DEFAULT_PATHS:
        return "$default"
    return f"{'ANY' if method == _ANY else method.upper()} {path}"


def _integration(api: str, integration: dict[str, Any]) -> Resource:
    if integration["type"] != "aws_proxy":
        raise ValueError(f"An integration of type {integration['type']} is not supported")
    return {
        "Type": "AWS::ApiGatewayV2::Integration",
        "Properties": {
            "ApiId": {"Ref": api},
            "IntegrationType": "AWS_PROXY",
            "IntegrationUri": integration["uri"],
            "PayloadFormatVersion": integration["payloadFormatVersion"],
        },
    }


def _security(operation: dict[str, Any], schemes: dict[str, Any]) -> tuple[str, str, list[str]] | None:
    """The authorizer's name, its type and the scopes asked for; None where the route is open (SAM's NONE)."""
    for requirement in operation.get("security", []):
        for name, scopes in requirement.items():
            if name in schemes:
                return name, schemes[name]["x-amazon-apigateway-authorizer"]["type"], scopes
    return None


def _route(api: str, key: str, integration: str, security: tuple[str, str, list[str]] | None) -> Resource:
    properties: dict[str, Any] = {
        "ApiId": {"Ref": api},
        "RouteKey": key,
        "Target": {"Fn::Sub": f"integrations/${{{integration}}}"},
    }
    if security:
        name, kind, scopes = security
        properties["AuthorizationType"] = "JWT" if kind == "jwt" else "CUSTOM"
        properties["AuthorizerId"] = {"Ref": _authorizer_id(api, name)}
        if scopes:
            properties["AuthorizationScopes"] = scopes
    return {"Type": "AWS::ApiGatewayV2::Route", "Properties": properties}


def _authorizer_id(api: str, name: str) -> str:
    return f"{api}{re.sub(r'[^A-Za-z0-9]', '', name)}Authorizer"


def _authorizer(api: str, name: str, authorizer: dict[str, Any]) -> Resource:
    source = authorizer.get("identitySource", [])
    properties: dict[str, Any] = {
        "ApiId": {"Ref": api},
        "Name": name,
        "IdentitySource": source if isinstance(source, list) else [source],
    }
    match authorizer.get("type"):
        case "jwt":
            jwt = authorizer["jwtConfiguration"]
            properties |= {
                "AuthorizerType": "JWT",
                "JwtConfiguration": {"Issuer": jwt["issuer"], "Audience": jwt["audience"]},
            }
        case "request":
            properties |= {
                "AuthorizerType": "REQUEST",
                "AuthorizerUri": authorizer["authorizerUri"],
                "AuthorizerPayloadFormatVersion": authorizer["authorizerPayloadFormatVersion"],
                "EnableSimpleResponses": authorizer.get("enableSimpleResponses", False),
                # SAM leaves it out where results are cached for the default time.
                "AuthorizerResultTtlInSeconds": authorizer.get("authorizerResultTtlInSeconds", 300),
            }
        case kind:
            raise ValueError(f"Authorizer {name}: type {kind} is not supported")
    return {"Type": "AWS::ApiGatewayV2::Authorizer", "Properties": properties}
