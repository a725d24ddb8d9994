"""One side of the comparison in a process: ``python -m tests.bench.load.side SIDE FILE VERSION_ID CONNECTIONS``.

Sides: ``scan``, what on_file does with the file; ``load``, that and what load_chunk does with its chunks, in as many
threads as there are connections; ``usual``, the ordinary way: ``csv.DictReader``, a pydantic model a row, boto3's
``batch_writer``. Prints what came of it and what it took, as JSON.
"""

from __future__ import annotations

import csv
import json
import re
import resource
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, NamedTuple

Counts = dict[str, int]


class Given(NamedTuple):
    """version_id: under which the file lies in its bucket."""

    path: Path
    version_id: str
    connections: int


def scan(given: Given) -> Counts:
    from tests.bench.load.local_ports import ending_ports

    at, _ = ending_ports(given.path)
    file_id, chunks = _receive(at, given)
    plan = at.files.file(file_id).plan
    assert plan
    return {"rows": plan.rows, "chunks": len(chunks)}


def _receive(at: Any, given: Given) -> tuple[str, list[Any]]:
    from ingest import on_file
    from ingest.chunking import RULES
    from shared.clock import now
    from shared.domain.file import FileVersion

    version = FileVersion("uploads", f"backlog/{given.path.name}", given.version_id, given.version_id)
    chunks: list[Any] = []
    ports = on_file.Ports(at, lambda _, found: chunks.extend(found), now, "utf-8", RULES)
    on_file.receive(version, ports)
    return version.file_id, chunks


def load(given: Given) -> Counts:
    from ingest import load_chunk
    from shared.aws_json import FastClient
    from shared.clock import now
    from shared.stores.violations import Violations
    from tests.bench.load.local_ports import ending_ports

    at, disk = ending_ports(given.path)
    file_id, chunks = _receive(at, given)
    queue: SimpleQueue[Any] = SimpleQueue()
    for chunk in chunks:
        queue.put(chunk)
    slowest = [0.0] * given.connections

    def worker(number: int) -> None:
        store = Violations(FastClient(), "violations")
        ports = load_chunk.Ports(at, lambda _: store, now, lambda: 60.0, timedelta(days=45), lambda _: ())
        while True:
            try:
                chunk = queue.get_nowait()
            except Empty:
                return
            began = time.monotonic()
            load_chunk.load(file_id, chunk, ports)
            slowest[number] = max(slowest[number], time.monotonic() - began)

    if given.connections == 1:
        worker(0)
    else:
        threads = [Thread(target=worker, args=(number,)) for number in range(given.connections)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    report = json.loads(disk.written(f"reports/backlog/{given.path.name}.json").read_bytes())
    return {**report["counts"], "slowest_ms": round(max(slowest) * 1000)}


def usual(given: Given) -> Counts:
    import boto3
    from pydantic import ValidationError

    from tests.bench.load.usual import Row

    counts = {"rows": 0, "inserted": 0, "rejected": 0}
    table = boto3.resource("dynamodb").Table("violations")
    with given.path.open(encoding="utf-8", newline="") as file, table.batch_writer() as batch:
        for record in csv.DictReader(file):
            counts["rows"] += 1
            try:
                row = Row.model_validate(record)
            except ValidationError:
                counts["rejected"] += 1
            else:
                batch.put_item(Item=row.item())
                counts["inserted"] += 1
    return counts


SIDES: dict[str, Callable[[Given], Counts]] = {"scan": scan, "load": load, "usual": usual}


def _most_memory() -> float:
    """The most megabytes that this process held: what getrusage says counts those of the one that started it too."""
    match = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert match
    return int(match[1]) / 1024


def main() -> None:
    side, path, version_id, connections = sys.argv[1:]
    began = time.monotonic()
    counts = SIDES[side](Given(Path(path), version_id, int(connections)))
    used = resource.getrusage(resource.RUSAGE_SELF)
    took = {
        "cpu": used.ru_utime + used.ru_stime,
        "wall": time.monotonic() - began,
        "megabytes": _most_memory(),
    }
    print(json.dumps({**counts, **took}))


if __name__ == "__main__":
    main()
