"""A proof waits for its card, counts while it is true, and ends: over real tables, each turn told once."""

from __future__ import annotations

from typing import Any

import pytest

from shared.access.grant import Access
from shared.domain.rules import OCCURRED, Period, Rules
from shared.policies import RULES
from tests.support import lambda_events as events
from tests.support.asking import ASKED, TYPED, call, on_vehicle
from tests.support.build import OTHER_PLATE, PLATE, SUB, follower, registration, store, violation
from tests.support.functions import Functions, Reply, forget, run

SELLER = {"sub": "ur-seller", "phone_number": "+9647700000001"}
BUYER = {"sub": "ur-buyer", "phone_number": "+9647700000002"}
PLACE = "by the bridge"


def prove(functions: Functions, number: str, **request: Any) -> Reply:
    return functions.link({**ASKED, "proof": {"type": "registration", "number": number}}, **request)


def shown(functions: Functions, vehicle_id: str, claims: dict[str, str]) -> list[tuple[str | None, int]]:
    """Place and length of the instant of each violation that a citizen sees of a vehicle of theirs, newest first."""
    page = on_vehicle(functions, "GET", vehicle_id, "/violations", claims=claims).body
    return [(item["place"], len(item["occurred_at"])) for item in page["items"]]


def told(functions: Functions) -> list[tuple[str, str]]:
    """Who was told which proof's turn, of all that was sent so far."""
    functions.send_due()
    words = {"was right": "right", "is not that of": "wrong", "has ended": "ended"}
    return [(phone, turn) for phone, text in functions.phones.sent for word, turn in words.items() if word in text]


