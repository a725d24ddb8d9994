"""Fixtures of all tests: engines that speak AWS's JSON, started once a worker, and fresh tables for each test."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.support import aws
from tests.support.aws import Engine, Tables
from tests.support.functions import PERSONAL, Functions

# No verdict by the clock: how long an example takes on a busy machine says nothing of whether it holds.
settings.register_profile("gharama", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("gharama")


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The local cloud's AWS endpoint within this process, one a worker. The contract suite has it as a process."""
    with aws.ministack_here(tmp_path_factory.mktemp("emulator")) as engine:
        yield engine


@pytest.fixture(scope="session")
def engine(emulator: Engine) -> Engine:
    """What a test's tables are made in. The contract suite runs its tests over every engine there is."""
    return emulator


@pytest.fixture
def tables(engine: Engine) -> Iterator[Tables]:
    """Fresh tables, gone after the test."""
    fresh = Tables(engine.fast())
    yield fresh
    fresh.delete()
    engine.hang_up()


@pytest.fixture
def functions(
    engine: Engine, tables: Tables, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Functions]:
    """The functions in this process. Whatever a test does with them, nothing personal may be logged."""
    started = Functions(engine, tables, monkeypatch)
    yield started
    started.close()
    logged = "".join(capsys.readouterr())
    # Among more digits, but for the country's, they are another number: a clock's, say.
    found = [secret for secret in PERSONAL if re.search(rf"(?<![0-9])(?:964)?{re.escape(secret)}(?![0-9])", logged)]
    assert found == []
