"""The contract suite runs over every engine: ministack always, DynamoDB Local where its jar is.

The licence of DynamoDB Local lets only holders of an AWS account use it: the variable is the opt-in.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.stores.people.citizens import Citizens
from tests.support import aws
from tests.support.aws import Engine, Tables

FOLDER = os.environ.get("GHARAMA_DYNAMODB_LOCAL", "")
NO_JAR = "GHARAMA_DYNAMODB_LOCAL does not name a folder with DynamoDBLocal.jar"
HAS_JAR = bool(FOLDER) and (Path(FOLDER) / "DynamoDBLocal.jar").is_file()


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The emulator as the local cloud runs it, over the network: elsewhere it runs within the tests' process."""
    with aws.ministack(tmp_path_factory.mktemp("emulator")) as engine:
        yield engine


@pytest.fixture(scope="session")
def dynamodb_local() -> Iterator[Engine]:
    """DynamoDB Local in memory, one a worker."""
    if not HAS_JAR:
        pytest.skip(NO_JAR)
    with aws.dynamodb_local(Path(FOLDER)) as engine:
        yield engine


@pytest.fixture(scope="session", params=["emulator", *(["dynamodb_local"] if HAS_JAR else [])])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine in turn."""
    started: Engine = request.getfixturevalue(request.param)
    return started


@pytest.fixture
def citizens(engine: Engine, tables: Tables) -> Citizens:
    return Citizens(engine.fast(), tables["Citizens"])
