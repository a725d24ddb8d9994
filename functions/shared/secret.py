"""Secrets that are changed while they are in use: Secrets Manager keeps the value before beside the present one."""

from __future__ import annotations

from shared.aws_json import AwsError, Call


def current_then_previous(call: Call, secret_id: str) -> list[str]:
    """Read the current value, then the previous one where there is one: both are good until the next change.

    Raises AwsError, or KeyError for a secret that holds no text. Two calls.
    """
    request = {"SecretId": secret_id}
    current = call("secretsmanager", "GetSecretValue", request)["SecretString"]
    try:
        previous = call("secretsmanager", "GetSecretValue", {**request, "VersionStage": "AWSPREVIOUS"})
    except AwsError as error:
        if error.code != "ResourceNotFoundException":
            raise
        return [current]
    return [current, previous["SecretString"]]
