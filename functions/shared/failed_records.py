"""Stream records that no retry can mend: each laid whole into the bucket in which Lambda lays those that it gives up.

A record that a function reports stops its shard. Lambda goes on from the lowest sequence number that was reported, so
whatever follows waits through all the retries, and then the rest of the batch is given up together with the record.
https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
So a function lays such a record aside by itself and reports only what another try may mend. The object is made as
Lambda makes its own (https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html): one command replays
both.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from shared.aws_json import Json
from shared.observability import count
from shared.settings import setting

LAID_ASIDE: Final = "laidAside"
"""In the payload of such an object: its record is reported when it is replayed in vain, not laid aside once more."""


def lay_aside(records: Sequence[Json], event: Json, function_arn: str) -> list[dict[str, str]]:
    """Lay records of an event aside, each once, and count them.

    Returns those that lie aside already, or could not be laid there, as Lambda wants them reported.
    """
    if not records:
        return []
    count("RecordsLaidAside", len(records))
    import boto3

    s3, again = boto3.client("s3"), LAID_ASIDE in event
    return [
        {"itemIdentifier": record["dynamodb"]["SequenceNumber"]}
        for record in records
        if again or not _put(s3, record, function_arn)
    ]


def _put(s3: Any, record: Json, function_arn: str) -> bool:
    from botocore.exceptions import BotoCoreError, ClientError

    function = function_arn.partition(":function:")[2]
    body = {
        "requestContext": {"functionArn": function_arn, "condition": "Unreadable"},
        "payload": json.dumps({"Records": [record], LAID_ASIDE: True}),
    }
    key = f"laid-aside/{function}/{record['dynamodb']['SequenceNumber']}"
    try:
        s3.put_object(Bucket=setting("FAILED_RECORDS_BUCKET"), Key=key, Body=json.dumps(body).encode())
    except (BotoCoreError, ClientError):
        return False
    return True
