"""`make deploy-edge`: prints what the edge's stack takes from the platform's, and changes the secret between them."""

from __future__ import annotations

import argparse
import secrets
import time
from collections.abc import Callable
from typing import Any, Final

import boto3
from botocore.exceptions import ClientError

from infra import regions

EDGE: Final = "us-east-1"
COPIED_WITHIN: Final = 60
"""Seconds that Secrets Manager may take to copy a new version to the edge's Region."""

Clients = Callable[[str, str], Any]
"""A boto3 client of a service in a Region."""


class EdgeError(Exception):
    """The edge cannot be deployed; the message says what to do."""


def parameters(stack: str, clients: Clients, *, renew: bool, sleep: Callable[[float], None] = time.sleep) -> list[str]:
    """The parameters of the edge's stack in front of the platform's, as `sam deploy` takes them.

    renew: make a new value of the secret first. The one before stays good until the next is made; the edge must
    therefore have learnt of it by then. Raises EdgeError.
    """
    region = regions.of_stack(stack)
    outputs = _described(clients("cloudformation", region), stack, "Outputs", "OutputKey", "OutputValue") or {}
    if "EdgeSecretArn" not in outputs:
        raise EdgeError(f"{stack} has no secret for an edge: deploy it with Edge=on first")
    arn = outputs["EdgeSecretArn"]
    home, edge = clients("secretsmanager", region), clients("secretsmanager", EDGE)
    if renew:
        present = _version(home, arn)
        shown = _described(clients("cloudformation", EDGE), f"{stack}-edge", "Parameters")
        if shown is not None and shown["SecretVersion"] != present:
            raise EdgeError("The edge does not show the present secret yet: deploy it without RENEW first")
        home.put_secret_value(SecretId=arn, SecretString=secrets.token_hex(32))
    version = _version(home, arn)
    copy = arn.replace(f":{region}:", f":{EDGE}:")
    for _ in range(COPIED_WITHIN):
        if version in edge.describe_secret(SecretId=copy)["VersionIdsToStages"]:
            return [f"ApiDomain={outputs['ApiDomain']}", f"SecretArn={copy}", f"SecretVersion={version}"]
        sleep(1)
    raise EdgeError(f"{copy} has not got version {version} within {COPIED_WITHIN} s: try again")


def _version(secretsmanager: Any, arn: str) -> str:
    """The version of a secret that is the present one."""
    stages: dict[str, list[str]] = secretsmanager.describe_secret(SecretId=arn)["VersionIdsToStages"]
    return next(version for version, names in stages.items() if "AWSCURRENT" in names)


def _described(
    cloudformation: Any, stack: str, part: str, key: str = "ParameterKey", value: str = "ParameterValue"
) -> dict[str, str] | None:
    """A stack's parameters or outputs; None where there is no such stack."""
    try:
        described = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        return None
    return {one[key]: one[value] for one in described.get(part, [])}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stack", help="the platform's stack")
    parser.add_argument("--renew", action="store_true", help="change the secret")
    arguments = parser.parse_args()
    try:
        print(
            *parameters(arguments.stack, lambda service, region: boto3.client(service, region), renew=arguments.renew)
        )
    except EdgeError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
