"""A deployed stack: its clients, its resources by logical id, and the log of what its operators did."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from typing import Any, Final

import boto3
from botocore.config import Config

from shared.aws_json import Call, sdk

Clients = Callable[[str], Any]

# A function that is invoked again by an impatient client would run twice at once. What stands between client and AWS
# forgets a connection on which nothing moves for minutes: hence the keep-alive.
_PATIENT: Final = Config(read_timeout=910, retries={"total_max_attempts": 1}, tcp_keepalive=True)


def clients(service: str) -> Any:
    """A boto3 client of a service."""
    return boto3.client(service, config=_PATIENT if service == "lambda" else None)


class Deployment:
    """One stack by its name. clients: makes a boto3 client of a service."""

    def __init__(self, stack: str, clients: Clients = clients, *, clock: Callable[[], datetime]) -> None:
        self.stack = stack
        self.clients = clients
        self.clock = clock

    @cached_property
    def physical(self) -> Mapping[str, str]:
        """Physical ids by logical id."""
        pages = self.clients("cloudformation").get_paginator("list_stack_resources").paginate(StackName=self.stack)
        return {
            one["LogicalResourceId"]: one["PhysicalResourceId"]
            for page in pages
            for one in page["StackResourceSummaries"]
        }

    @cached_property
    def _described(self) -> Mapping[str, Any]:
        described: Mapping[str, Any] = self.clients("cloudformation").describe_stacks(StackName=self.stack)["Stacks"][0]
        return described

    @cached_property
    def outputs(self) -> Mapping[str, str]:
        return {one["OutputKey"]: one["OutputValue"] for one in self._described.get("Outputs", [])}

    @cached_property
    def parameters(self) -> Mapping[str, str]:
        return {one["ParameterKey"]: one["ParameterValue"] for one in self._described.get("Parameters", [])}

    @cached_property
    def call(self) -> Call:
        """The port to its tables."""
        return sdk()

    @cached_property
    def who(self) -> str:
        """Who gives the commands: the ARN of whoever AWS takes them for."""
        arn: str = self.clients("sts").get_caller_identity()["Arn"]
        return arn

    @cached_property
    def run(self) -> tuple[datetime, str]:
        """When this command began, and an id of it: however often it looks at a plate, that is one look."""
        return self.clock(), secrets.token_hex(16)

    @contextmanager
    def audited(self, action: str, **about: object) -> Iterator[dict[str, object]]:
        """Keep who does what from when to when; what the caller adds to the yielded results is kept with the end."""
        logs, group = self.clients("logs"), self.physical["OperatorActions"]
        # The tail keeps two actions of one second apart.
        stream = f"{self.clock():%Y-%m-%dT%H.%M.%S}-{action}-{secrets.token_hex(4)}"
        logs.create_log_stream(logGroupName=group, logStreamName=stream)

        def keep(**event: object) -> None:
            now = self.clock()
            entry = {"at": now.isoformat(timespec="seconds"), "who": self.who, "action": action, **about, **event}
            event_at = int(now.timestamp() * 1000)
            logs.put_log_events(
                logGroupName=group,
                logStreamName=stream,
                logEvents=[{"timestamp": event_at, "message": json.dumps(entry, ensure_ascii=False)}],
            )

        keep(state="begun")
        results: dict[str, object] = {}
        try:
            yield results
        except BaseException as error:
            keep(state="broken off", error=type(error).__name__, **results)
            raise
        keep(state="done", **results)
