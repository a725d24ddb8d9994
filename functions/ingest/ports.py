"""The ports of every function that can end a file, made from environment variables."""

from __future__ import annotations

from typing import Any

from ingest.ending import EndingPorts
from ingest.objects import Objects
from ingest.reporting import help_page
from ingest.reporting.operator_mail import Operator, operator_topic
from shared.aws_json import Call
from shared.domain.file import LOADED, FileStatus
from shared.observability import count
from shared.settings import setting
from shared.stores.files import Files


def ending_ports(call: Call) -> EndingPorts:
    """Make the ports of ending a file over a port of DynamoDB."""
    import boto3

    objects = Objects(boto3.client("s3"), setting("UPLOADS_BUCKET"))
    return EndingPorts(
        Files(call, setting("FILES_TABLE")),
        objects,
        _counting(operator_topic(lambda: boto3.client("sns"), setting("OPERATOR_TOPIC"))),
        help_page.layer(objects),
        lambda: boto3.client("sqs").send_message(QueueUrl=setting("PROOF_QUEUE_URL"), MessageBody="{}"),
    )


def _counting(operator: Operator) -> Operator:
    """Wrap an operator to count first what alarms watch: files that were not loaded, and the live feed's silence."""

    def tell(report: dict[str, Any]) -> None:
        if report["status"] not in (*LOADED, FileStatus.NUMBERS_WAIT):
            count("FilesNotLoaded")
        elif report["key"].startswith("live/"):
            count("LiveFilesLoaded")
        operator(report)

    return tell
