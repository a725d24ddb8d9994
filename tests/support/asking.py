"""What is asked for and looked at by the tests of the citizens' API."""

from __future__ import annotations

from typing import Any, Final

from shared.aws_json import Json
from tests.support.build import PLATE
from tests.support.functions import Functions, Reply

TYPED: Final = f"بغداد ز {PLATE.number}"
ASKED: Final = {"plate": TYPED, "relation": "self"}
OWN: Final = {"sub": "ur-owner", "phone_number": "+9647801234567"}
"""The claims of another citizen."""


def call(functions: Functions, route: str, **request: Any) -> Reply:
    return functions.call("query.api", route, **request)


def on_vehicle(functions: Functions, method: str, vehicle_id: str, rest: str = "", **request: Any) -> Reply:
    path = {"vehicle_id": vehicle_id, **request.pop("path", {})}
    return call(functions, f"{method} /v1/vehicles/{{vehicle_id}}{rest}", path=path, **request)


def entries(functions: Functions) -> list[Json]:
    """What is kept of who looked, by instant."""
    kept = [item for item in functions.tables.items("Citizens") if item["pk"]["S"].startswith("L#")]
    return sorted(kept, key=lambda item: str(item["sk"]["S"]))


UNDISPUTED = {"disputed_count": 0, "disputed_amount": 0, "complete": True}
"""What the totals say of a plate of which nothing is disputed."""
