"""The contract suite runs over every engine: ministack always, DynamoDB Local where its jar is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import aws
from tests.aws import Engine


@pytest.fixture(scope="session")
def dynamodb_local() -> Iterator[Engine]:
    """DynamoDB Local, which its licence lets only holders of an AWS account use: opt-in."""
    folder = os.environ.get("GHARAMA_DYNAMODB_LOCAL")
    if not folder:
        pytest.skip("GHARAMA_DYNAMODB_LOCAL does not name a folder with DynamoDBLocal.jar")
    with aws.dynamodb_local(Path(folder)) as engine:
        yield engine


@pytest.fixture(scope="session", params=["emulator", "dynamodb_local"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine in turn."""
    started: Engine = request.getfixturevalue(request.param)
    return started
