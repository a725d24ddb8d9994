"""The running API does what its description says: no 5xx, no undocumented status, every answer as described."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e import files
from tests.e2e.cloud import Cloud

TOOL = shutil.which("schemathesis", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
# Methods that HTTP API Gateway knows; what the local front says of others is no answer of the API.
SETTINGS = '[phases.coverage]\nunexpected-methods = ["GET", "PUT", "POST", "PATCH", "DELETE"]\n'
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(TOOL is None, reason="schemathesis is not installed")
@pytest.mark.parametrize("scope", ["", "directorate"])
def test_every_call_answers_as_described(cloud: Cloud, tmp_path: Path, scope: str) -> None:
    assert TOOL
    token = cloud.token(f"ur-{secrets.token_hex(6)}", files.phone(), scope=scope)
    (tmp_path / "schemathesis.toml").write_text(SETTINGS)
    command = [TOOL, "run", f"{cloud.url}/v1/openapi.json", "--url", cloud.url, "--checks", CHECKS]
    options = ["-H", f"Authorization: Bearer {token}", "-n", "25", "--seed", "7", "--no-color"]
    done = subprocess.run([*command, *options], cwd=tmp_path, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
