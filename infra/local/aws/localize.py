"""What the emulator can hold of the template: a pure function from a SAM template to a CloudFormation one.

Beside the SAM transform itself only what the emulator does otherwise than AWS differs:

- routes of an HTTP API are resources of their own, because the emulator ignores an API's `Body`;
- `Ref` of a secret, which is its ARN on AWS and its name here, becomes `GetAtt` of its `Id`;
- a statement about sqs:SendMessage, DeleteMessage or ChangeMessageVisibility names the batch call too, which on AWS is
  no action of its own and here is;
- each function's invocations are forwarded to the process that runs it (`functions_url`);
- mappings of DynamoDB streams are disabled, because `infra.local.streams.poller` drives them;
- bucket policies do not refuse plain HTTP, because the emulator speaks nothing else;
- an alarm that reckons with several metrics watches the errors alone, because the emulator does not reckon;
- there are no aliases, and nothing shifts from version to version: what runs is what lies in the functions folder.
"""

import re
from collections.abc import Mapping
from typing import Any

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from infra.local.aws.conditions import decide
from infra.local.aws.http_api import explicit_routes
from infra.local.config import REGION
from infra.template import Template

_PROXY_VARIABLE = "MINISTACK_LAMBDA_PROXY_URL"
_SQS_ACTIONS_WITH_BATCH = ("sqs:SendMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility")
_SHIFTING = ("AutoPublishAlias", "DeploymentPreference")
_CODE_ELSEWHERE = "s3://local/functions"


def localize(template: Template, parameters: Mapping[str, str], functions_url: str) -> Template:
    """The CloudFormation template that the emulator runs faithfully.

    Args:
        template: the SAM template; it is not changed.
        parameters: the stack's parameters that have no default or another value; the SAM transform puts them in.
        functions_url: where invocations go; a function's logical id is added as the last part of the path.

    Raises:
        samtranslator.public.exceptions.InvalidDocumentException: the SAM template is wrong.
        ValueError: it uses something of HTTP APIs or conditions that is not translated here.
    """
    values = _parameter_values(template, parameters)
    result = _transformed(template, values)
    conditions = decide(template.get("Conditions", {}), values)
    resources = result["Resources"]
    for logical_id, resource in resources.items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Lambda::Function":
            properties["Code"] = {"ZipFile": "# runs from the functions folder"}
            variables = properties.setdefault("Environment", {}).setdefault("Variables", {})
            variables[_PROXY_VARIABLE] = f"{functions_url}/{logical_id}"
        elif "Metrics" in properties:
            _watch_errors(properties)
        elif resource["Type"] == "AWS::Lambda::EventSourceMapping" and _reads_a_stream(properties):
            properties["Enabled"] = False
    for logical_id in [name for name, one in resources.items() if one["Type"] == "AWS::S3::BucketPolicy"]:
        document = resources[logical_id]["Properties"]["PolicyDocument"]
        document["Statement"] = [one for one in document["Statement"] if not _refuses_plain_http(one)]
        if not document["Statement"]:
            del resources[logical_id]
    for logical_id in [name for name, one in resources.items() if one["Type"] == "AWS::ApiGatewayV2::Api"]:
        resources.update(explicit_routes(logical_id, resources[logical_id], conditions))
    secrets = {name for name, one in resources.items() if one["Type"] == "AWS::SecretsManager::Secret"}
    localized: Template = _with_batch_actions(_secrets_by_arn(result, secrets))
    return localized


def own_variables(variables: dict[str, str]) -> dict[str, str]:
    """A function's environment variables as the template has them."""
    return {name: value for name, value in variables.items() if name != _PROXY_VARIABLE}


def _parameter_values(template: Template, parameters: Mapping[str, str]) -> dict[str, str]:
    """The given value of each parameter, or its default; none where it has neither."""
    values = {}
    for name, parameter in template.get("Parameters", {}).items():
        value = parameters.get(name, parameter.get("Default"))
        if value is not None:
            values[name] = str(value)
    return values


