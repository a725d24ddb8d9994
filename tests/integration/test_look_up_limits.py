"""What keeps look-ups few and accounted for: quotas, who looked, and how many calls of tables each makes."""

from __future__ import annotations

from functools import partial

import pytest

from shared.domain.citizen import Limits
from tests.support.asking import ASKED, TYPED, entries
from tests.support.aws import Watched
from tests.support.build import OTHER_PLATE, PLATE, SUB, follow, store, violation
from tests.support.functions import Functions, forget
from tests.support.metrics import counted


def limit(monkeypatch: pytest.MonkeyPatch, **limits: int) -> None:
    for name, value in limits.items():
        monkeypatch.setenv(name, str(value))
    forget()


class TestQuotas:
    def test_queries_are_refused_until_midnight_in_baghdad(
        self, functions: Functions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        limit(monkeypatch, QUERIES_A_DAY=2)
        assert [functions.ask({"plate": TYPED}).status for _ in range(2)] == [200, 200]
        reply = functions.ask({"plate": TYPED})
        assert (reply.status, reply.body["code"]) == (429, "quota_queries")
        assert reply.headers["retry-after"] == str(12 * 3600)
        functions.clock.forward(hours=12)
        assert functions.ask({"plate": TYPED}).status == 200

    def test_different_plates_are_refused_but_not_the_linked(
        self, functions: Functions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        limit(monkeypatch, PLATES_A_DAY=2)
        functions.link(ASKED)
        statuses = [functions.ask({"plate": f"11 {number}"}).status for number in (1, 2, 3, 1)]
        assert statuses == [200, 200, 429, 200]
        assert functions.ask({"plate": "11 9"}).body["code"] == "quota_plates"
        assert functions.ask({"plate": TYPED}).status == 200

    @pytest.mark.parametrize(("text", "status"), [("جديد 5", 422), ("Baghdad A 12345", 409)])
    def test_texts_that_are_not_one_plate_have_a_quota_of_their_own(
        self, functions: Functions, monkeypatch: pytest.MonkeyPatch, text: str, status: int
    ) -> None:
        limit(monkeypatch, QUERIES_A_DAY=1, PLATES_A_DAY=1)
        monkeypatch.setattr("query.ports.Limits", partial(Limits, unreadable=2))
        assert [functions.ask({"plate": text}).status for _ in range(3)] == [status, status, 429]
        refused = functions.ask({"plate": text})
        assert (refused.body["code"], refused.headers["retry-after"]) == ("quota_unreadable", "43200")
        assert [functions.ask({"plate": TYPED}).status for _ in range(2)] == [200, 429]
        functions.clock.forward(hours=12)
        assert functions.ask({"plate": text}).status == status

    def test_what_is_refused_is_counted(
        self, functions: Functions, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        limit(monkeypatch, PLATES_A_DAY=1, LINKS_A_DAY=1)
        assert [functions.ask({"plate": f"11 {number}"}).status for number in (1, 2, 3)] == [200, 429, 429]
        asked = [{"plate": f"11 {number}", "relation": "self"} for number in (1, 2)]
        assert [functions.link(each).status for each in asked] == [201, 429]
        assert counted(capsys.readouterr().out)["QuotaRefused"] == [1, 1, 1]

    def test_who_uses_up_the_plates_three_days_on_end_is_counted_once_a_day(
        self, functions: Functions, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        limit(monkeypatch, PLATES_A_DAY=2)
        rung = []
        for _ in range(4):
            for number in (1, 2, 2, 3, 1):
                functions.ask({"plate": f"11 {number}"})
            rung.append(counted(capsys.readouterr().out)["Harvesters"])
            functions.clock.forward(days=1)
        assert rung == [[], [], [1], [1]]

    def test_links_are_refused(self, functions: Functions, monkeypatch: pytest.MonkeyPatch) -> None:
        limit(monkeypatch, LINKS_A_DAY=1, MAX_VEHICLES=2)
        assert functions.link(ASKED).status == 201
        reply = functions.link({"plate": "11 2", "relation": "self"})
        assert (reply.status, reply.body["code"]) == (429, "quota_links")
        assert functions.link(ASKED).status == 200
        functions.clock.forward(hours=12)
        assert functions.link({"plate": "11 2", "relation": "self"}).status == 201
        functions.clock.forward(hours=24)
        reply = functions.link({"plate": "11 3", "relation": "self"})
        assert (reply.status, reply.body["code"]) == (409, "vehicles_full")

    def test_a_plate_takes_so_many_followers(self, functions: Functions, monkeypatch: pytest.MonkeyPatch) -> None:
        told: list[str] = []
        monkeypatch.setattr("query.vehicles.count", told.append)
        limit(monkeypatch, MAX_FOLLOWERS=2)
        for sub in ("first", "second"):
            follow(functions.citizens, sub)
        reply = functions.link(ASKED)
        assert (reply.status, reply.body["code"]) == (409, "followers_full")
        assert told == ["FollowersFull"]
        assert functions.citizens.vehicles(SUB) == []
        functions.citizens.unlink("first", "vehicle-first", PLATE.key, proven=False)
        assert functions.link(ASKED).status == 201
        assert "retry-after" not in reply.headers

    def test_a_link_that_only_tells_of_several_categories_counts_as_a_look_up(
        self, functions: Functions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Or whether a plate has violations in several could be asked of every plate, without end."""
        limit(monkeypatch, PLATES_A_DAY=1)
        for plate in (PLATE, OTHER_PLATE):
            subjects = [violation(plate_key=plate.key, category=category) for category in ("hire", "private")]
            store(functions.violations, *subjects)
        other = {**ASKED, "plate": f"12 ز {OTHER_PLATE.number}"}
        assert [functions.link(asked).status for asked in (ASKED, ASKED, other)] == [409, 409, 429]


class TestWhoLooked:
    def test_every_look_up_is_kept_without_its_plate(self, functions: Functions) -> None:
        store(functions.violations, violation(category="hire"), violation(category="private"))
        functions.ask({"plate": TYPED})
        functions.ask({"plate": "11 5"})
        functions.ask({"plate": "11 5"})
        kept = entries(functions)
        assert len(kept) == 3
        assert len({item["pk"]["S"] for item in kept}) == 2
        assert {item["what"]["S"] for item in kept} == {"look_up"}
        a_year = functions.clock.at.timestamp() + 366 * 86_400
        assert {int(item["expires"]["N"]) for item in kept} == {int(a_year)}
        assert PLATE.number not in str(kept)
        assert SUB not in str(kept)


def test_the_calls_of_a_look_up_are_few(functions: Functions, monkeypatch: pytest.MonkeyPatch) -> None:
    port = Watched(functions._fast())
    monkeypatch.setattr("query.ports.FastClient", lambda: port)
    functions.ask({"plate": TYPED})
    first_ever = ["UpdateItem", "GetItem", "UpdateItem"]  # whether they were erased today
    assert port.operations == ["GetSecretValue", *first_ever, "Query", "GetItem", "TransactWriteItems"]
    functions.clock.forward(days=1)
    port.operations.clear()
    functions.ask({"plate": TYPED})
    assert port.operations == ["UpdateItem", "UpdateItem", "Query", "GetItem", "TransactWriteItems"]
    port.operations.clear()
    functions.ask({"plate": "11 7"})
    assert port.operations == ["UpdateItem", "Query", "TransactWriteItems"]
    port.operations.clear()
    functions.ask({"plate": "11 7"})
    assert port.operations == ["UpdateItem", "Query", "TransactWriteItems", "TransactWriteItems"]
