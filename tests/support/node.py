"""Programs in Node with the packages of infra/locks/node, for tests that hold us against what others have published."""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from infra.environments import ROOT

_LOCKS = ROOT / "infra" / "locks" / "node"
_FOLDER = ROOT / ".venv" / "node"


def node_packages() -> Path:
    """Install the locked packages where they are not yet, and return the folder of a program that imports them.

    Skips the test where there is no Node, or no network to get the packages by.
    """
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("no node and npm on PATH")
    _FOLDER.mkdir(parents=True, exist_ok=True)
    locked = (_LOCKS / "package-lock.json").read_bytes()
    with (_FOLDER / "installing").open("w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        done = _FOLDER / "installed.json"
        if not done.exists() or done.read_bytes() != locked:
            for name in ("package.json", "package-lock.json"):
                shutil.copy(_LOCKS / name, _FOLDER)
            command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            ended = subprocess.run(command, cwd=_FOLDER, capture_output=True, text=True, timeout=120, check=False)
            if "ENOTFOUND" in ended.stderr or "EAI_AGAIN" in ended.stderr:
                pytest.skip("no network to get the packages of infra/locks/node by")
            assert ended.returncode == 0, ended.stderr
            done.write_bytes(locked)
    return _FOLDER


def run_node(program: str, *arguments: str) -> Any:
    """Run a program, as text of an ES module, and return what the last line that it prints says as JSON."""
    folder = node_packages()
    command = ["node", "--input-type=module", "--eval", program, "--", *arguments]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])
