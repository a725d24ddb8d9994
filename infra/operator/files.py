"""How a file of the directorate stands in the ledger."""

from __future__ import annotations

import json
from collections.abc import Iterator

from infra.operator.deployment import Deployment
from shared.domain.file import File
from shared.stores.files import Files


def newest(deployment: Deployment, key: str) -> File:
    """The newest version of a key. Raises KeyError where no file of that key came."""
    files = _files(deployment)
    file_id = files.newest(deployment.physical["Uploads"], key)
    if file_id is None:
        raise KeyError(key)
    return files.file(file_id)


def unfinished(deployment: Deployment) -> list[File]:
    """The files that are being checked or loaded, the oldest first."""
    return sorted(_files(deployment).unfinished(), key=lambda file: file.claimed_at)


def progress(deployment: Deployment, file: File) -> Iterator[str]:
    """How far a file version is, a line or two: its rows, those of chunks that are not done as a whole too."""
    yield f"{file.version.key} version {file.version.version_id} ({file.version.file_id}): {file.state}"
    if file.plan:
        rows = file.rows_done + _files(deployment).rows_under_way(file.version.file_id)
        chunks = f"{file.chunks_done:,} of {file.plan.chunks:,} chunks"
        yield f"{rows:,} of {file.plan.rows:,} rows done; {chunks} done as a whole"


def status(deployment: Deployment, file: File) -> list[str]:
    """What is known of a file version, a line each."""
    lines = list(progress(deployment, file))
    lines.append(f"received {file.claimed_at}; report published: {'yes' if file.published else 'no'}")
    if file.report:
        report = json.loads(file.report)
        if report.get("check"):
            lines.append(report["check"]["message_en"])
        lines.append(", ".join(f"{name} {count:,}" for name, count in report["counts"].items()))
        if report["error"]:
            lines.append(f"{report['error']['code']}: {report['error']['message_en']}")
    return lines


def _files(deployment: Deployment) -> Files:
    return Files(deployment.call, deployment.physical["Files"])
