"""The benches' count of the bytes that SHA-256 goes through: those of whole blocks."""

import subprocess
import sys
from pathlib import Path

import pytest

COUNTING = Path(__file__).parents[1] / "bench" / "counting"


@pytest.mark.parametrize(
    ("code", "counted"),
    [
        ("sha256().hexdigest()", 64),
        ("sha256(b'a' * 55).digest()", 64),
        ("sha256(b'a' * 56).digest()", 128),
        ("hmac.new(b'k', b'm', sha256).hexdigest()", 256),
        ("hmac.digest(b'k', b'm', 'sha256')", 256),
    ],
)
def test_a_digest_is_counted_and_stays_what_it_is(code: str, counted: int) -> None:
    command = [sys.executable, "-c", f"import hmac; from hashlib import sha256; print({code})"]
    as_it_is, done = (
        subprocess.run(command, env={"PYTHONPATH": path}, capture_output=True, text=True, check=True)
        for path in ("", str(COUNTING))
    )
    assert done.stdout == as_it_is.stdout
    assert int(done.stderr) == counted
