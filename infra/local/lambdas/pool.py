"""The functions' processes: for each function a pool of execution environments, as Lambda keeps them."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from infra.local.aws.clients import Clients
from infra.local.lambdas.environment import Environment, FunctionSettings, Invocation, Outcome

IDLE_SECONDS = 30.0  # then an environment is ended; Lambda keeps one for minutes, but memory here is a laptop's
MAX_ENVIRONMENTS = 16  # of a function without reserved concurrency; further invocations wait
CREDENTIALS_MARGIN = timedelta(minutes=16)  # Lambda's longest invocation and a little


class FunctionsClosedError(Exception):
    """An invocation came while the functions are being stopped."""


@dataclass
class _Idle:
    environment: Environment
    since: float


class Pool:
    """The environments of one function. The one used last is used next, so that the others can end."""

    def __init__(self, settings: Callable[[], FunctionSettings], limit: int) -> None:
        self._settings = settings
        self._limit = limit
        self._changed = threading.Condition()
        self._idle: list[_Idle] = []
        self._busy: set[Environment] = set()
        self._starting = 0
        self._closed = False

    @property
    def busy(self) -> int:
        with self._changed:
            return len(self._busy) + self._starting

    def pids(self) -> list[int]:
        """Processes of all its environments."""
        with self._changed:
            return [*(one.environment.pid for one in self._idle), *(one.pid for one in self._busy)]

    def invoke(self, invocation: Invocation) -> Outcome:
        """Run one event, in a new environment if none is free and the limit allows, else when one becomes free.

        Raises:
            FunctionsClosedError: the pool is closed.
        """
        environment = self._take()
        if environment is None:
            environment = self._add()
            if failure := environment.start():
                self._discard(environment)
                return failure
        try:
            outcome = environment.invoke(invocation)
        except BaseException:
            self._discard(environment)
            raise
        self._give_back(environment)
        return outcome

    def end_idle(self, longer_than: float) -> None:
        """End environments that have been idle for that many seconds."""
        before = time.monotonic() - longer_than
        with self._changed:
            ended = [one.environment for one in self._idle if one.since <= before]
            self._idle = [one for one in self._idle if one.since > before]
        for environment in ended:
            environment.close()

    def close(self) -> None:
        """End every environment, also in the middle of an invocation, whose caller then gets an error."""
        with self._changed:
            self._closed = True
            idle, self._idle = self._idle, []
            busy = list(self._busy)
            self._changed.notify_all()
        for one in idle:
            one.environment.close()
        for environment in busy:
            environment.kill()

    def _take(self) -> Environment | None:
        """A warm environment, or None where the caller may start one."""
        while True:
            with self._changed:
                while not self._closed and not self._idle and len(self._busy) + self._starting >= self._limit:
                    self._changed.wait()
                if self._closed:
                    raise FunctionsClosedError
                if not self._idle:
                    self._starting += 1
                    return None
                environment = self._idle.pop().environment
                self._busy.add(environment)
            fresh = environment.expires - datetime.now(UTC) > CREDENTIALS_MARGIN
            if fresh and environment.is_ready():
                return environment
            self._discard(environment)

    def _add(self) -> Environment:
        try:
            environment = Environment(self._settings())
        except BaseException:
            with self._changed:
                self._starting -= 1
                self._changed.notify()
            raise
        with self._changed:
            self._starting -= 1
            self._busy.add(environment)
            closed = self._closed
        if closed:
            self._discard(environment)
            raise FunctionsClosedError
        return environment

    def _give_back(self, environment: Environment) -> None:
        with self._changed:
            if not self._closed and environment.is_running():
                self._busy.discard(environment)
                self._idle.append(_Idle(environment, time.monotonic()))
                self._changed.notify()
                return
        self._discard(environment)

    def _discard(self, environment: Environment) -> None:
        environment.close()
        with self._changed:
            self._busy.discard(environment)
            self._changed.notify()


class Functions:
    """Every function of a stack by its logical id."""

    def __init__(
        self,
        clients: Clients,
        names: Mapping[str, str],
        *,
        aws_endpoint: str,
        task_root: Path,
        interpreter: str,
        logs: Path,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        """`names` are the functions' physical names by logical id."""
        logs.mkdir(parents=True, exist_ok=True)
        self._clients = clients
        self._names = dict(names)
        self._aws_endpoint = aws_endpoint
        self._task_root = task_root
        self._interpreter = interpreter
        self._logs = logs
        self._credentials: dict[str, Mapping[str, Any]] = {}
        self._pools = {
            logical_id: Pool(partial(self._settings, logical_id), self._limit(name))
            for logical_id, name in names.items()
        }
        self._ended = threading.Event()
        self._reaper = threading.Thread(target=self._end_idle, args=[idle_seconds], name="idle", daemon=True)
        self._reaper.start()

    def invoke(self, logical_id: str, invocation: Invocation) -> Outcome:
        """Run one event.

        Raises:
            KeyError: no such function.
            FunctionsClosedError: the functions are being stopped.
        """
        return self._pools[logical_id].invoke(invocation)

    def pids(self) -> dict[str, list[int]]:
        """The processes of each function."""
        return {logical_id: pool.pids() for logical_id, pool in self._pools.items()}

    def wait_until_idle(self, seconds: float) -> bool:
        """Whether no invocation runs any more, within that time."""
        deadline = time.monotonic() + seconds
        while any(pool.busy for pool in self._pools.values()):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def close(self) -> None:
        """End every environment."""
        self._ended.set()
        self._reaper.join()
        for pool in self._pools.values():
            pool.close()

    def _limit(self, name: str) -> int:
        reserved = self._clients.get("lambda").get_function_concurrency(FunctionName=name)
        return int(reserved.get("ReservedConcurrentExecutions", MAX_ENVIRONMENTS))

    def _settings(self, logical_id: str) -> FunctionSettings:
        configuration = self._clients.get("lambda").get_function_configuration(FunctionName=self._names[logical_id])
        return FunctionSettings(
            logical_id=logical_id,
            configuration=configuration,
            credentials=self.credentials(configuration["Role"]),
            aws_endpoint=self._aws_endpoint,
            task_root=self._task_root,
            interpreter=self._interpreter,
            log=self._logs / f"{logical_id}.log",
        )

    def credentials(self, role: str) -> Mapping[str, Any]:
        """Credentials of a function's role, good for longer than an invocation can take."""
        known = self._credentials.get(role)
        if known is None or known["Expiration"] - datetime.now(UTC) <= CREDENTIALS_MARGIN:
            session = role.rpartition("/")[2][:64]
            known = self._clients.get("sts").assume_role(RoleArn=role, RoleSessionName=session)["Credentials"]
            self._credentials[role] = known
        return known

    def _end_idle(self, seconds: float) -> None:
        while not self._ended.wait(min(1.0, seconds)):
            for pool in self._pools.values():
                pool.end_idle(seconds)
