"""DynamoDB Streams' API as plain JSON: what it answers is already in the form in which Lambda hands records on.

An SDK would decode each attribute of each record, only for it to be encoded again: most of the work of a large load.
"""

import http.client
import json
import threading
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

_TIMEOUT = 30.0  # seconds


class StreamsApiError(Exception):
    """The API refused a call. `code` is its name of the error, such as ExpiredIteratorException."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code


class StreamsApi:
    """Calls the API at `endpoint` with the credentials as they are at the time."""

    def __init__(self, endpoint: str, region: str, credentials: Credentials) -> None:
        self._endpoint = endpoint
        self._netloc = urlsplit(endpoint).netloc
        self._region = region
        self._credentials = credentials
        self._own = threading.local()

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Raises StreamsApiError, OSError or http.client.HTTPException."""
        body = json.dumps(request).encode()
        headers = {
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": f"DynamoDBStreams_20120810.{operation}",
        }
        signed = AWSRequest("POST", f"{self._endpoint}/", data=body, headers=headers)
        SigV4Auth(self._credentials.get_frozen_credentials(), "dynamodb", self._region).add_auth(signed)
        connection = self._connection()
        try:
            connection.request("POST", "/", body, dict(signed.headers))
            response = connection.getresponse()
            answer: dict[str, Any] = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError):
            self.hang_up()
            raise
        if response.status != 200:
            text = answer.get("message") or answer.get("Message") or ""
            raise StreamsApiError(str(answer.get("__type", response.status)).rpartition("#")[2], text)
        return answer

    def hang_up(self) -> None:
        """Close this thread's connection; the next call opens another."""
        connection: http.client.HTTPConnection | None = getattr(self._own, "connection", None)
        if connection:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        if not hasattr(self._own, "connection"):
            self._own.connection = http.client.HTTPConnection(self._netloc, timeout=_TIMEOUT)
        connection: http.client.HTTPConnection = self._own.connection
        return connection
