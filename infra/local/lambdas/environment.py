"""One execution environment of a function: a process of AWS's own runtime client with Lambda's own variables."""

import contextlib
import json
import os
import signal
import subprocess
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infra.local.aws.localize import own_variables
from infra.local.config import REGION
from infra.local.lambdas import child
from infra.local.lambdas.runtime_api import INIT_ERROR, NEXT, RuntimeApi, RuntimeEndedError

INIT_WITHIN = 10.0  # seconds, Lambda's own limit
MAX_RESPONSE_BYTES = 6_291_556  # bytes, Lambda's own limit: 6 MB and a little for its envelope


@dataclass(frozen=True)
class FunctionSettings:
    """What a function's environments are made of.

    `configuration` is the answer of Lambda's GetFunctionConfiguration, `credentials` that of AssumeRole of its role.
    """

    logical_id: str
    configuration: Mapping[str, Any]
    credentials: Mapping[str, Any]
    aws_endpoint: str
    task_root: Path
    interpreter: str
    log: Path

    @property
    def timeout(self) -> float:
        return float(self.configuration["Timeout"])


@dataclass(frozen=True)
class Invocation:
    """One call of a function: the event as JSON and the ids that Lambda gives along."""

    event: bytes
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    trace_id: str = field(
        default_factory=lambda: (
            f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]};Parent={uuid.uuid4().hex[:16]};Sampled=0"
        )
    )


@dataclass(frozen=True)
class Outcome:
    """What a call came to: the function's JSON answer or, where `failed`, Lambda's description of the error."""

    payload: bytes
    failed: bool = False


