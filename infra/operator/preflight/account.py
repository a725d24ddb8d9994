"""What preflight asks: an account and its Region, addresses outside, and the settings that they are held against."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any, Final

import urllib3
from botocore.exceptions import ClientError

from infra.operator.deployment import Deployment
from infra.operator.preflight.lines import LOOK, STOP, Line
from infra.operator.preflight.settings import Settings

Fetch = Callable[[str], tuple[int, bytes]]
"""Status and body of what answers at an address. Raises OSError where nothing does."""
_MAX_BYTES: Final = 256 * 1024
_TIMEOUT: Final = urllib3.Timeout(connect=5, read=10)

NOT_MADE: Final = frozenset({None, "REVIEW_IN_PROGRESS", "DELETE_COMPLETE"})
FAILED_FIRST_TRY: Final = "ROLLBACK_COMPLETE"


def fetch(address: str) -> tuple[int, bytes]:
    """Ask an address, without following where it leads elsewhere. Raises OSError."""
    try:
        answer = urllib3.request("GET", address, timeout=_TIMEOUT, retries=False, redirect=False, preload_content=False)
        body = answer.read(_MAX_BYTES)
        answer.release_conn()
    except urllib3.exceptions.HTTPError as error:
        raise OSError(type(error).__name__) from None
    return answer.status, body


class Account:
    """One account and Region, as the checks see it."""

    def __init__(self, deployment: Deployment, settings: Settings, fetch: Fetch = fetch) -> None:
        self.deployment = deployment
        self.settings = settings
        self.fetch = fetch

    def client(self, service: str) -> Any:
        """A boto3 client of a service."""
        return self.deployment.clients(service)

    @cached_property
    def number(self) -> str:
        """The account's number."""
        number: str = self.client("sts").get_caller_identity()["Account"]
        return number

    @cached_property
    def state(self) -> str | None:
        """The stack's state; None where there is no such stack."""
        try:
            stacks = self.client("cloudformation").describe_stacks(StackName=self.settings.stack)["Stacks"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "ValidationError":
                return None
            raise
        state: str = stacks[0]["StackStatus"]
        return state

    @property
    def stands(self) -> bool:
        """Whether the stack is deployed, and holds resources of its own."""
        return self.state not in NOT_MADE and self.state != FAILED_FIRST_TRY

    @property
    def own(self) -> Mapping[str, str]:
        """The physical ids of the stack's resources by logical id; none where it is not deployed."""
        return self.deployment.physical if self.stands else {}

    def hinders(self, what: str, why: str, way_out: str) -> Line:
        """Say what stops an environment of citizens, and is to be looked at in others."""
        return Line(STOP if self.settings.serves else LOOK, what, why, way_out)


Check = Callable[[Account], Iterator[Line]]
