"""Starting the stand-in and the sides of the comparison."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from infra.local.config import ROOT
from infra.local.demo import files as demo
from shared.aws_json import FastClient
from tests.bench import cost
from tests.bench.load.stub import digest
from tests.support.authority import Authority

PREFIXES = {"german": "DE", "old": "OLD", "kurdistan": "KR", "unified": "UN"}
BAD = 1
"""Bad rows of a thousand."""

ENGLISH = (
    "violation_no", "plate_family", "plate_governorate", "plate_letter", "plate_number", "violation_code", "amount",
    "occurred_at", "sector_code", "place", "status", "updated_at",
)  # fmt: skip
"""The columns of a short export."""


def write(path: Path, count: int, columns: tuple[str, ...] = demo.COLUMNS, first: int = 0) -> dict[str, int]:
    """Write rows of the national file. Returns what the stand-in's account must then say. first: counted from 0."""
    good = total = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        rows = enumerate(demo.rows(demo.NATIONAL_TOTAL, bad_per_mille=BAD))
        for index, row in islice(rows, first, first + count):
            writer.writerow(row)
            if demo.fault_at(index, BAD) is None:
                letter = (row["plate_letter"],) if row["plate_letter"] else ()
                parts = (PREFIXES[row["plate_family"]], row["plate_governorate"], *letter, row["plate_number"])
                total += digest(row["violation_no"], "#".join(parts), row["amount"], row["status"])
                good += 1
    return {"items": good, "writes": good, "digest": total}


class Bench:
    """A stand-in that runs, and the environment of its clients."""

    def __init__(self, url: str, authority: Authority | None) -> None:
        self._environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{ROOT}:{ROOT / 'functions'}",
            "PYTHONHASHSEED": "0",
            "AWS_REGION": "me-south-1",
            "AWS_DEFAULT_REGION": "me-south-1",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_SESSION_TOKEN": "t" * 300,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": url,
            **({"AWS_CA_BUNDLE": str(authority.bundle)} if authority else {}),
        }
        self._call = FastClient(self._environment)
        # What was never imported would be compiled in the first run that is measured.
        folders = str(ROOT / "functions"), str(Path(__file__).parent)
        cost.run([cost.python(), "-m", "compileall", "-q", *folders], self._environment)

    def close(self) -> None:
        self._call._forget("dynamodb")

    def account(self) -> dict[str, int]:
        """What the stand-in holds."""
        return self._call("dynamodb", "Account", {})

    def reset(self) -> None:
        """Empty it."""
        self._call("dynamodb", "Reset", {})

    def run(self, side: str, path: Path, version_id: str = "1", connections: int = 1) -> dict[str, Any]:
        """What a side says of itself."""
        done = cost.run(_command(side, path, version_id, connections), self._environment)
        said: dict[str, Any] = json.loads(done.stdout)
        return said

    def fresh(self, side: str, path: Path) -> tuple[float, float]:
        """The instructions of a side's whole process that finds the table empty, and those of them but SHA-256's."""
        command = _command(side, path)
        self.reset()
        whole = cost.instructions(command, self._environment)
        self.reset()
        return whole, whole - cost.sha256(command, self._environment)

    def again(self, path: Path) -> tuple[float, float]:
        """The same of loading a file of which every row is there."""
        command = _command("load", path, "2")
        whole = cost.instructions(command, self._environment)
        return whole, whole - cost.sha256(command, self._environment)


def _command(side: str, path: Path, version_id: str = "1", connections: int = 1) -> list[str]:
    return [cost.python(), "-m", "tests.bench.load.side", side, str(path), version_id, str(connections)]


@contextmanager
def bench(folder: Path, *, tls: bool = False, delay_ms: int = 0) -> Iterator[Bench]:
    """A stand-in that answers after so many milliseconds."""
    authority = Authority(folder) if tls else None
    certificate = []
    if authority:
        authority.server()
        certificate = [str(folder / "server.pem")]
    stub = Path(__file__).parent / "stub.py"
    process = subprocess.Popen(
        [sys.executable, str(stub), str(delay_ms), *certificate], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    running = Bench(f"http{'s' if tls else ''}://127.0.0.1:{process.stdout.readline().strip()}", authority)
    try:
        yield running
    finally:
        running.close()
        process.kill()
        process.wait()
        process.stdout.close()
