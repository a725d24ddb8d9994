"""The end that nobody orders: power off, `kill -9`, a disk that is full."""

from __future__ import annotations

import os
import resource
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.aws.snapshots import Snapshots
from infra.local.config import ACCOUNT, STACK_NAME, Config
from infra.local.engine import Engine
from infra.local.issuer import Issuer
from tests.integration.local.running import application
from tests.support.aws import free_port


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A cloud that saves when it is asked, not by itself."""
    return Config(aws_port=free_port(), state=tmp_path, save_seconds=3600)


@pytest.fixture
def started(config: Config, issuer: Issuer) -> Iterator[Engine]:
    engine = Engine(config, application(issuer.url))
    engine.start(lambda line: None)
    yield engine
    engine.stop()


def emulator(config: Config) -> int:
    """The emulator's process."""
    mark = f"GATEWAY_PORT={config.aws_port}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                return int(folder.name)
        except OSError:
            continue
    raise AssertionError("the emulator does not run")


def end_hard(engine: Engine, config: Config) -> None:
    os.kill(emulator(config), signal.SIGKILL)
    while engine.is_running():
        pass
    engine.stop()


def save(config: Config) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"{config.aws_endpoint}/_local/save", b"", timeout=30) as answer:  # noqa: S310
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def saved(config: Config) -> str:
    return os.readlink(Snapshots(config.state / "emulator" / "saved").newest)


def put(engine: Engine, key: str) -> None:
    engine.clients.get("dynamodb").put_item(TableName=engine.stack.outputs["Table"], Item={"pk": {"S": key}})


def has(engine: Engine, key: str) -> bool:
    table = engine.stack.outputs["Table"]
    return "Item" in engine.clients.get("dynamodb").get_item(TableName=table, Key={"pk": {"S": key}})


def test_a_hard_end_costs_what_came_since_the_last_save_and_is_told(
    started: Engine, config: Config, issuer: Issuer
) -> None:
    assert started.cut_off is None
    put(started, "before")
    assert save(config) == (200, "")
    put(started, "since")

    end_hard(started, config)

    again = Engine(config, application(issuer.url))
    again.start(lambda line: None)
    assert again.cut_off is not None
    assert again.stack.physical == started.stack.physical
    assert (has(again, "before"), has(again, "since")) == (True, False)
    put(again, "later")
    again.stop()
    last = Engine(config, application(issuer.url))
    last.start(lambda line: None)
    assert last.cut_off is None
    assert has(last, "later")
    last.stop()


def test_nothing_is_written_while_nothing_changes(started: Engine, config: Config) -> None:
    def is_saved_anew() -> bool:
        before = saved(config)
        assert save(config) == (200, "")
        return saved(config) != before

    def comes_to_rest() -> None:
        """What the start itself set going may still write."""
        deadline = time.monotonic() + 30
        while is_saved_anew():
            assert time.monotonic() < deadline

    put(started, "one")
    assert is_saved_anew()
    comes_to_rest()
    has(started, "one")
    started.clients.get("s3").list_buckets()
    comes_to_rest()
    put(started, "two")
    assert is_saved_anew()


def test_a_disk_that_is_full_is_said_and_loses_nothing_from_before(config: Config, issuer: Issuer) -> None:
    said: list[str] = []
    engine = Engine(config, application(issuer.url))
    engine.start(said.append)
    put(engine, "before")
    assert save(config) == (200, "")
    first, process = saved(config), emulator(config)
    put(engine, "since")
    _, most = resource.prlimit(process, resource.RLIMIT_FSIZE)
    resource.prlimit(process, resource.RLIMIT_FSIZE, (0, most))  # no file may grow

    assert save(config) == (507, "File too large")
    assert saved(config) == first
    resource.prlimit(process, resource.RLIMIT_FSIZE, (most, most))
    assert save(config) == (200, "")
    put(engine, "last")
    resource.prlimit(process, resource.RLIMIT_FSIZE, (0, most))
    engine.stop()

    assert said[-1].startswith("The state cannot be saved: File too large. What was saved at ")
    again = Engine(config, application(issuer.url))
    again.start(said.append)
    assert again.cut_off is not None
    assert [has(again, key) for key in ("before", "since", "last")] == [True, True, False]
    again.stop()


@pytest.mark.parametrize("step", ["AWS endpoint", "Stack of"])
def test_a_first_start_that_was_cut_off_is_begun_anew(config: Config, issuer: Issuer, step: str) -> None:
    class CutOffError(Exception):
        pass

    engine = Engine(config, application(issuer.url))

    def cut_off(line: str) -> None:
        if line.startswith(step):
            if step == "Stack of":  # an object keeps its bucket on the disk
                bucket = f"{STACK_NAME}-files-{ACCOUNT}"
                engine.clients.get("s3").put_object(Bucket=bucket, Key="one", Body=b"1")
            os.kill(emulator(config), signal.SIGKILL)
            raise CutOffError

    with pytest.raises(CutOffError):
        engine.start(cut_off)

    again = Engine(config, application(issuer.url))
    again.start(lambda line: None)
    put(again, "one")
    assert has(again, "one")
    again.stop()


def test_queues_that_were_on_are_on_after_a_hard_end_and_the_others_off(
    started: Engine, config: Config, issuer: Issuer
) -> None:
    def switch(engine: Engine, on: bool) -> None:
        client = engine.clients.get("lambda")
        for mapping in client.list_event_source_mappings()["EventSourceMappings"]:
            if ":sqs:" in mapping["EventSourceArn"]:
                client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=on)

    def states(engine: Engine) -> set[str]:
        mappings = engine.clients.get("lambda").list_event_source_mappings()["EventSourceMappings"]
        return {one["State"] for one in mappings if ":sqs:" in one["EventSourceArn"]}

    engine = started
    for on in (False, True):
        switch(engine, on)
        save(config)
        end_hard(engine, config)
        engine = Engine(config, application(issuer.url))
        engine.start(lambda line: None)
        assert states(engine) == {"Enabled" if on else "Disabled"}
    engine.stop()
