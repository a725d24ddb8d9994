"""A stand-in for DynamoDB and Secrets Manager that costs its callers nothing: it answers each operation by heart.

``python stub.py`` prints its port and serves until it is ended.
"""

from __future__ import annotations

import asyncio
import json
import zlib

VIOLATIONS = 20


def _violation(number: int) -> dict[str, dict[str, str]]:
    day = f"2026-11-{number % 20 + 1:02}"
    return {
        "pk": {"S": f"BG-2026-{number:06}"},
        "plate": {"S": "DE#11#ز#739418"},
        "code": {"S": "101"},
        "amount": {"N": "50000"},
        "occurred_at": {"S": f"{day}T08:15:00+03:00"},
        "recorded_at": {"S": f"{day}T09:30:00+03:00"},
        "sector_code": {"S": "BG-7"},
        "sector_name": {"S": "قاطع الكرخ"},
        "sector_governorate": {"S": "11"},
        "status": {"S": "open"},
        "version": {"S": f"2026-11-21T09:30:00+03:00#2026-11-21T23:00:00+03:00#{number:09}"},
        "hash": {"S": "5f0c2e5f0c2e5f0c2e5f0c2e5f0c2e5f"},
        "origin": {"S": "live"},
        "category": {"S": "private"},
        "title": {"S": "تجاوز السرعة المحددة"},
        "legal_ref": {"S": "25/3/هـ"},
        "place": {"S": "جسر الجادرية"},
        "changed_by": {"S": f"5f0c2e#{number}"},
        "inserted_by": {"S": f"5f0c2e#{number}"},
    }


_SECRET = {"api_key": "5f0c2e", "callback_key": "5f0c2e", "keys": ["5f0c2e" * 8], "registry": [1, 1]}
"""A gateway's, and the plate key in its first version."""

_PROFILE = {"phone": {"S": "+9647701234567"}, "language": {"S": "ar"}, "linked": {"SS": ["OLD#11#5"]}}
_PAYMENT = {
    "pk": {"S": "5f0c2e5f0c2e5f0c2e5f0c2e5f0c2e"},
    "sub": {"S": "48213"},
    "gateway": {"S": "sandbox"},
    "status": {"S": "paid"},
    "lines": {"L": []},
    "amount": {"N": "50000"},
    "created_at": {"S": "2026-11-21T23:00:00+03:00"},
    "expires_at": {"S": "2026-11-21T23:15:00+03:00"},
    "return_url": {"S": "https://tf.ur.gov.iq/"},
    "language": {"S": "ar"},
    "unanswered": {"BOOL": False},
    "returned": {"L": []},
}
_KNOWN_CALLBACK = {"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"}
_BODIES = {
    "Query": {"Items": [_violation(number) for number in range(VIOLATIONS)], "Count": VIOLATIONS},
    "UpdateItem": {"Attributes": _PROFILE},
    "GetItem": {"Item": {"as_of": {"S": "2026-11-21T23:00:00+03:00"}}},
    "GetSecretValue": {"SecretString": json.dumps(_SECRET)},
}


def _reply(body: object, status: str = "200 OK") -> bytes:
    content = json.dumps(body, ensure_ascii=False).encode()
    head = (
        f"HTTP/1.1 {status}\r\nServer: Server\r\nContent-Type: application/x-amz-json-1.0\r\n"
        f"Content-Length: {len(content)}\r\nConnection: keep-alive\r\n"
        "x-amzn-RequestId: 3KVNOZVXLU65G5P1M0EBR8VTJVVV4KQNSO5AEMVJF66Q9ASUAAJG\r\n"
        f"x-amz-crc32: {zlib.crc32(content)}\r\n\r\n"
    )
    return head.encode() + content


_REPLIES = {operation: _reply(body) for operation, body in _BODIES.items()}
_NOTHING = _reply({})
_OF_PAYMENTS = {"getitem": _reply({"Item": _PAYMENT}), "putitem": _reply(_KNOWN_CALLBACK, "400 Bad Request")}


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
            request = await reader.readexactly(int(fields["content-length"]))
            operation = fields["x-amz-target"].partition(".")[2]
            replies = {name.lower(): reply for name, reply in _REPLIES.items()}
            if b'"payments"' in request:
                replies |= _OF_PAYMENTS
            writer.write(replies.get(operation, _NOTHING))
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def _main() -> None:
    server = await asyncio.start_server(_serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main())
