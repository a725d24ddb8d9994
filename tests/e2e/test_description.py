"""The running API does what its description says: no 5xx, no undocumented status, every answer as described.

The answers that need a scene of their own are held to it wherever a test calls a function: see
``tests.support.description``.
"""

from __future__ import annotations

import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e import files
from tests.support.cloud import Cloud

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("cloud")]

TOOL = Path(sys.executable).with_name("schemathesis")
# Methods that HTTP API Gateway knows; what the local front says of others is no answer of the API.
SETTINGS = '[phases.coverage]\nunexpected-methods = ["GET", "PUT", "POST", "PATCH", "DELETE"]\n'
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


def generate(cloud: Cloud, folder: Path, scope: str, *options: str) -> None:
    """Calls of every kind by one citizen. What the tool writes goes into a folder."""
    token = cloud.token(f"ur-{secrets.token_hex(6)}", files.phone(), scope=scope)
    (folder / "schemathesis.toml").write_text(SETTINGS)
    command = [str(TOOL), "run", f"{cloud.url}/v1/openapi.json", "--url", cloud.url, "--checks", CHECKS]
    command += ["-H", f"Authorization: Bearer {token}", "--no-color", *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=550, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


@pytest.mark.timeout(600)
def test_examples_and_edge_cases_are_answered_as_described(cloud: Cloud, tmp_path: Path) -> None:
    generate(cloud, tmp_path, "directorate", "--phases", "examples,coverage", "--seed", "7")


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("scope", ["", "directorate"])
def test_whatever_is_asked_is_answered_as_described(cloud: Cloud, tmp_path: Path, scope: str) -> None:
    generate(cloud, tmp_path, scope, "-n", "25")
