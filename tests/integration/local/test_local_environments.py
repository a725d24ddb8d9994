"""Real processes of AWS's runtime client, without an AWS endpoint."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.local.lambdas.environment import MAX_RESPONSE_BYTES, FunctionSettings, Invocation, Outcome
from infra.local.lambdas.pool import FunctionsClosedError, Pool

ROOT = Path(__file__).parent / "app" / "functions"


def settings(folder: Path, *, handler: str = "worker.handler", timeout: int = 20, **variables: str) -> FunctionSettings:
    return FunctionSettings(
        logical_id="Worker",
        configuration={
            "FunctionName": "app-Worker-1",
            "FunctionArn": "arn:aws:lambda:me-south-1:000000000000:function:app-Worker-1",
            "Handler": handler,
            "Runtime": "python3.13",
            "Timeout": timeout,
            "MemorySize": 256,
            "Environment": {"Variables": {"MINISTACK_LAMBDA_PROXY_URL": "http://127.0.0.1:1/Worker", **variables}},
            "LoggingConfig": {"LogGroup": "worker-logs"},
        },
        credentials={
            "AccessKeyId": "key",
            "SecretAccessKey": "secret",
            "SessionToken": "token",
            "Expiration": datetime.now(UTC) + timedelta(hours=1),
        },
        aws_endpoint="http://127.0.0.1:1",
        task_root=ROOT,
        interpreter=sys.executable,
        log=folder / "Worker.log",
    )


MakePool = Callable[..., Pool]


@pytest.fixture
def make_pool(tmp_path: Path) -> Iterator[MakePool]:
    pools = []

    def make(limit: int = 4, **changes: Any) -> Pool:
        pools.append(Pool(lambda: settings(tmp_path, **changes), limit))
        return pools[-1]

    yield make
    for pool in pools:
        pool.close()


def ask(pool: Pool, **event: Any) -> Any:
    """The function's answer; an error's description where it failed."""
    return json.loads(pool.invoke(Invocation(json.dumps(event).encode())).payload)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


class Busy:
    """An invocation that is in the function until it is let go."""

    def __init__(self, pool: Pool, folder: Path, name: str) -> None:
        self._started, self._go = folder / f"{name}.started", folder / f"{name}.go"
        self._event = {"do": "wait-for-file", "started": str(self._started), "go": str(self._go)}
        self.outcome: Outcome | None = None
        self._thread = threading.Thread(target=self._run, args=[pool])
        self._thread.start()

    def _run(self, pool: Pool) -> None:
        self.outcome = pool.invoke(Invocation(json.dumps(self._event).encode()))

    @property
    def started(self) -> bool:
        return self._started.exists() and self._started.read_text() != ""

    @property
    def pid(self) -> int:
        until(lambda: self.started)
        return int(self._started.read_text())

    def let_go(self) -> Busy:
        self._go.touch()
        return self

    def join(self) -> Any:
        self._thread.join(20)
        assert self.outcome
        return json.loads(self.outcome.payload)


def test_a_warm_environment_is_used_again(make_pool: MakePool) -> None:
    pool = make_pool()

    first, second = ask(pool, do="tell"), ask(pool, do="tell")

    assert first["pid"] == second["pid"]
    assert (first["calls"], second["calls"]) == (1, 2)
    assert first["request_id"] != second["request_id"]


def test_a_function_sees_lambdas_variables_and_no_others(make_pool: MakePool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THIS_MACHINE", "x")

    environment = ask(make_pool(TABLE="t"), do="tell")["env"]

    runtime_api = environment.pop("AWS_LAMBDA_RUNTIME_API")
    stream = environment.pop("AWS_LAMBDA_LOG_STREAM_NAME")
    environment.pop("_X_AMZN_TRACE_ID")
    environment.pop("LC_CTYPE", None)  # Python sets it where a machine lacks en_US
    assert runtime_api.startswith("127.0.0.1:")
    assert "/[$LATEST]" in stream
    assert environment == {
        "TABLE": "t",
        "_HANDLER": "worker.handler",
        "AWS_REGION": "me-south-1",
        "AWS_DEFAULT_REGION": "me-south-1",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "AWS_LAMBDA_FUNCTION_NAME": "app-Worker-1",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": "worker-logs",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SESSION_TOKEN": "token",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "LAMBDA_TASK_ROOT": str(ROOT),
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "LANG": "en_US.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin:/bin:/opt/bin",
        "PYTHONPATH": str(ROOT),
        "TZ": ":UTC",
    }


def test_an_exception_is_told_as_lambda_tells_it_and_keeps_the_environment(make_pool: MakePool) -> None:
    pool = make_pool()
    pid = ask(pool, do="tell")["pid"]

    error = ask(pool, do="fail")

    assert (error["errorType"], error["errorMessage"]) == ("ValueError", "on purpose")
    assert "worker.py" in error["stackTrace"][0]
    assert ask(pool, do="tell")["pid"] == pid


def test_a_timeout_ends_the_environment(make_pool: MakePool) -> None:
    pool = make_pool(timeout=1)
    pid = ask(pool, do="tell")["pid"]

    error = ask(pool, do="sleep", seconds=60)

    assert error["errorType"] == "Sandbox.Timedout"
    assert error["errorMessage"].endswith("Error: Task timed out after 1.00 seconds")
    assert not running(pid)
    assert ask(pool, do="tell")["pid"] != pid


@pytest.mark.parametrize(
    ("what", "reason"),
    [("exit", "Runtime exited with error: exit status 3"), ("die", "Runtime exited with error: signal: killed")],
)
def test_an_environment_that_ends_fails_its_call_alone(make_pool: MakePool, what: str, reason: str) -> None:
    pool = make_pool()

    error = ask(pool, do=what)

    assert error["errorType"] == "Runtime.ExitError"
    assert error["errorMessage"].endswith(f"Error: {reason}")
    assert ask(pool, do="tell")["calls"] == 1


def test_kill_9_in_the_middle_of_an_invocation_is_told_at_once(make_pool: MakePool, tmp_path: Path) -> None:
    pool = make_pool()
    busy = Busy(pool, tmp_path, "a")
    os.kill(busy.pid, signal.SIGKILL)

    error = busy.join()

    assert error["errorType"] == "Runtime.ExitError"
    assert "signal: killed" in error["errorMessage"]
    assert pool.busy == 0
    assert ask(pool, do="tell")["calls"] == 1


def test_an_idle_environment_that_was_killed_is_replaced(make_pool: MakePool) -> None:
    pool = make_pool()
    pid = ask(pool, do="tell")["pid"]
    os.kill(pid, signal.SIGKILL)
    until(lambda: not running(pid))

    assert ask(pool, do="tell")["calls"] == 1


def test_an_answer_may_be_6_mb_and_no_more(make_pool: MakePool) -> None:
    pool = make_pool()

    assert len(ask(pool, do="big", bytes=MAX_RESPONSE_BYTES - 2)) == MAX_RESPONSE_BYTES - 2

    error = ask(pool, do="big", bytes=MAX_RESPONSE_BYTES - 1)
    assert error["errorType"] == "Function.ResponseSizeTooLarge"
    assert ask(pool, do="tell")["calls"] == 1


@pytest.mark.parametrize(
    ("handler", "kind"),
    [("missing.handler", "Runtime.ImportModuleError"), ("worker.missing", "Runtime.HandlerNotFound")],
)
def test_a_handler_that_cannot_be_loaded(make_pool: MakePool, handler: str, kind: str) -> None:
    pool = make_pool(handler=handler)

    assert ask(pool, do="tell")["errorType"] == kind
    assert pool.pids() == []


def test_an_event_passes_in_full(make_pool: MakePool) -> None:
    assert ask(make_pool(), do="big", bytes=1, padding="س" * 3_000_000) == "x"


def test_invocations_beyond_the_limit_wait(make_pool: MakePool, tmp_path: Path) -> None:
    pool = make_pool(limit=2)
    first, second = Busy(pool, tmp_path, "a"), Busy(pool, tmp_path, "b")
    pids = {first.pid, second.pid}
    third = Busy(pool, tmp_path, "c")
    assert len(pids) == 2
    assert not third.started

    first.let_go().join()

    assert third.pid in pids
    second.let_go().join()
    third.let_go().join()
    assert set(pool.pids()) == pids


def test_many_at_once(make_pool: MakePool) -> None:
    pool = make_pool(limit=3)

    with ThreadPoolExecutor(12) as threads:
        answers = list(threads.map(lambda _: ask(pool, do="tell"), range(60)))

    assert len({answer["request_id"] for answer in answers}) == 60
    assert len(pool.pids()) <= 3


def test_only_what_was_idle_long_enough_ends(make_pool: MakePool, tmp_path: Path) -> None:
    pool = make_pool()
    busy = Busy(pool, tmp_path, "a")
    idle = ask(pool, do="tell")["pid"]

    pool.end_idle(longer_than=60)
    assert running(idle)
    pool.end_idle(longer_than=0)

    assert not running(idle)
    assert pool.pids() == [busy.pid]
    assert busy.let_go().join() == {"pid": pool.pids()[0]}


def test_the_one_used_last_is_used_next(make_pool: MakePool, tmp_path: Path) -> None:
    pool = make_pool()
    first, second = Busy(pool, tmp_path, "a"), Busy(pool, tmp_path, "b")
    until(lambda: first.started and second.started)
    first.let_go().join()
    last = second.let_go().join()["pid"]

    assert {ask(pool, do="tell")["pid"] for _ in range(4)} == {last}


def test_an_environment_ends_before_its_credentials_do(tmp_path: Path) -> None:
    given = settings(tmp_path)
    soon = {**given.credentials, "Expiration": datetime.now(UTC) + timedelta(minutes=15)}
    pool = Pool(lambda: replace(given, credentials=soon), 4)

    pids = [ask(pool, do="tell")["pid"] for _ in range(2)]

    assert pids[0] != pids[1]
    pool.close()


def test_closing_ends_everything(make_pool: MakePool, tmp_path: Path) -> None:
    pool = make_pool()
    busy = Busy(pool, tmp_path, "a")
    pids = [busy.pid, ask(pool, do="tell")["pid"]]

    pool.close()

    assert busy.join()["errorType"] == "Runtime.ExitError"
    assert not any(map(running, pids))
    with pytest.raises(FunctionsClosedError):
        ask(pool, do="tell")


def test_the_log_reads_as_on_lambda(make_pool: MakePool, tmp_path: Path) -> None:
    pool = make_pool(timeout=1)
    pool.invoke(Invocation(b'{"do": "put-nothing"}', request_id="id-1"))
    pool.invoke(Invocation(b'{"do": "sleep", "seconds": 60}', request_id="id-2"))

    lines = (tmp_path / "Worker.log").read_text().splitlines()

    assert lines[:3] == [
        "START RequestId: id-1 Version: $LATEST",
        "asked to put-nothing سلام",
        "END RequestId: id-1",
    ]
    assert lines[3].startswith("REPORT RequestId: id-1\tDuration: ")
    assert "Memory Size: 256 MB\tInit Duration: " in lines[3]
    assert lines[4:6] == ["START RequestId: id-2 Version: $LATEST", "asked to sleep سلام"]
    assert lines[6].endswith("id-2 Task timed out after 1.00 seconds")
    assert lines[8].startswith("REPORT RequestId: id-2")
    assert "Init Duration" not in lines[8]
