"""What the functions that end files have in common of the outside, found in the environment."""

from __future__ import annotations

from typing import Any

from ingest.ending import Desk
from ingest.objects import Objects
from ingest.reporting.operator_mail import Operator, operator_topic
from shared.aws_json import Call
from shared.domain.file import LOADED, MANY_REJECTS
from shared.observability import count
from shared.settings import setting
from shared.stores.files import Files


def desk(call: Call) -> Desk:
    """Where files end, through a port of DynamoDB."""
    import boto3

    return Desk(
        Files(call, setting("FILES_TABLE")),
        Objects(boto3.client("s3"), setting("UPLOADS_BUCKET")),
        _counting(operator_topic(lambda: boto3.client("sns"), setting("OPERATOR_TOPIC"))),
    )


def _counting(operator: Operator) -> Operator:
    """The same operator, after counting what alarms watch: files that were not loaded, and the live feed's silence."""

    def tell(report: dict[str, Any]) -> None:
        if report["status"] not in (LOADED, MANY_REJECTS):
            count("FilesNotLoaded")
        elif report["key"].startswith("live/"):
            count("LiveFilesLoaded")
        operator(report)

    return tell
