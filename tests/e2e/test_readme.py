"""The README's example: its commands, run as they stand there, are answered as it shows."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest

from tests.support.cloud import Cloud, wait_for
from tests.support.documents import blocks, read, section

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("cloud")]

PHONE = "+9647701234567"
ANY = "…"


def differences(shown: Any, answered: Any, at: str = "answer") -> list[str]:
    """Where an answer is not what is shown: the same members and items, and their values but for those not told."""
    if shown == ANY:
        return []
    if isinstance(shown, dict) and isinstance(answered, dict) and shown.keys() == answered.keys():
        return [found for name in shown for found in differences(shown[name], answered[name], f"{at}.{name}")]
    if isinstance(shown, list) and isinstance(answered, list) and len(shown) == len(answered):
        pairs = enumerate(zip(shown, answered, strict=True))
        return [found for place, pair in pairs for found in differences(*pair, f"{at}[{place}]")]
    return [] if shown == answered else [f"{at} is {answered!r}"]


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on PATH")
def test_the_example_is_answered_as_shown(cloud: Cloud) -> None:
    commands, answer = blocks(section(read("README.md"), "Ask by plate"))
    assert (commands.language, answer.language) == ("sh", "json")
    assert PHONE in commands.code
    script = commands.code.replace("127.0.0.1:8080", f"127.0.0.1:{cloud.port}")
    ran = subprocess.run(["bash", "-euo", "pipefail", "-c", script], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    assert differences(json.loads(answer.code), json.loads(ran.stdout)) == []
    wait_for(lambda: cloud.sms(PHONE), 15, "the SMS of the answer")


@pytest.mark.parametrize("answered", [{"a": [1, 2]}, {"a": [2]}, {"a": [1], "b": 1}, {}, None])
def test_another_answer_is_seen(answered: Any) -> None:
    assert differences({"a": [1]}, {"a": [1]}) == []
    assert differences({"a": ANY}, {"a": [7]}) == []
    assert differences({"a": [1]}, answered)
