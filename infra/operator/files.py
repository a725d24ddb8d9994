"""How a file of the directorate stands in the ledger."""

from __future__ import annotations

import json

from infra.operator.deployment import Deployment
from shared.domain.file import File
from shared.stores.files import Files


def newest(deployment: Deployment, key: str) -> File:
    """The newest version of a key. Raises KeyError where no file of that key came."""
    files = Files(deployment.call, deployment.physical["Files"])
    file_id = files.newest(deployment.physical["Uploads"], key)
    if file_id is None:
        raise KeyError(key)
    return files.file(file_id)


def status(file: File) -> list[str]:
    """What is known of a file version, a line each."""
    lines = [f"{file.version.key} version {file.version.version_id} ({file.version.file_id}): {file.state}"]
    if file.plan:
        lines.append(
            f"{file.chunks_done} of {file.plan.chunks} chunks, {file.rows_done:,} of {file.plan.rows:,} rows done"
        )
    lines.append(f"received {file.claimed_at}; report published: {'yes' if file.published else 'no'}")
    if file.report:
        report = json.loads(file.report)
        lines.append(", ".join(f"{name} {count:,}" for name, count in report["counts"].items()))
        if report["error"]:
            lines.append(f"{report['error']['code']}: {report['error']['message_en']}")
    return lines