def _transformed(template: Template, values: Mapping[str, str]) -> Template:
    sam: Template = _without_aliases(template)
    lists = {name for name, one in sam.get("Parameters", {}).items() if one["Type"] == "CommaDelimitedList"}
    typed = {name: value.split(",") if name in lists else value for name, value in values.items()}
    functions = [one["Properties"] for one in sam["Resources"].values() if one["Type"] == "AWS::Serverless::Function"]
    for properties in functions:
        properties["CodeUri"] = _CODE_ELSEWHERE
    for properties in (*functions, sam.get("Globals", {}).get("Function", {})):
        for name in _SHIFTING:
            properties.pop(name, None)
    # Without a session of its own the translator looks for a region in the environment and the user's AWS folder.
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name=REGION))
    result: Template = translator.translate(sam, parameter_values=typed)
    return result


def _watch_errors(alarm: dict[str, Any]) -> None:
    found = {one["Id"]: one.get("MetricStat", {}) for one in alarm.pop("Metrics")}
    errors = found["errors"]
    alarm |= {**errors["Metric"], "Period": errors["Period"], "Statistic": errors["Stat"]}


def _without_aliases(value: Any) -> Any:
    """A copy in which the functions themselves stand where their aliases and versions do: here there are none."""
    if isinstance(value, str):
        named = re.sub(r"\$\{(\w+)Aliaslive\}", r"${\1.Arn}", value)
        return re.sub(r"\$\{\w+\.Version\.Version\}", "$LATEST", named)
    if isinstance(value, list):
        return [_without_aliases(item) for item in value]
    if not isinstance(value, dict):
        return value
    referred = value.get("Ref")
    if isinstance(referred, str) and referred.endswith("Aliaslive"):
        return {"Ref": referred.removesuffix("Aliaslive")}
    if isinstance(referred, str) and referred.endswith(".Version"):
        return {"Fn::GetAtt": [referred.removesuffix(".Version"), "Arn"]}
    if value.get("Fn::GetAtt", ["", ""])[-1] == "Version.Version":
        return "$LATEST"
    return {key: _without_aliases(item) for key, item in value.items()}


def _refuses_plain_http(statement: Mapping[str, Any]) -> bool:
    return statement["Effect"] == "Deny" and "aws:SecureTransport" in statement.get("Condition", {}).get("Bool", {})


def _reads_a_stream(mapping: dict[str, Any]) -> bool:
    source = mapping["EventSourceArn"]
    if isinstance(source, str):
        return ":dynamodb:" in source
    attribute = source.get("Fn::GetAtt", "")
    return "StreamArn" in (attribute if isinstance(attribute, list) else attribute.split("."))


def _with_batch_actions(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_batch_actions(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "Effect" in value and "Action" in value:
        actions = value["Action"] if isinstance(value["Action"], list) else [value["Action"]]
        batches = [f"{action}Batch" for action in actions if action in _SQS_ACTIONS_WITH_BATCH]
        return {**value, "Action": [*actions, *batches]} if batches else value
    return {key: _with_batch_actions(item) for key, item in value.items()}


def _secrets_by_arn(value: Any, secrets: set[str]) -> Any:
    if isinstance(value, list):
        return [_secrets_by_arn(item, secrets) for item in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"Ref": str(name)} if name in secrets:
            return {"Fn::GetAtt": [name, "Id"]}
        case {"Fn::Sub": str(text)}:
            return {"Fn::Sub": _substitution_by_arn(text, secrets)}
        case {"Fn::Sub": [str(text), dict(variables)]}:
            shadowed = secrets - variables.keys()
            return {"Fn::Sub": [_substitution_by_arn(text, shadowed), _secrets_by_arn(variables, secrets)]}
    return {key: _secrets_by_arn(item, secrets) for key, item in value.items()}


def _substitution_by_arn(text: str, secrets: set[str]) -> str:
    return re.sub(r"\$\{(\w+)\}", lambda m: f"${{{m[1]}.Id}}" if m[1] in secrets else m[0], text)
