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
from typing import Any, Final

from shared.aws_json import Json

LAID_ASIDE: Final = "laidAside"
"""In the payload of such an object: its record is reported when it is replayed in vain, not laid aside once more."""


class FailedRecords:
    """The bucket. s3: a boto3 client."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def lay_aside(self, record: Json, function_arn: str) -> bool:
        """Keep a record for the function's replay; one that comes again is kept once. False where it was not taken."""
        from botocore.exceptions import BotoCoreError, ClientError

        function = function_arn.partition(":function:")[2]
        body = {
            "requestContext": {"functionArn": function_arn, "condition": "Unreadable"},
            "payload": json.dumps({"Records": [record], LAID_ASIDE: True}),
        }
        key = f"laid-aside/{function}/{record['dynamodb']['SequenceNumber']}"
        try:
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=json.dumps(body).encode())
        except (BotoCoreError, ClientError):
            return False
        return True
