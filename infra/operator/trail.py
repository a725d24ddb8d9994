"""What happened to a payment, and whose money is to be given back; nothing personal is shown whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from infra.operator.deployment import Deployment
from infra.operator.investigating import enter
from shared.aws_json import Json
from shared.domain.payment import PaymentStatus
from shared.domain.phone import masked
from shared.stores.items import batch_get, item_key, pages
from shared.stores.paying.payment_items import MOVED, SHARDS
from shared.stores.paying.returns import return_key
from shared.stores.paying.wants import Wants
from shared.stores.people.who_looked import What

_TABLE: Final = "Payments"
_TO_DECIDE: Final = (PaymentStatus.REFUND_DUE, PaymentStatus.REVIEW, MOVED)
_PERSONAL: Final[dict[str, Callable[[str], str]]] = {"phone": masked, "sub": lambda text: f"{text[:3]}…"}
_LEFT_OUT: Final = frozenset({"pk", "sk", "redirect_url", "return_url", "live", "unfinished", "day"})


def trail(deployment: Deployment, payment_id: str) -> list[str]:
    """A payment and its events in their order, a line each. Raises KeyError where there is none.

    It is kept that the operator looked at each of its plates, as by :func:`refunds`.
    """
    request: Json = {
        "TableName": deployment.physical[_TABLE],
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": payment_id}},
        "ConsistentRead": True,
    }
    items = list(_query(deployment, request))
    payments = [item for item in items if item["sk"]["S"] == "PAYMENT"]
    if not payments:
        raise KeyError(payment_id)
    returns = [item for item in items if item["sk"]["S"].startswith("RETURN#")]
    others = _in_order(item for item in items if item["sk"]["S"].startswith(("EVENT#", "CALLBACK#")))
    enter(deployment, What.OPERATOR, _plates(payments))
    return [*map(_line, payments), *map(_line, returns), *map(_line, others)]


def _in_order(items: Iterable[Json]) -> Iterator[Json]:
    """By their seconds; of one second, a change after the one that led to it and the callback that caused it."""
    state, waiting = "", sorted(items, key=_moment)
    while waiting:
        same = [item for item in waiting if _moment(item) == _moment(waiting[0])]
        callbacks = [item for item in same if "what" not in item] if state == PaymentStatus.PENDING else []
        following = [item for item in same if "what" in item and item.get("before", {"S": ""})["S"] == state]
        item = (callbacks or following or same)[0]
        waiting.remove(item)
        state = item["what"]["S"] if "what" in item else state
        yield item


def _moment(item: Json) -> str:
    at: str = item["at"]["S"] if "at" in item else item["sk"]["S"]
    return at


def refunds(deployment: Deployment) -> list[str]:
    """The payments whose money is to be given back, looked at or decided about, oldest first, a line each."""
    found = [item for kind in _TO_DECIDE for item in _unfinished(deployment, kind)]
    enter(deployment, What.OPERATOR, _plates(found))
    newest = [return_key(item["pk"]["S"], int(item["returns"]["N"])) for item in found if "returns" in item]
    returns = {item["pk"]["S"]: item for item in batch_get(deployment.call, deployment.physical[_TABLE], newest)}
    oldest_first = sorted(found, key=lambda item: item["created_at"]["S"])
    listed = [line for item in oldest_first for line in _with_return(item, returns.get(item["pk"]["S"]))]
    return [*listed, *_wanted(deployment)]


def _wanted(deployment: Deployment) -> Iterator[str]:
    """What was settled and may have to go back, oldest first."""
    table = deployment.physical[_TABLE]
    wants = sorted(Wants(deployment.call, table).undecided(), key=lambda want: want.at)
    keys = [item_key(payment_id, "PAYMENT") for payment_id in {want.payment_id for want in wants}]
    enter(deployment, What.OPERATOR, _plates(batch_get(deployment.call, table, keys)))
    for want in wants:
        yield "wanted back  " + "  ".join(f"{name}={value}" for name, value in want._asdict().items())


def _with_return(payment: Json, newest: Json | None) -> Iterator[str]:
    yield _line(payment)
    if newest:
        yield f"  {newest['sk']['S']}  {_line(newest)}"


def _plates(payments: Iterable[Json]) -> Iterator[str]:
    """The plates that payments are for."""
    for payment in payments:
        yield from (line["L"][2]["S"] for line in payment["lines"]["L"])


def _unfinished(deployment: Deployment, kind: str) -> Iterator[Json]:
    for shard in range(SHARDS):
        request: Json = {
            "TableName": deployment.physical[_TABLE],
            "IndexName": "Unfinished",
            "KeyConditionExpression": "unfinished = :kind",
            "ExpressionAttributeValues": {":kind": {"S": f"{kind}#{shard}"}},
        }
        for key in _query(deployment, request):
            pair = {"pk": key["pk"], "sk": key["sk"]}
            answer = deployment.call("dynamodb", "GetItem", {"TableName": request["TableName"], "Key": pair})
            if "Item" in answer:
                yield {**answer["Item"], "payment_id": key["pk"]}


def _query(deployment: Deployment, request: Json) -> Iterator[Json]:
    for page in pages(deployment.call, "Query", request):
        yield from page["Items"]


def _line(item: Json) -> str:
    shown = {name: _decoded(name, value) for name, value in sorted(item.items()) if name not in _LEFT_OUT}
    return "  ".join(f"{name}={value}" for name, value in shown.items())


def _decoded(name: str, value: dict[str, Any]) -> Any:
    ((kind, inner),) = value.items()
    if name == "lines" and all("L" in line for line in inner):  # number and amount; a plate follows
        return [[_decoded("", cell) for cell in line["L"][:2]] for line in inner]
    if name in _PERSONAL and kind == "S":
        return _PERSONAL[name](inner)
    if kind == "L":
        return [_decoded("", element) for element in inner]
    return inner
