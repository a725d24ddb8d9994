"""What the query function loads at a cold start: none of what makes one slow."""

from __future__ import annotations

import json
import subprocess
import sys

from infra.local.config import ROOT

SLOW = {"boto3", "botocore.session", "pydantic", "aws_xray_sdk", "urllib3"}
"""Powertools names itself in the package ``botocore`` where there is one; that alone costs nothing."""


def test_the_query_function_loads_nothing_slow() -> None:
    code = "import json, sys, query.api; print(json.dumps(sorted(sys.modules)))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT / "functions", capture_output=True, text=True, check=True
    )
    assert SLOW.isdisjoint(json.loads(loaded.stdout))
