"""What a process costs: instructions, which repeat where times do not, and CPU time as their witness."""

from __future__ import annotations

import re
import resource
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import pytest

from infra.local.config import ROOT

_TOOL = ("valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null")
_COUNTING = Path(__file__).parent / "counting"


def python() -> str:
    """The interpreter that every side is measured on."""
    path = ROOT / ".venv" / "bench" / "bin" / "python"
    if not path.exists():
        pytest.fail(f"{path.relative_to(ROOT)} is not there: the bench's make target sets it up", pytrace=False)
    return str(path)


@cache
def version() -> str:
    """Such as Python 3.13.0."""
    return run([python(), "--version"], {}).stdout.strip()


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


def sha256(command: Sequence[str], environment: Mapping[str, str]) -> float:
    """Those of the instructions that are SHA-256's: its bytes, counted in a run apart, at what one costs here.

    A processor has instructions of its own for it, which cachegrind does not know: it counts many times what they take.
    """
    path = f"{_COUNTING}:{environment['PYTHONPATH']}"
    return int(run(command, {**environment, "PYTHONPATH": path}).stderr.split()[-1]) * sha256_a_byte()


@cache
def sha256_a_byte() -> float:
    """Instructions."""
    few, many = 1_000_000, 5_000_000
    less, more = (
        instructions([python(), "-c", f"import hashlib; hashlib.sha256(bytes({size}))"], {"PYTHONHASHSEED": "0"})
        for size in (few, many)
    )
    return (more - less) / (many - few)


def cpu_seconds(command: Sequence[str], environment: Mapping[str, str]) -> float:
    """Of the whole process, in the system too."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run(command, environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
