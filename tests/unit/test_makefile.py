"""What a person writes into a command reaches its program as it stands, whatever signs it holds."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.support.documents import ROOT

ODD = """it's a "new" one: $HOME $(x $$y ${z} `date` \\ %#;& -x"""
COMMANDS = {
    "execute-changes": ("REPLACE",),
    "adopt": ("NAMES",),
    "check-books": ("SINCE",),
    "reload-files": ("SINCE",),
    "restore-tables": ("TABLES", "AT"),
    "copy-back": ("TABLES", "AT", "REASON"),
    "prepare": ("FILE",),
    "file-status": ("KEY",),
    "payment-trail": ("ID",),
    "decide-payment": ("ID", "REASON"),
    "pause": ("REASON",),
    "rollback-file": ("KEY", "REASON"),
    "release-news": ("KEY", "REASON"),
    "release-registry": ("KEY", "REASON"),
    "preview-policy": ("FILE",),
    "find": ("RECEIPT", "PAYMENT", "VIOLATION", "PHONE", "REASON"),
    "who-looked": ("PLATE", "REASON"),
    "remove-leftovers": ("WORD",),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a Python that says what it is called with."""
    program = tmp_path / ".venv" / "project" / "bin" / "python"
    program.parent.mkdir(parents=True)
    program.write_text("#!/usr/bin/env python3\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\n", encoding="utf-8")
    program.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize("by_environment", [False, True], ids=["word", "environment"])
@pytest.mark.parametrize("target", COMMANDS)
def test_whatever_is_written_arrives(
    folder: Path, target: str, by_environment: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = {name: f"-{name} {ODD}" for name in COMMANDS[target]}
    command = ["make", "--no-print-directory", "-f", str(ROOT / "Makefile"), "PYTHON=true", "ENV=dev", target]
    if by_environment:
        for name, value in words.items():
            monkeypatch.setenv(name, value)
    else:
        command += [f"{name}={value}" for name, value in words.items()]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert set(words.values()) <= set(json.loads(done.stdout))
