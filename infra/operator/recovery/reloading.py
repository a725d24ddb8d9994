"""Files of the directorate that came after the instant to which tables were restored: they are loaded once more.

The bucket of uploads keeps every version of them; the ledger has forgotten those that came since. Each is announced to
ingest as S3 does it.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Final, NamedTuple
from urllib.parse import quote_plus

from infra.operator.deployment import Deployment
from ingest.format.origins import ORIGINS
from shared.domain.file import FINAL, FileVersion
from shared.stores.files import Files


class Forgotten(NamedTuple):
    """A version of a file that is not loaded. at: when it came."""

    at: datetime
    version: FileVersion


_ORDER: Final = "{:010X}{:08X}"
"""As the sequencers of S3's own notifications begin: by their second. S3 promises only that they grow."""


def forgotten(deployment: Deployment, since: datetime) -> list[Forgotten]:
    """Find the file versions that came from an instant on and are not at their end in the ledger, the oldest first."""
    bucket, found = deployment.physical["Uploads"], list[Forgotten]()
    for origin in ORIGINS:
        pages = deployment.clients("s3").get_paginator("list_object_versions")
        for page in pages.paginate(Bucket=bucket, Prefix=f"{origin}/"):
            for number, stored in enumerate(page.get("Versions", ())):
                at: datetime = stored["LastModified"]
                order = _ORDER.format(int(at.timestamp()), number)
                version = FileVersion(bucket, stored["Key"], stored["VersionId"], order)
                if at >= since and stored["Size"] and not _is_loaded(deployment, version):
                    found.append(Forgotten(at, version))
    return sorted(found, key=lambda one: one.at)


def load_again(deployment: Deployment, version: FileVersion) -> None:
    """Announce a file version to ingest, which goes on where the ledger says that it was. Harmless to do again."""
    stored = {"key": quote_plus(version.key), "versionId": version.version_id, "sequencer": version.order, "size": 1}
    record = {"s3": {"bucket": {"name": version.bucket}, "object": stored}}
    deployment.clients("sqs").send_message(
        QueueUrl=deployment.physical["FileQueue"], MessageBody=json.dumps({"Records": [record]})
    )


def _is_loaded(deployment: Deployment, version: FileVersion) -> bool:
    try:
        return Files(deployment.call, deployment.physical["Files"]).file(version.file_id).state in FINAL
    except KeyError:
        return False
