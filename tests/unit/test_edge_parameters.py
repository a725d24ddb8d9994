"""What the edge's stack is given: the platform's address, and the version of the secret that its Region has."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra import regions
from infra.edge import COPIED_WITHIN, EDGE, EdgeError, parameters

HOME = regions.by_environment()["dev"]

ARN = f"arn:aws:secretsmanager:{HOME}:123456789012:secret:EdgeSecret-a1b2c3"
COPY = f"arn:aws:secretsmanager:{EDGE}:123456789012:secret:EdgeSecret-a1b2c3"


class Account:
    """CloudFormation and Secrets Manager of two Regions. shown: the version that the edge's stack was deployed with."""

    def __init__(self, *, closed: bool = True, shown: str | None = None, copied_after: int = 0) -> None:
        self.versions = ["1"]
        self.shown = shown
        self.waits = 0
        self._closed = closed
        self._copied_after = copied_after

    def __call__(self, service: str, region: str) -> Any:
        account = self

        class Client:
            def describe_stacks(self, StackName: str) -> Any:  # noqa: N803 (boto3's)
                if (region, StackName) == (HOME, "gharama-dev"):
                    outputs = {"ApiDomain": "api.example", **({"EdgeSecretArn": ARN} if account._closed else {})}
                    named = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
                    return {"Stacks": [{"Outputs": named}]}
                assert (region, StackName) == (EDGE, "gharama-dev-edge")
                if account.shown is None:
                    raise ClientError({"Error": {"Code": "ValidationError"}}, "DescribeStacks")
                shown = {"ParameterKey": "SecretVersion", "ParameterValue": account.shown}
                return {"Stacks": [{"Parameters": [shown]}]}

            def describe_secret(self, SecretId: str) -> Any:  # noqa: N803
                assert SecretId == {HOME: ARN, EDGE: COPY}[region]
                known = account.versions
                if region == EDGE and account.waits < account._copied_after:
                    known = known[:-1]
                return {
                    "VersionIdsToStages": {
                        version: ["AWSCURRENT"] if version == known[-1] else ["AWSPREVIOUS"] for version in known
                    }
                }

            def put_secret_value(self, SecretId: str, SecretString: str) -> None:  # noqa: N803
                assert (region, SecretId) == (HOME, ARN)
                assert len(SecretString) == 64
                account.versions.append(str(len(account.versions) + 1))

        return Client()

    def sleep(self, _: float) -> None:
        self.waits += 1


def given(account: Account, *, renew: bool = False) -> list[str]:
    return parameters("gharama-dev", account, renew=renew, sleep=account.sleep)


def expected(version: str) -> list[str]:
    return ["ApiDomain=api.example", f"SecretArn={COPY}", f"SecretVersion={version}"]


def test_the_edge_shows_the_present_secret() -> None:
    account = Account()
    assert given(account) == expected("1")
    assert account.versions == ["1"]


@pytest.mark.parametrize("shown", [None, "1"])
def test_a_renewed_secret_is_waited_for_in_the_edges_region(shown: str | None) -> None:
    account = Account(shown=shown, copied_after=3)
    assert given(account, renew=True) == expected("2")
    assert account.waits == 3


def test_a_secret_is_not_renewed_twice_without_the_edge_learning_of_it() -> None:
    account = Account(shown="1")
    given(account, renew=True)
    with pytest.raises(EdgeError, match="without RENEW"):
        given(account, renew=True)
    assert account.versions == ["1", "2"]


def test_a_copy_that_does_not_come_is_not_waited_for_without_end() -> None:
    account = Account(copied_after=COPIED_WITHIN + 1)
    with pytest.raises(EdgeError, match="try again"):
        given(account)
    assert account.waits == COPIED_WITHIN


def test_a_platform_that_is_not_closed_has_no_edge() -> None:
    with pytest.raises(EdgeError, match="Edge=on"):
        given(Account(closed=False))
