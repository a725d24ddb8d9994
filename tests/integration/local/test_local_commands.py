"""The commands of `python -m infra.local`, as a person gives them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.local.config import ROOT
from tests.support.aws import free_port


class Commands:
    """The commands on one state folder, with ports of their own."""

    def __init__(self, state: Path) -> None:
        self.port, self.aws_port = free_port(), free_port()
        self._environment = {
            **os.environ,
            "GHARAMA_PORT": str(self.port),
            "GHARAMA_AWS_PORT": str(self.aws_port),
            "GHARAMA_STATE": str(state),
            "PYTHONUNBUFFERED": "1",
        }

    def give(self, *words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "infra.local", *words]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=ROOT, env=self._environment, stdout=pipe, stderr=pipe, text=True)

    def run(self, *words: str) -> tuple[int, str]:
        """Exit code and everything that was said."""
        with self.give(*words) as process:
            said, complained = process.communicate(timeout=120)
        return process.returncode, said + complained

    def listening(self) -> list[bool]:
        return [_listening(port) for port in (self.port, self.aws_port)]


def _listening(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def commands(tmp_path: Path) -> Iterator[Commands]:
    given = Commands(tmp_path)
    yield given
    given.run("stop")


def test_a_life(commands: Commands) -> None:
    assert commands.run("status") == (1, "The local cloud is not running.\n")
    assert commands.run("stop") == (0, "The local cloud is not running.\n")

    with commands.give("up") as up:
        assert up.stdout
        said = ""
        while line := up.stdout.readline():
            said += line
            if line.endswith("] ready\n"):
                break

        assert f"http://127.0.0.1:{commands.port}/" in said
        assert f"AWS_ENDPOINT_URL=http://127.0.0.1:{commands.aws_port}" in said
        assert "AWS_ACCESS_KEY_ID=" in said
        assert "600 demo violations loaded" in said
        with urllib.request.urlopen(f"http://127.0.0.1:{commands.port}/_local/stack") as response:
            stack = json.loads(response.read())
        assert stack["upload_bucket"] in said
        assert {"Violations", "Messages"} <= stack["tables"].keys()
        assert all(url.startswith("http://127.0.0.1:") for url in stack["queues"].values())
        assert commands.run("status") == (0, f"The local cloud is running (process {up.pid}).\n")
        code, refused = commands.run("up")
        assert code == 1
        assert f"running already (process {up.pid})" in refused

        assert commands.run("stop") == (0, "The local cloud has stopped.\n")

        assert up.wait(10) == 0
        assert commands.listening() == [False, False]

    with commands.give("up") as again:
        assert again.stdout
        said = ""
        while line := again.stdout.readline():
            said += line
            if line.endswith("] ready\n"):
                break
        assert "demo violations" not in said
        again.send_signal(signal.SIGINT)
        assert again.wait(60) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_can_be_ended_while_it_starts(commands: Commands, number: signal.Signals) -> None:
    with commands.give("up") as up:
        until(lambda: _listening(commands.aws_port))
        up.send_signal(number)
        said, complained = up.communicate(timeout=60)

    assert (up.returncode, complained) == (0, "")
    assert said.endswith("stopped\n")
    assert commands.listening() == [False, False]


def test_a_taken_api_port_is_named_before_anything_starts(commands: Commands) -> None:
    with socket.create_server(("127.0.0.1", commands.port)):
        code, said = commands.run("up")

    assert code == 1
    assert said == f"Port {commands.port} is in use. Set GHARAMA_PORT to pick another one.\n"
    assert commands.listening() == [False, False]


def test_a_bad_port_is_refused(commands: Commands) -> None:
    commands._environment["GHARAMA_PORT"] = "http"

    assert commands.run("up") == (1, "GHARAMA_PORT must be a port from 1 to 65535, not 'http'\n")
    commands._environment["GHARAMA_PORT"] = str(commands.port)


def test_a_parameter_that_the_template_does_not_have_is_named(commands: Commands) -> None:
    commands._environment["GHARAMA_PARAMETERS"] = "Proof=registration Prof=registration"

    code, said = commands.run("up")

    assert code == 1
    assert said.endswith("GHARAMA_PARAMETERS names what the template does not: Prof\n")
    assert commands.listening() == [False, False]
