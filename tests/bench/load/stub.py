"""A stand-in for DynamoDB that keeps and checks the violations it is sent, and costs its callers little.

``python stub.py DELAY_MS [CERTIFICATE]`` prints its port and serves until it is ended, over TLS where it is given
a certificate. Conditions are held as the ones of ingest stand. Beside DynamoDB's operations it knows ``Account``, which
answers what it holds, and ``Reset``, after which it holds nothing.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from functools import cache
from typing import Any, NamedTuple
from zlib import crc32

import orjson

Json = dict[str, Any]
NEW = "attribute_not_exists(pk)"
SAME = "version = :seen"
KEPT = ("version", "hash", "plate", "status", "amount", "changed_by", "inserted_by")
"""What is kept of an item as it came: what ingest asks for."""


class CancelledError(Exception):
    """A transaction of which nothing is done. reasons: one an action."""

    def __init__(self, reasons: list[Json]) -> None:
        super().__init__("TransactionCanceledException")
        self.reasons = reasons


def digest(violation_no: str, plate: str, amount: str, status: str) -> int:
    """What a violation adds to the digest of all: the sum tells whether each came once and as it was."""
    return crc32(f"{violation_no} {plate} {amount} {status}".encode())


class Write(NamedTuple):
    """A write of a transaction. seen: the version that it replaces; None where there may be no item."""

    number: str
    item: Json
    seen: Json | None


class Violations:
    """The table. digest: of what was written for good; writes: how many times something was."""

    def __init__(self) -> None:
        self._items: dict[str, bytes] = {}
        self._digest = self._writes = 0

    def account(self, _: Json) -> Json:
        return {"items": len(self._items), "writes": self._writes, "digest": self._digest}

    def reset(self, _: Json) -> Json:
        self.__init__()  # type: ignore[misc]
        return {}

    def read(self, request: Json) -> Json:
        ((table, asked),) = request["RequestItems"].items()
        numbers = [key["pk"]["S"] for key in asked["Keys"]]
        assert len(set(numbers)) == len(numbers) <= 100
        found = [orjson.Fragment(self._items[number]) for number in numbers if number in self._items]
        return {"Responses": {table: found}, "UnprocessedKeys": {}}

    def transact(self, request: Json) -> Json:
        writes = [_write(action) for action in request["TransactItems"]]
        assert len({write.number for write in writes}) == len(writes) <= 100
        held = list(map(self._holds, writes))
        if not all(held):
            raise CancelledError([{"Code": "None" if each else "ConditionalCheckFailed"} for each in held])
        for write in writes:
            self._keep(write.number, write.item)
        return {}

    def put(self, request: Json) -> Json:
        ((_, puts),) = request["RequestItems"].items()
        assert len(puts) <= 25
        for put in puts:
            item = put["PutRequest"]["Item"]
            self._keep(item["pk"]["S"], item)
        return {"UnprocessedItems": {}}

    def _holds(self, write: Write) -> bool:
        known = self._items.get(write.number)
        if write.seen is None:
            return known is None
        return known is not None and orjson.loads(known)["version"] == write.seen

    def _keep(self, number: str, item: Json) -> None:
        self._digest += digest(number, item["plate"]["S"], item["amount"]["N"], item["status"]["S"])
        self._writes += 1
        kept = {name: item[name] for name in KEPT if name in item}
        self._items[number] = orjson.dumps({"pk": {"S": number}, **kept})


def _write(action: Json) -> Write:
    ((kind, write),) = action.items()
    if kind == "Put":
        assert write["ConditionExpression"] == NEW
        return Write(write["Item"]["pk"]["S"], write["Item"], None)
    assert (kind, write["ConditionExpression"]) == ("Update", SAME)
    values = write["ExpressionAttributeValues"]
    signs = _signs(write["UpdateExpression"], *write["ExpressionAttributeNames"].items())
    assert values.keys() - {":seen"} == set(signs.values())
    return Write(write["Key"]["pk"]["S"], {name: values[sign] for name, sign in signs.items()}, values[":seen"])


@cache
def _signs(expression: str, *aliases: tuple[str, str]) -> dict[str, str]:
    """The placeholder that an update sets each attribute to."""
    sets = expression.partition(" REMOVE ")[0].removeprefix("SET ").split(",")
    names = dict(aliases)
    return {names.get(name, name): sign for name, _, sign in (each.partition("=") for each in sets)}


class Connection(asyncio.Protocol):
    """One client's."""

    def __init__(self, violations: Violations, delay: float) -> None:
        self._delay = delay
        self._received = bytearray()
        self._operations = {
            "batchgetitem": violations.read,
            "transactwriteitems": violations.transact,
            "batchwriteitem": violations.put,
            "account": violations.account,
            "reset": violations.reset,
        }

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end:
            return
        fields = dict(line.lower().split(": ", 1) for line in head.decode().split("\r\n")[1:])
        if "expect" in fields and not body:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if len(body) < int(fields["content-length"]):
            return
        self._received.clear()
        answer = self._answer(fields["x-amz-target"].partition(".")[2], bytes(body))
        asyncio.get_running_loop().call_later(self._delay, self._transport.write, answer)

    def _answer(self, operation: str, body: bytes) -> bytes:
        status = b"200 OK"
        try:
            content = orjson.dumps(self._operations[operation](orjson.loads(body)))
        except CancelledError as cancelled:
            status = b"400 Bad Request"
            content = orjson.dumps({"__type": f"x#{cancelled}", "CancellationReasons": cancelled.reasons})
        return (
            b"HTTP/1.1 %s\r\nServer: Server\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: %d\r\n"
            b"Connection: keep-alive\r\nx-amzn-RequestId: 3KVNOZVXLU65G5P1M0EBR8VTJVVV4KQNSO5AEMVJF66Q9ASUAAJG\r\n"
            b"x-amz-crc32: %d\r\n\r\n%s" % (status, len(content), crc32(content), content)
        )


async def _main() -> None:
    violations = Violations()
    context = None
    if len(sys.argv) > 2:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[2])
    delay = float(sys.argv[1]) / 1000
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(violations, delay), "127.0.0.1", 0, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main())
