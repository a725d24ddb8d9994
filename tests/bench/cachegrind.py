"""Counts the instructions of a process, which repeat where times do not."""

from __future__ import annotations

import re
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
