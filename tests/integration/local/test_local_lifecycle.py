"""Starting, stopping, dying: what was taken is finished, what is kept comes back, and nothing is left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.local.aws.emulator import EmulatorError
from infra.local.aws.stack import DeployError
from infra.local.config import ROOT, Config
from infra.local.engine import Application, Engine
from infra.local.issuer import Issuer
from infra.local.ports import PortTakenError
from tests.integration.local.running import application
from tests.support.aws import free_port

Make = Callable[[Application], Engine]


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(aws_port=free_port(), state=tmp_path)


@pytest.fixture
def make(config: Config) -> Iterator[Make]:
    made = []

    def engine(application: Application) -> Engine:
        made.append(Engine(config, application))
        made[-1].start(lambda line: None)
        return made[-1]

    yield engine
    for one in made:
        one.stop()


def until(condition: Callable[[], bool], within: float = 30) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def listening(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def processes(config: Config) -> list[int]:
    """Everything that runs with something of this engine in its environment."""
    marks = (f"GATEWAY_PORT={config.aws_port}".encode(), f"AWS_ENDPOINT_URL={config.aws_endpoint}".encode())
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if any(mark in environment for mark in marks):
            found.append(int(folder.name))
    return found


def put(engine: Engine, key: str) -> None:
    item = {"pk": {"S": key}, "tell": {"BOOL": True}}
    engine.clients.get("dynamodb").put_item(TableName=engine.stack.outputs["Table"], Item=item)


def has(engine: Engine, key: str) -> bool:
    table = engine.stack.outputs["Table"]
    return "Item" in engine.clients.get("dynamodb").get_item(TableName=table, Key={"pk": {"S": key}})


def test_a_stop_finishes_what_was_taken_and_the_next_start_has_it(make: Make, config: Config, issuer: Issuer) -> None:
    engine = make(application(issuer.url))
    for number in range(29):
        put(engine, f"item {number}")
    until(lambda: has(engine, "record item 28"))
    physical = dict(engine.stack.physical)
    put(engine, "item 29")  # while the stream's reader pauses

    engine.stop()

    assert processes(config) == []
    assert not listening(config.aws_port)
    again = make(application(issuer.url))
    assert dict(again.stack.physical) == physical
    assert all(has(again, f"item {number}") and has(again, f"record item {number}") for number in range(30))
    put(again, "later")
    until(lambda: has(again, "record later"))
    again.clients.get("sqs").send_message(QueueUrl=again.stack.physical["Queue"], MessageBody='{"id": "later"}')
    until(lambda: has(again, "message later 1"))


def mapping(engine: Engine) -> str:
    """The event source mapping of the queue."""
    (found,) = engine.clients.get("lambda").list_event_source_mappings(
        EventSourceArn=engine.clients.get("sqs").get_queue_attributes(
            QueueUrl=engine.stack.physical["Queue"], AttributeNames=["QueueArn"]
        )["Attributes"]["QueueArn"]
    )["EventSourceMappings"]
    uuid: str = found["UUID"]
    return uuid


def test_a_queue_that_was_switched_off_stays_so_until_it_is_switched_on(
    make: Make, config: Config, issuer: Issuer
) -> None:
    def state(engine: Engine) -> str:
        answer = engine.clients.get("lambda").get_event_source_mapping(UUID=mapping(engine))
        return str(answer["State"])

    engine = make(application(issuer.url))
    assert state(engine) == "Enabled"
    engine.clients.get("lambda").update_event_source_mapping(UUID=mapping(engine), Enabled=False)
    engine.stop()

    again = make(application(issuer.url))
    assert state(again) == "Disabled"
    again.clients.get("lambda").update_event_source_mapping(UUID=mapping(again), Enabled=True)
    again.stop()

    assert state(make(application(issuer.url))) == "Enabled"


def test_a_message_is_delivered_again_after_a_restart_in_the_middle_of_it(
    make: Make, config: Config, issuer: Issuer
) -> None:
    engine = make(application(issuer.url))
    for number in range(10):
        engine.clients.get("sqs").send_message(
            QueueUrl=engine.stack.physical["Queue"], MessageBody=f'{{"id": "{number}"}}'
        )

    engine.stop()

    again = make(application(issuer.url))
    until(lambda: all(has(again, f"message {number} 1") or has(again, f"message {number} 2") for number in range(10)))


def test_nothing_outlives_a_supervisor_that_was_killed(make: Make, config: Config, issuer: Issuer) -> None:
    script = str(Path(__file__).with_name("running.py"))
    command = [sys.executable, script, str(config.state), str(config.aws_port), issuer.url]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as supervisor:
        assert supervisor.stdout
        assert supervisor.stdout.readline() == b"running\n"
        until(lambda: len(processes(config)) >= 2)  # the emulator, and the function that S3's test event woke

        os.kill(supervisor.pid, signal.SIGKILL)

    until(lambda: processes(config) == [])
    assert not listening(config.aws_port)
    again = make(application(issuer.url))
    assert again.is_running()


def test_a_port_in_use_is_named(config: Config, issuer: Issuer) -> None:
    with socket.create_server(("127.0.0.1", config.aws_port)):
        engine = Engine(config, application(issuer.url))
        with pytest.raises(PortTakenError, match=f"Port {config.aws_port} is in use. Set GHARAMA_AWS_PORT"):
            engine.start(lambda line: None)
    assert processes(config) == []


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        ("{Type: 'AWS::No::Such', Properties: {}}", r"Unrecognized resource types: \[AWS::No::Such\]"),
        (
            "{Type: 'AWS::Lambda::Url', Properties: {TargetFunctionArn: none, AuthType: NONE}}",
            r"ROLLBACK_COMPLETE:\n  Odd \(AWS::Lambda::Url\): .*Lambda function not found: none",
        ),
    ],
)
def test_a_resource_that_cannot_be_made_is_named_with_the_reason(
    config: Config, tmp_path: Path, resource: str, reason: str
) -> None:
    template = tmp_path / "template.yaml"
    template.write_text(f"Resources: {{Odd: {resource}}}")

    engine = Engine(config, Application((template,), tmp_path, {}))
    with pytest.raises(DeployError, match=reason):
        engine.start(lambda line: None)

    assert processes(config) == []
    assert not listening(config.aws_port)


def test_an_emulator_that_does_not_start_is_told(
    config: Config, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Config, "emulator_interpreter", Path("/bin/false"))

    with pytest.raises(EmulatorError, match=r"ended at once. Its log: .*emulator\.log"):
        Engine(config, application(issuer.url)).start(lambda line: None)
