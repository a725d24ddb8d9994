"""The steps of a look-up alone: what was read is data, which one step says by SMS and another shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pytest

from query.lookup import Recorded, Said, say, show
from query.ports import Feed, Ports
from query.views import assess
from shared.access.accesses import Accesses
from shared.access.grant import Access, Grant
from shared.access.proofs import Proofs
from shared.aws_json import AwsError, Json
from shared.domain.citizen import Limits, Profile
from shared.domain.plate import Reading
from shared.domain.time import to_text
from shared.domain.violation import Violation
from shared.identity import Citizen
from shared.pagination import Cursors
from shared.plate_crypto import PlateCrypto
from shared.stores.messaging.messages import Messages
from shared.stores.people.citizens import Citizens
from shared.stores.people.lapses import Lapses
from shared.stores.people.look_ups import LookUps
from shared.stores.people.who_looked import WhoLooked
from shared.stores.registry import Registry
from shared.stores.violations import Violations
from tests.support.build import NOON, PHONE, PLATE, SUB, violation

CRYPTO: Final = PlateCrypto(b"key")
ASKER: Final = Citizen(SUB, PHONE, frozenset())
AT: Final = to_text(NOON)
OFF: Final = Said("off")


class Port:
    """A port that keeps the transactions it is given; of those that have a condition it refuses what it is told to."""

    def __init__(self, *refused: int) -> None:
        self.transactions: list[list[Json]] = []
        self._refused = refused

    def __call__(self, service: str, operation: str, request: Json) -> Json:
        assert operation == "TransactWriteItems"
        self.transactions.append(request["TransactItems"])
        if self._refused and len(self.transactions) == 1:
            codes = ["ConditionalCheckFailed" if index in self._refused else "None" for index in range(5)]
            raise AwsError("TransactionCanceledException", "no", [{"Code": code} for code in codes])
        return {}

    @property
    def kept(self) -> list[str]:
        """The kinds of what the last transaction keeps."""
        puts = [action.get("Put", action.get("Update", {})) for action in self.transactions[-1]]
        keys = [put.get("Item", put.get("Key", {})) for put in puts]
        return [_kind(key) for key in keys if key]


def _kind(key: Json) -> str:
    if "sk" not in key:
        return "message"
    return "LOOKED" if key["pk"]["S"].startswith("L#") else str(key["sk"]["S"]).partition("#")[0]


def ports(port: Port) -> Ports:
    citizens, messages, registry = Citizens(port, "C"), Messages(port, "M"), Registry(port, "R", CRYPTO)
    accesses = Accesses(port, "C", "R", CRYPTO, needs_proof=False)
    return Ports(
        *(Violations(port, "V"), citizens, LookUps(port, "C"), WhoLooked(port, "C", CRYPTO), messages),
        *(Feed(lambda: None), CRYPTO, Limits(), registry, accesses),
        Proofs(accesses, citizens, registry, messages),
        Lapses(port, "C"),
    )


def recorded(subjects: Sequence[Violation] = (), **fields: Any) -> Recorded:
    unreadable: list[Exception] = []
    violations, outlooks = assess(subjects, AT, unreadable)
    values = {
        "query_id": "0" * 32,
        "reading": Reading(PLATE),
        "at": AT,
        "profile": Profile(PHONE, "en"),
        "violations": violations,
        "outlooks": outlooks,
        "complete": True,
        "grant": Grant(Access.LOOKED_UP),
        "as_of": None,
        "unreadable": unreadable,
    }
    return Recorded(**{**values, **fields})


def shown(what: Recorded, said: Said = OFF) -> dict[str, Any]:
    return show(what, said, Cursors(CRYPTO, SUB, what.query_id), "en")


@pytest.mark.parametrize(
    ("what", "wanted", "phone", "status"),
    [
        (recorded([violation()]), True, PHONE, "queued"),
        (recorded(), True, PHONE, "queued"),
        (recorded(), False, PHONE, "off"),
        (recorded(profile=Profile(PHONE, "en", sms=False)), True, PHONE, "off"),
        (recorded(), True, None, "no_phone"),
        (recorded(complete=False), True, PHONE, "incomplete"),
        (recorded(complete=False), False, PHONE, "off"),
    ],
)
def test_a_look_up_is_kept_with_its_sms_or_without(
    what: Recorded, wanted: bool, phone: str | None, status: str
) -> None:
    port = Port()
    said = say(ports(port), ASKER._replace(phone=phone), what, wanted=wanted, now=NOON)
    assert (said.status, said.parts) == (status, int(status == "queued"))
    assert len(port.transactions) == 1
    assert {"SEEN", "QUERY", "LOOKED"} <= set(port.kept)
    assert ("message" in port.kept) == (status == "queued")


@pytest.mark.parametrize(("refused", "status"), [(0, "same_as_recent"), (1, "limit")])
def test_an_sms_that_is_refused_leaves_the_look_up_kept(refused: int, status: str) -> None:
    port = Port(refused)
    assert say(ports(port), ASKER, recorded(), wanted=True, now=NOON) == Said(status)
    assert sorted(port.kept) == ["LOOKED", "QUERY", "SEEN"]


def test_what_is_shown_comes_of_what_was_read_alone() -> None:
    what = recorded([violation(amount=30_000), violation(amount=20_000)], as_of="2026-11-20T11:00:00+03:00")
    view = shown(what, Said("queued", 1))
    assert (view["query_id"], view["as_of"], view["note"]) == ("0" * 32, "2026-11-20T11:00:00+03:00", None)
    assert (view["totals"]["amount"], view["totals"]["complete"]) == (50_000, True)
    assert view["sms"] == {"status": "queued", "parts": 1}
    assert "incomplete" not in view
    assert shown(recorded())["note"].startswith("No unpaid violation")


def test_what_is_not_whole_is_shown_as_that_and_never_as_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[tuple[str, int]] = []
    monkeypatch.setattr("shared.http.count", lambda name, value: counted.append((name, value)))
    view = shown(recorded(complete=False, unreadable=[KeyError("amount")]))
    assert (view["incomplete"], view["totals"]["complete"]) == (True, False)
    assert view["note"].startswith("Not everything could be shown")
    assert counted == [("ItemsUnreadable", 1)]
