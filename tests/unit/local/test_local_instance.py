from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infra.local import instance
from infra.local.config import ROOT

HOLDER = """
import sys, time
from pathlib import Path
from infra.local.instance import sole_instance
with sole_instance(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def pid_file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "local.pid"


@pytest.fixture
def holder(pid_file: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that runs the local cloud of the folder."""
    command = [sys.executable, "-c", HOLDER, str(pid_file)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        yield process
        process.kill()


def test_nobody_runs_where_there_is_no_file(pid_file: Path) -> None:
    assert instance.running_pid(pid_file) is None
    assert instance.stop(pid_file, within=1)


def test_a_second_one_is_told_who_runs(pid_file: Path, holder: subprocess.Popen[bytes]) -> None:
    with pytest.raises(instance.AlreadyRunningError, match=f"process {holder.pid}"), instance.sole_instance(pid_file):
        pass


def test_it_can_run_again_after_it_has_ended(pid_file: Path) -> None:
    for _ in range(2):
        with instance.sole_instance(pid_file):
            assert pid_file.read_text() == str(os.getpid())
        assert instance.running_pid(pid_file) is None


def test_a_process_that_was_killed_holds_nothing(pid_file: Path, holder: subprocess.Popen[bytes]) -> None:
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()

    assert pid_file.read_text() == str(holder.pid)
    assert instance.running_pid(pid_file) is None


def test_stopping_never_touches_a_process_that_only_has_the_same_number(pid_file: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as innocent:
        pid_file.parent.mkdir(parents=True)
        pid_file.write_text(str(innocent.pid))

        assert instance.stop(pid_file, within=1)

        assert innocent.poll() is None
        innocent.kill()


def test_stopping_waits_for_the_end(pid_file: Path, holder: subprocess.Popen[bytes]) -> None:
    assert instance.running_pid(pid_file) == holder.pid

    assert instance.stop(pid_file, within=10)

    assert holder.wait(10) == -signal.SIGTERM


def test_one_that_is_about_to_end_is_waited_for(pid_file: Path) -> None:
    pid_file.parent.mkdir(parents=True)
    with pid_file.open("a+") as file, ThreadPoolExecutor(1) as threads:
        fcntl.flock(file, fcntl.LOCK_EX)
        asked = threads.submit(instance.running_pid, pid_file)
        with pytest.raises(TimeoutError):
            asked.result(0.1)

        fcntl.flock(file, fcntl.LOCK_UN)

        assert asked.result(10) is None