class Environment:
    """Runs one invocation after the other. Not for use by several threads at once."""

    def __init__(self, settings: FunctionSettings) -> None:
        self._settings = settings
        self._api = RuntimeApi()
        self._log = settings.log.open("ab", buffering=0)
        self._started = time.monotonic()
        self._init_seconds: float | None = None
        self._asks_for_event = False
        root, handler = str(settings.task_root), settings.configuration["Handler"]
        self._process = subprocess.Popen(  # noqa: S603
            [settings.interpreter, child.__file__, str(int(signal.SIGKILL)), root, "awslambdaric", handler],
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            cwd=settings.task_root,
            env=lambda_variables(settings, self._api.address),
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def expires(self) -> datetime:
        """When its credentials end."""
        expiration: datetime = self._settings.credentials["Expiration"]
        return expiration

    def is_running(self) -> bool:
        return self._process.poll() is None

    def start(self) -> Outcome | None:
        """Wait until the handler is imported; the error where it can't be, and the environment is of no use then."""
        try:
            request = self._api.receive(self._started + INIT_WITHIN, self.is_running)
        except TimeoutError:
            return _error("Sandbox.Timedout", f"Error: Init timed out after {INIT_WITHIN:.2f} seconds")
        except RuntimeEndedError:
            return _error("Runtime.ExitError", f"Error: {self._exit_reason()}")
        if request.path == INIT_ERROR:
            with contextlib.suppress(RuntimeEndedError):
                self._api.answer(202, b'{"status":"OK"}')
            return Outcome(request.body, failed=True)
        self._init_seconds = time.monotonic() - self._started
        self._asks_for_event = True
        return None

    def is_ready(self) -> bool:
        """Whether it can take one more event: a runtime asks for it as soon as it has posted an outcome."""
        if not self._asks_for_event and self.is_running():
            with contextlib.suppress(TimeoutError, RuntimeEndedError):
                request = self._api.receive(time.monotonic() + INIT_WITHIN, self.is_running)
                self._asks_for_event = request.path == NEXT
        return self._asks_for_event and self.is_running()

    def invoke(self, invocation: Invocation) -> Outcome:
        """Run one event to its end. Afterwards the environment may be of no use: ask `is_ready`."""
        self._asks_for_event = False
        started = time.monotonic()
        self._write(f"START RequestId: {invocation.request_id} Version: $LATEST")
        try:
            outcome = self._run(invocation, started + self._settings.timeout)
        except TimeoutError:
            text = f"Task timed out after {self._settings.timeout:.2f} seconds"
            self._write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ} {invocation.request_id} {text}")
            self.kill()
            outcome = _error("Sandbox.Timedout", f"RequestId: {invocation.request_id} Error: {text}")
        except RuntimeEndedError:
            reason = self._exit_reason()
            self._write(f"RequestId: {invocation.request_id} Error: {reason}")
            outcome = _error("Runtime.ExitError", f"RequestId: {invocation.request_id} Error: {reason}")
        self._report(invocation.request_id, time.monotonic() - started)
        return outcome

    def close(self) -> None:
        """End the process at once, as Lambda does, and whatever it started."""
        self.kill()
        if self._process.stdin:
            self._process.stdin.close()
        self._api.close()
        self._log.close()

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _run(self, invocation: Invocation, deadline: float) -> Outcome:
        epoch_deadline = time.time() + deadline - time.monotonic()
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(int(epoch_deadline * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": self._settings.configuration["FunctionArn"],
            "Lambda-Runtime-Trace-Id": invocation.trace_id,
        }
        self._api.answer(200, invocation.event, headers)
        while True:
            request = self._api.receive(deadline, self.is_running)
            kind = request.path.rpartition("/")[2]
            if kind == "response" and len(request.body) > MAX_RESPONSE_BYTES:
                self._api.answer(413, b'{"errorType":"RequestEntityTooLarge"}')
                text = f"Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE_BYTES} bytes)."
                return _error("Function.ResponseSizeTooLarge", text)
            if kind in ("response", "error"):
                self._api.answer(202, b'{"status":"OK"}')
                return Outcome(request.body, failed=kind == "error")
            self._api.answer(404, b"{}")

    def _exit_reason(self) -> str:
        try:
            status = self._process.wait(1)
        except subprocess.TimeoutExpired:  # it hung up and lives on
            self.kill()
            status = -signal.SIGKILL
        if status < 0:
            return f"Runtime exited with error: signal: {(signal.strsignal(-status) or str(-status)).lower()}"
        if status > 0:
            return f"Runtime exited with error: exit status {status}"
        return "Runtime exited without providing a reason"

    def _report(self, request_id: str, seconds: float) -> None:
        init = "" if self._init_seconds is None else f"Init Duration: {self._init_seconds * 1000:.2f} ms\t"
        self._init_seconds = None
        memory = self._settings.configuration["MemorySize"]
        self._write(
            f"END RequestId: {request_id}",
            f"REPORT RequestId: {request_id}\tDuration: {seconds * 1000:.2f} ms\tMemory Size: {memory} MB\t{init}",
        )

    def _write(self, *lines: str) -> None:
        self._log.write("".join(f"{line}\n" for line in lines).encode())


def lambda_variables(settings: FunctionSettings, runtime_api: str) -> dict[str, str]:
    """The environment variables of a function's process.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html and, because the AWS endpoint is here,
    AWS_ENDPOINT_URL.
    """
    configuration, credentials = settings.configuration, settings.credentials
    name = configuration["FunctionName"]
    day = datetime.now(UTC).strftime("%Y/%m/%d")
    return {
        **own_variables(configuration.get("Environment", {}).get("Variables", {})),
        "_HANDLER": configuration["Handler"],
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{configuration['Runtime']}",
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(configuration["MemorySize"]),
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": configuration.get("LoggingConfig", {}).get("LogGroup", f"/aws/lambda/{name}"),
        "AWS_LAMBDA_LOG_STREAM_NAME": f"{day}/[$LATEST]{uuid.uuid4().hex}",
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
        "AWS_SESSION_TOKEN": credentials["SessionToken"],
        "AWS_ENDPOINT_URL": settings.aws_endpoint,
        "LAMBDA_TASK_ROOT": str(settings.task_root),
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "LANG": "en_US.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin:/bin:/opt/bin",
        "PYTHONPATH": str(settings.task_root),
        "TZ": ":UTC",
    }


def _error(kind: str, text: str) -> Outcome:
    return Outcome(json.dumps({"errorType": kind, "errorMessage": text}).encode(), failed=True)
