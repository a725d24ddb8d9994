"""AWS by answers that a test makes up: each is held to the service's own model, and so is what is asked."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import boto3
from botocore.stub import Stubber

from infra import regions

REGION = regions.by_environment()["prod"]
ACCOUNT = "123456789012"


@cache
def _session() -> boto3.Session:
    """One for all tests: it keeps what it has read of the services' models."""
    return boto3.Session("5f0c2e", "5f0c2e", region_name=REGION)


class Answers:
    """Clients by service, each with the answers that it is to get, in their order, to what it is to ask."""

    def __init__(self) -> None:
        self._stubbers: dict[str, Stubber] = {}

    def __call__(self, service: str) -> Any:
        return self._of(service).client

    def add(self, service: str, operation: str, answer: Mapping[str, Any], /, **asked: Any) -> None:
        """Let an operation be asked with these parameters, and answer it."""
        self._of(service).add_response(operation, dict(answer), asked)

    def refuse(self, service: str, operation: str, code: str, /, **asked: Any) -> None:
        """Let an operation be asked, and answer it with an error."""
        self._of(service).add_client_error(operation, code, f"{code} of {operation}", expected_params=asked)

    def all_asked(self) -> None:
        """Fail where an answer was not asked for."""
        for stubber in self._stubbers.values():
            stubber.assert_no_pending_responses()

    def _of(self, service: str) -> Stubber:
        if service not in self._stubbers:
            client = _session().client(service)  # type: ignore[call-overload]
            self._stubbers[service] = Stubber(client)
            self._stubbers[service].activate()
        return self._stubbers[service]
