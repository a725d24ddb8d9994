"""Who runs the local cloud of a state folder: the process that holds the lock on its pid file."""

import contextlib
import fcntl
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO


class AlreadyRunningError(Exception):
    """A local cloud runs on this state folder already."""

    def __init__(self, pid: int) -> None:
        super().__init__(f"The local cloud is running already (process {pid}). `make stop` ends it.")
        self.pid = pid


@contextlib.contextmanager
def sole_instance(pid_file: Path) -> Iterator[None]:
    """Be the one that runs. The lock goes with the process, however it ends, so it can't be left behind.

    Raises:
        AlreadyRunningError: another one does.
    """
    pid_file.parent.mkdir(parents=True, exist_ok=True)
    with pid_file.open("a+") as file:
        if (pid := _holder(file)) is not None:
            raise AlreadyRunningError(pid)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def running_pid(pid_file: Path) -> int | None:
    """The process that runs the local cloud."""
    with contextlib.suppress(FileNotFoundError), pid_file.open() as file:
        return _holder(file)
    return None


def stop(pid_file: Path, within: float) -> bool:
    """End the local cloud and wait until it has. Whether it has, within that many seconds."""
    pid = running_pid(pid_file)
    if pid is None:
        return True
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + within
    while running_pid(pid_file) == pid:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _holder(file: IO[str]) -> int | None:
    """The process that holds the lock. None where nobody did; the lock is held by this open file then."""
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            if text := file.read():
                return int(text)
            time.sleep(0.01)  # it has just begun, or is about to end
        else:
            return None
