"""What a process costs: instructions, which repeat where times do not, and CPU time as their witness."""

from __future__ import annotations

import re
import resource
import shutil
import subprocess
from collections.abc import Mapping, Sequence

import pytest

from infra.local.config import ROOT

_TOOL = ("valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null")


def run(command: Sequence[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run it as it is. Before a count this leaves the bytecode behind, which a first run alone would compile."""
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done


def instructions(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Of the whole process."""
    if shutil.which(_TOOL[0]) is None:
        pytest.fail("valgrind, which counts the instructions, is not installed (apt install valgrind)", pytrace=False)
    found = re.search(r"I\s+refs:\s+([\d,]+)", run([*_TOOL, *command], environment).stderr)
    assert found
    return int(found[1].replace(",", ""))


def cpu_seconds(command: Sequence[str], environment: Mapping[str, str]) -> float:
    """Of the whole process, in the system too."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run(command, environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