class TestWaiting:
    """A proof that is offered before anything is registered of its plate."""

    @pytest.fixture
    def vehicle_id(self, functions: Functions) -> str:
        reply = prove(functions, "AB12345")
        assert (reply.status, reply.body["proven"], reply.body["proof_pending"]) == (201, False, True)
        vehicle_id: str = reply.body["vehicle_id"]
        return vehicle_id

    def test_gives_no_right(self, functions: Functions, vehicle_id: str) -> None:
        store(functions.violations, violation(place=PLACE))
        assert shown(functions, vehicle_id, {"sub": SUB}) == [(None, 10)]
        assert on_vehicle(functions, "GET", vehicle_id, "/followers").status == 403
        assert functions.access() == Access.LINKED

    def test_is_proven_on_its_next_use_and_told_once(self, functions: Functions, vehicle_id: str) -> None:
        store(functions.violations, violation(place=PLACE))
        functions.registry.write([registration("AB12345")])
        for _ in range(2):
            assert shown(functions, vehicle_id, {"sub": SUB}) == [(PLACE, 25)]
        (listed,) = call(functions, "GET /v1/vehicles").body["items"]
        assert (listed["proven"], listed["proof_pending"]) == (True, False)
        assert [turn for _, turn in told(functions)] == ["right"]
        assert not any(item["sk"]["S"].startswith("PENDING#") for item in functions.tables.items("Registry"))

    def test_that_is_wrong_is_dropped_and_told_once(self, functions: Functions, vehicle_id: str) -> None:
        store(functions.violations, violation(place=PLACE))
        functions.registry.write([registration("CD67890")])
        for _ in range(2):
            assert shown(functions, vehicle_id, {"sub": SUB}) == [(None, 10)]
        assert functions.access() == Access.LINKED
        assert [turn for _, turn in told(functions)] == ["wrong"]
        assert prove(functions, "CD67890").body["proven"] is True

    def test_a_look_up_is_a_use_too(self, functions: Functions, vehicle_id: str) -> None:
        store(functions.violations, violation(place=PLACE))
        functions.registry.write([registration("AB12345")])
        assert functions.ask({"plate": TYPED}).body["violations"][0]["place"] == PLACE

    def test_another_number_takes_its_place(self, functions: Functions, vehicle_id: str) -> None:
        again = prove(functions, "CD67890")
        assert (again.status, again.body["vehicle_id"], again.body["proof_pending"]) == (200, vehicle_id, True)
        functions.registry.write([registration("CD67890")])
        shown(functions, vehicle_id, {"sub": SUB})
        assert functions.access() == Access.PROVEN

    def test_a_link_by_word_may_be_proved_so_later(self, functions: Functions) -> None:
        body = {**ASKED, "plate": f"12 ز {OTHER_PLATE.number}"}
        linked = functions.link(body).body
        assert (linked["proven"], linked["proof_pending"]) == (False, False)
        again = functions.link({**body, "proof": {"type": "registration", "number": "AB12345"}}).body
        assert (again["vehicle_id"], again["proof_pending"]) == (linked["vehicle_id"], True)

    def test_five_wait_and_no_more(
        self, functions: Functions, vehicle_id: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("LINKS_A_DAY", "9")
        forget()
        proof = {"type": "registration", "number": "AB12345"}
        replies = [
            functions.link({"plate": f"11 ز {number}", "relation": "self", "proof": proof}) for number in range(1, 6)
        ]
        assert [reply.status for reply in replies] == [201] * 4 + [409]
        assert replies[-1].body["code"] == "proofs_full"
        assert on_vehicle(functions, "DELETE", vehicle_id).status == 204
        assert not any(
            item["sk"]["S"] == f"PENDING#{SUB}" and item["pk"]["S"] == functions.crypto.plate_fingerprint(PLATE.key)
            for item in functions.tables.items("Registry")
        )
        assert functions.link({"plate": "11 ز 5", "relation": "self", "proof": proof}).status == 201

    def test_where_proof_is_needed_none_waits(self, functions: Functions, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PROOF", "registration")
        forget()
        assert prove(functions, "AB12345").errors == [("proof.number", "proof_wrong")]


class TestSold:
    """The seller proved the car; then the registry gives its plate another number, which is the buyer's."""

    @pytest.fixture
    def seller(self, functions: Functions) -> str:
        functions.registry.write([registration("AB12345")])
        vehicle_id: str = prove(functions, "AB12345", claims=SELLER).body["vehicle_id"]
        return vehicle_id

    def sell(self, functions: Functions, day: str = "2026-11-20") -> None:
        functions.registry.write([registration("NEW7777", at=day)])
        functions.clock.forward(days=1)

    def test_the_seller_sees_no_place_and_no_follower_and_is_told_once(self, functions: Functions, seller: str) -> None:
        store(functions.violations, violation(place=PLACE))
        assert shown(functions, seller, SELLER) == [(PLACE, 25)]
        self.sell(functions)
        buyer = prove(functions, "NEW7777", claims=BUYER).body["vehicle_id"]
        for _ in range(2):
            assert shown(functions, seller, SELLER) == [(None, 10)]
            assert on_vehicle(functions, "GET", seller, "/followers", claims=SELLER).status == 403
        path = {"follower_id": buyer}
        removal = on_vehicle(functions, "DELETE", seller, "/followers/{follower_id}", path=path, claims=SELLER)
        assert (removal.status, removal.body["code"]) == (403, "not_proven")
        assert told(functions) == [(SELLER["phone_number"], "ended")]

    def test_the_buyer_sees_only_what_happened_after(self, functions: Functions, seller: str) -> None:
        self.sell(functions)
        old, new = (violation(f"V{day}", place=PLACE, occurred_at=f"2026-11-{day}T08:00:00+03:00") for day in (19, 21))
        store(functions.violations, old, new)
        buyer = prove(functions, "NEW7777", claims=BUYER).body["vehicle_id"]
        page = on_vehicle(functions, "GET", buyer, "/violations", claims=BUYER).body["items"]
        assert {item["violation_no"]: item["place"] for item in page} == {"V19": None, "V21": PLACE}

    def test_the_buyer_may_remove_the_seller(self, functions: Functions, seller: str) -> None:
        self.sell(functions)
        buyer = prove(functions, "NEW7777", claims=BUYER).body["vehicle_id"]
        followers = on_vehicle(functions, "GET", buyer, "/followers", claims=BUYER).body["items"]
        assert {each["follower_id"]: each["proven"] for each in followers} == {seller: False, buyer: True}
        path = {"follower_id": seller}
        assert on_vehicle(functions, "DELETE", buyer, "/followers/{follower_id}", path=path, claims=BUYER).status == 204
        assert functions.access(sub=SELLER["sub"]) == Access.NONE

    def test_the_sellers_proof_does_not_come_back_with_the_number(self, functions: Functions, seller: str) -> None:
        self.sell(functions, "2026-11-21")
        functions.registry.write([registration("AB12345", at="2026-11-22", dated=True)])
        functions.clock.forward(days=3)
        assert functions.access(sub=SELLER["sub"]) == Access.LINKED
        again = prove(functions, "AB12345", claims=SELLER).body
        assert (again["vehicle_id"], again["proven"]) == (seller, True)
        assert told(functions) == [(SELLER["phone_number"], "ended")]

    def test_a_new_follower_is_told_to_the_owner_of_today_alone(self, functions: Functions, seller: str) -> None:
        self.sell(functions)
        prove(functions, "NEW7777", claims=BUYER)
        functions.link(ASKED, claims={"sub": "ur-stranger", "phone_number": "+9647700000009"})
        functions.send_due()
        phones = [phone for phone, text in functions.phones.sent if "follows plate" in text]
        assert phones == [BUYER["phone_number"]]

    def test_the_sellers_next_sms_names_no_day_of_the_act(self, functions: Functions, seller: str) -> None:
        notify = {"notify": True}
        on_vehicle(functions, "PATCH", seller, body=notify, claims=SELLER)
        functions.announce(functions.opened(violation()))
        self.sell(functions)
        functions.send_due()
        texts = [text for phone, text in functions.phones.sent if phone == SELLER["phone_number"]]
        assert any("new violation" in text for text in texts)
        assert not any("violation of" in text for text in texts)
        assert told(functions).count((SELLER["phone_number"], "ended")) == 1


class TestWalk:
    """After a file of registrations, before anybody uses anything."""

    def walk(self, functions: Functions) -> None:
        run("notify.links.on_registry", events.records([events.queued("{}")]))

    def test_a_seller_is_told_once(self, functions: Functions) -> None:
        functions.registry.write([registration("AB12345")])
        prove(functions, "AB12345", claims=SELLER)
        functions.registry.write([registration("NEW7777", at="2026-11-20")])
        for _ in range(2):
            self.walk(functions)
        assert told(functions) == [(SELLER["phone_number"], "ended")]
        kept = follower(functions.citizens, sub=SELLER["sub"])
        assert kept
        assert (kept.proven, kept.card) == (False, None)

    def test_a_number_that_waited_is_settled_and_told_once(self, functions: Functions) -> None:
        prove(functions, "AB12345", claims=SELLER)
        prove(functions, "NEW7777", claims=BUYER)
        self.walk(functions)
        assert told(functions) == []
        functions.registry.write([registration("NEW7777")])
        for _ in range(2):
            self.walk(functions)
        assert sorted(told(functions)) == [(SELLER["phone_number"], "wrong"), (BUYER["phone_number"], "right")]
        assert [item for item in functions.tables.items("Registry") if "to_walk" in item] == []

    def test_what_cannot_be_read_holds_up_nobody(
        self, functions: Functions, capsys: pytest.CaptureFixture[str]
    ) -> None:
        other = functions.registry.wait_action(OTHER_PLATE.key, "ur-other", "number", functions.clock.at)
        other["Put"]["Item"]["sealed_plate"] = {"S": "0" * 40}
        functions._fast()("dynamodb", "PutItem", other["Put"])
        prove(functions, "AB12345", claims=SELLER)
        functions.registry.write([registration("AB12345"), registration("AB12345", OTHER_PLATE)])
        self.walk(functions)
        assert told(functions) == [(SELLER["phone_number"], "right")]
        assert '"ItemsUnreadable":[1.0]' in capsys.readouterr().out


class TestHearing:
    """What an SMS says to a follower without proof, and to an owner with one."""

    def text(self, functions: Functions, **fields: Any) -> str:
        functions.announce(functions.opened(violation(**fields)))
        functions.send_due()
        return functions.phones.sent[-1][1]

    @pytest.fixture
    def by_act(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The clock of every rule starts with the act."""
        policy = RULES.choice("25/3", "", "2026-11-19", "2026-11-19", "").policy
        assert policy
        rules = Rules([policy._replace(articles=(), period=Period(OCCURRED, days=30), readings=())])
        monkeypatch.setattr("notify.wording.RULES", rules)

    def follow(self, functions: Functions, *, proven: bool) -> None:
        if proven:
            functions.registry.write([registration("AB12345")])
            assert prove(functions, "AB12345").body["proven"]
        else:
            functions.link(ASKED)
        (vehicle,) = functions.citizens.vehicles(SUB)
        functions.citizens.change(SUB, vehicle, vehicle._replace(notify=True))

    def test_the_rise_is_told_to_all_where_its_clock_starts_with_the_recording(self, functions: Functions) -> None:
        self.follow(functions, proven=False)
        said = self.text(functions, occurred_at="2026-11-18T08:00:00+03:00")
        assert "from" in said
        assert "violation of" not in said

    def test_it_is_not_where_the_file_gave_no_recording(self, functions: Functions) -> None:
        self.follow(functions, proven=False)
        same = "2026-11-19T08:00:00+03:00"
        said = self.text(functions, occurred_at=same, recorded_at=same)
        assert "50,000" in said
        assert "from" not in said

    @pytest.mark.usefixtures("by_act")
    def test_nor_where_the_clock_starts_with_the_act(self, functions: Functions) -> None:
        self.follow(functions, proven=False)
        assert "from" not in self.text(functions, occurred_at="2026-11-18T08:00:00+03:00")

    def test_an_owner_hears_the_day_of_the_act_and_the_rise(self, functions: Functions) -> None:
        self.follow(functions, proven=True)
        same = "2026-11-19T08:00:00+03:00"
        said = self.text(functions, occurred_at=same, recorded_at=same)
        assert "violation of 19/11/2026" in said
        assert "from" in said
