"""What the functions that end files have in common of the outside, found in the environment."""

from __future__ import annotations

from ingest.ending import Desk
from ingest.objects import Objects
from ingest.operator_topic import operator_topic
from shared.aws_json import Call
from shared.settings import setting
from shared.stores.files import Files


def desk(call: Call) -> Desk:
    """Where files end, through a port of DynamoDB."""
    import boto3

    return Desk(
        Files(call, setting("FILES_TABLE")),
        Objects(boto3.client("s3"), setting("UPLOADS_BUCKET")),
        operator_topic(lambda: boto3.client("sns"), setting("OPERATOR_TOPIC")),
    )
