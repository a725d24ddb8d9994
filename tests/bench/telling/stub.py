"""A stand-in for DynamoDB, Secrets Manager and SNS that costs its callers nothing: it answers each operation by heart.

``python -m tests.bench.telling.stub`` prints its port and serves until it is ended. ``OLD#11#<n>`` has n followers.
"""

from __future__ import annotations

import asyncio
import json
import re
import zlib
from functools import cache
from typing import Any

from shared.stores.items import pack
from tests.support.build import PHONE, violation

SENT = b"""<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult>
<MessageId>567910cd-659e-55d4-8ccb-5aaf14679dc0</MessageId></PublishResult><ResponseMetadata>
<RequestId>d74b8436-ae13-5ab4-a9ff-ce54dfea72a0</RequestId></ResponseMetadata></PublishResponse>"""


def _reply(content: bytes, content_type: str, checksum: str) -> bytes:
    head = (
        f"HTTP/1.1 200 OK\r\nServer: Server\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(content)}\r\nConnection: keep-alive\r\n"
        f"x-amzn-RequestId: 3KVNOZVXLU65G5P1M0EBR8VTJVVV4KQNSO5AEMVJF66Q9ASUAAJG\r\n{checksum}\r\n"
    )
    return head.encode() + content


@cache
def _said(body: str) -> bytes:
    content = body.encode()
    return _reply(content, "application/x-amz-json-1.0", f"x-amz-crc32: {zlib.crc32(content)}\r\n")


def _json(body: Any) -> bytes:
    return _said(json.dumps(body, ensure_ascii=False))


@cache
def _followers(number: int) -> bytes:
    link = {"relation": "self", "notify": True, "proven": False, "linked_at": "2026-11-01T09:00:00+03:00"}
    followers = [pack({"sk": f"ur-5f0c2e{n:06}", "vehicle_id": f"5f0c2e{n:026}", **link}) for n in range(number)]
    return _json({"Items": followers, "Count": number})


def _item(key: dict[str, dict[str, str]]) -> dict[str, Any]:
    pk, sk = key["pk"]["S"], key.get("sk", {}).get("S")
    if sk == "PROFILE":
        return pack({"pk": pk, "sk": sk, "phone": PHONE, "language": "ar", "sms": True})
    if sk:
        link = {"relation": "self", "notify": True, "proven": False, "linked_at": "2026-11-01T09:00:00+03:00"}
        return pack({"pk": pk, "sk": sk, "vehicle_id": "5f0c2e", **link})
    message = {"sub": "ur-5f0c2e", "kind": "new_violation", "created_at": "2026-11-20T12:00:00+03:00", "language": "ar"}
    waiting = {"status": "waiting", "not_before": "2026-11-20T12:00:00+03:00", "plate": "OLD#11#1", "violations": ["V"]}
    return pack({"pk": pk, **message, **waiting})


def _found(table: str, key: dict[str, dict[str, str]]) -> dict[str, Any] | None:
    """What there is by a key: nobody proved anything, and nothing of before is known."""
    if table == "violations":
        return _violation()
    if table == "citizens" and key["sk"]["S"].startswith(("PROFILE", "ur-")):
        return _item(key)
    return None


def _violation() -> dict[str, Any]:
    values = violation("V", plate_key="OLD#11#1", recorded_at="2099-11-20T09:00:00+03:00")._asdict()
    values["pk"], values["plate"] = values.pop("violation_no"), values.pop("plate_key")
    return pack({**values, "hash": "d41d8cd98f00b204", "origin": "live"})


def answer(operation: str, body: bytes) -> bytes:
    """What an operation is answered with."""
    if operation == "Query":
        asked = re.search(rb"P#OLD#11#(\d+)", body)
        return _followers(int(asked[1]) if asked else 0)
    if operation == "GetItem":
        return _json({"Item": _item(json.loads(body)["Key"])})
    if operation == "BatchGetItem":
        asked = json.loads(body)["RequestItems"].items()
        found = {table: [*filter(None, (_found(table, key) for key in tables["Keys"]))] for table, tables in asked}
        return _json({"Responses": found, "UnprocessedKeys": {}})
    if operation == "GetSecretValue":
        return _json({"SecretString": json.dumps({"keys": ["5f0c2e" * 8], "registry": [1, 1]})})
    return _json({})


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in head.split("\r\n"))}
            body = await reader.readexactly(int(fields["content-length"]))
            target = fields.get("x-amz-target")
            if target is None:
                writer.write(_reply(SENT, "text/xml", ""))
            else:
                writer.write(answer(target.partition(".")[2], body))
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def _main() -> None:
    server = await asyncio.start_server(_serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main())
