"""Citizens signed in by Ur's own tokens: proof by the registration card, a car that is sold, export and erasure."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from shared.domain.plate import GERMAN, Plate
from tests.e2e import files
from tests.support import ur
from tests.support.cloud import Answer, Cloud, wait_for
from tests.support.ur import Ur

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("cloud")]

CLERK = 99
SECOND_SMS_PROVIDER = "UrSmsUrl=https://127.0.0.1:9/sms"
"""Nobody listens there."""


class Citizen(NamedTuple):
    token: str
    phone: str


class Portal:
    """Ur with its users, and a cloud that asks it and wants proof."""

    def __init__(self, users: Ur, cloud: Cloud) -> None:
        self.users = users.users
        self.cloud = cloud
        self.secrets: list[str] = []
        """What no log may hold."""

    def citizen(self, ur_id: int | None = None) -> Citizen:
        token, phone = f"ur.{secrets.token_hex(24)}", files.phone()
        self.users[token] = {
            "ur_id": ur_id or 1_000 + secrets.randbelow(10**9),
            "phone_num": "0" + phone.removeprefix("+964"),
            "first_name": "زينب-الاسم-الأول",
        }
        self.secrets += [token, phone[4:], "زينب-الاسم-الأول"]
        return Citizen(token, phone)

    def plate(self) -> str:
        number = files.plate_number()
        self.secrets.append(number)
        return number

    def register(self, number: str, registration_no: str, updated_at: str = "") -> None:
        """The directorate's file of registrations with one vehicle."""
        self.secrets.append(registration_no)
        key = f"registry/{secrets.token_hex(6)}.csv"
        version = self.cloud.upload(key, files.card(number, registration_no, updated_at))
        counts = self.cloud.report(key, version)["counts"]
        assert counts["rows"] == counts["inserted"] + counts["updated"] == 1

    def link(self, citizen: Citizen, number: str, registration_no: str | None) -> Answer:
        body = {"plate": f"بغداد ز {number}", "relation": "self", "notify": True}
        proof = {"proof": {"type": "registration", "number": registration_no}} if registration_no else {}
        return self.cloud.request("POST", "/v1/vehicles", {**body, **proof}, token=citizen.token)


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    with ur.serving() as users:
        parameters = f"SignIn=ur UrUserUrl={users.url} DirectorateUrIds={CLERK} {SECOND_SMS_PROVIDER}"
        cloud = Cloud.at(tmp_path_factory.mktemp("ur"), parameters=parameters).start()
        portal = Portal(users, cloud)
        try:
            yield portal
            logged = cloud.logged()
            assert [secret for secret in portal.secrets if secret in logged] == []
        finally:
            cloud.stop()


def test_the_user_of_a_token_asks_and_is_told(portal: Portal) -> None:
    citizen = portal.citizen()
    asked = portal.cloud.request("POST", "/v1/queries", {"plate": f"بغداد ز {portal.plate()}"}, token=citizen.token)
    assert asked.status == 200
    assert wait_for(lambda: portal.cloud.sms(citizen.phone), 15, "the SMS of the answer")


def test_the_second_sms_provider_is_asked_while_the_first_is_away(portal: Portal) -> None:
    assert portal.cloud.stack is not None
    dynamodb, table = portal.cloud.aws("dynamodb"), portal.cloud.stack["tables"]["Messages"]
    sns, second = ({"pk": {"S": f"PROVIDER#{name}"}} for name in ("sns", "ur"))
    dynamodb.put_item(TableName=table, Item={**sns, "away_until": {"S": files.now(1)}})
    try:
        body = {"plate": f"بغداد ز {portal.plate()}"}
        assert portal.cloud.request("POST", "/v1/queries", body, token=portal.citizen().token).status == 200
        failed = wait_for(lambda: dynamodb.get_item(TableName=table, Key=second).get("Item"), 20, "Ur was asked")
        assert failed["failures"] == {"N": "1"}
    finally:
        dynamodb.delete_item(TableName=table, Key=sns)


def test_a_token_that_ur_does_not_know_is_refused(portal: Portal) -> None:
    cloud, revoked = portal.cloud, portal.citizen()
    del portal.users[revoked.token]
    assert cloud.request("GET", "/v1/me").status == 401
    unsigned = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0."  # pragma: allowlist secret
    for token in (revoked.token, "never.issued.by.ur", "short", unsigned):
        assert cloud.request("GET", "/v1/me", token=token).status in (401, 403)
    assert cloud.request("GET", "/v1/health").status == 200


def test_the_directorates_scope_is_that_of_its_staff(portal: Portal) -> None:
    upload = {"origin": "registry", "format": "csv", "encoding": "utf-8", "size": 100}
    clerk, citizen = portal.citizen(CLERK), portal.citizen()
    assert portal.cloud.request("POST", "/v1/uploads", upload, token=clerk.token).status == 201
    refused = portal.cloud.request("POST", "/v1/uploads", upload, token=citizen.token)
    assert (refused.status, refused.body["code"]) == (403, "scope_missing")


@pytest.mark.slow
def test_a_token_that_ur_has_revoked_is_refused_within_a_minute(portal: Portal) -> None:
    citizen = portal.citizen()
    assert portal.cloud.request("GET", "/v1/me", token=citizen.token).status == 200
    del portal.users[citizen.token]
    # The API keeps an answer for sixty seconds; the rest is for a busy machine.
    wait_for(lambda: portal.cloud.request("GET", "/v1/me", token=citizen.token).status in (401, 403), 90, "a refusal")


def test_the_card_proves_and_what_is_proved_is_shown(portal: Portal) -> None:
    cloud, number = portal.cloud, portal.plate()
    key = f"backlog/{secrets.token_hex(6)}.csv"
    cloud.report(key, cloud.upload(key, files.csv([files.row(number, place="شارع-السعدون")])))
    portal.register(number, f"س-{number}")
    owner, stranger = portal.citizen(), portal.citizen()

    asked = cloud.request("POST", "/v1/queries", {"plate": f"بغداد ز {number}"}, token=stranger.token)
    (seen,) = asked.body["violations"]
    assert (seen["place"], len(seen["occurred_at"])) == (None, len("2026-11-26"))
    unproven = portal.link(stranger, number, None)
    assert (unproven.status, unproven.body["proven"]) == (201, False)
    linked = portal.link(owner, number, f"س {number}")
    assert (linked.status, linked.body["proven"]) == (201, True)
    told = cloud.request("GET", f"/v1/vehicles/{linked.body['vehicle_id']}/violations", token=owner.token).body
    assert told["items"][0]["place"] == "شارع-السعدون"
    assert "T" in told["items"][0]["occurred_at"]

    family = portal.citizen()
    assert portal.link(family, number, None).status == 201
    wait_for(lambda: any(number[-3:] in text for text in cloud.sms(owner.phone)), 15, "the SMS of a new follower")
    followers = f"/v1/vehicles/{linked.body['vehicle_id']}/followers"
    others = [one for one in cloud.request("GET", followers, token=owner.token).body["items"] if not one["me"]]
    for other in others:
        assert cloud.request("DELETE", f"{followers}/{other['follower_id']}", token=owner.token).status == 204
    assert len(others) == 2
    assert cloud.request("GET", "/v1/vehicles", token=family.token).body["items"] == []


def test_a_car_is_sold(portal: Portal) -> None:
    """Both files, both people, before and after; the seller's proof came before anything was registered."""
    cloud, number = portal.cloud, portal.plate()
    key = f"backlog/{secrets.token_hex(6)}.csv"
    cloud.report(key, cloud.upload(key, files.csv([files.row(number, place="شارع-السعدون")])))
    seller, buyer = portal.citizen(), portal.citizen()

    def place_of(vehicle_id: str, who: Citizen) -> str | None:
        page = cloud.request("GET", f"/v1/vehicles/{vehicle_id}/violations", token=who.token).body
        place: str | None = page["items"][0]["place"]
        return place

    def told(who: Citizen, word: str) -> None:
        said = lambda: any(number[-3:] in text and word in text for text in cloud.sms(who.phone))  # noqa: E731
        wait_for(said, 30, f"an SMS that says {word}")

    waiting = portal.link(seller, number, f"OLD{number}")
    cloud.invoke("notify.links.lapse.handler")  # which finds nothing registered, and looks again in half a year
    assert (waiting.status, waiting.body["proven"], waiting.body["proof_pending"]) == (201, False, True)
    sold = waiting.body["vehicle_id"]
    assert place_of(sold, seller) is None
    portal.register(number, f"OLD{number}", files.now(-365))
    told(seller, "ثبتت")
    assert place_of(sold, seller) == "شارع-السعدون"

    portal.register(number, f"NEW{number}", files.now(-1))
    told(seller, "انتهى")
    bought = portal.link(buyer, number, f"NEW{number}")
    assert (bought.status, bought.body["proven"]) == (201, True)
    assert place_of(sold, seller) is None
    assert cloud.request("GET", f"/v1/vehicles/{sold}/followers", token=seller.token).status == 403
    assert place_of(bought.body["vehicle_id"], buyer) is None  # it happened before the number stood
    assert cloud.request("DELETE", f"/v1/vehicles/{sold}", token=seller.token).status == 204


def test_the_number_of_a_new_card_takes_effect(portal: Portal) -> None:
    number = portal.plate()
    portal.register(number, f"OLD{number}", files.now(-365))
    portal.register(number, f"NEW{number}", files.now(-1))
    assert portal.link(portal.citizen(), number, f"OLD{number}").status == 422
    assert portal.link(portal.citizen(), number, f"NEW{number}").status == 201


def test_wrong_numbers_stop_who_tries_them_and_never_the_owner(portal: Portal) -> None:
    number = portal.plate()
    portal.register(number, f"RIGHT{number}")
    for citizen in (portal.citizen() for _ in range(2)):
        statuses = [portal.link(citizen, number, f"WRONG{attempt}").status for attempt in range(10)]
        assert statuses == [422] * 10
        stopped = portal.link(citizen, number, f"RIGHT{number}")
        assert (stopped.status, stopped.body["code"]) == (429, "proofs_quota")
        assert 0 <= int(stopped.headers["retry-after"]) <= 24 * 3600
    assert "SuspiciousProofs" in portal.cloud.logged()
    assert portal.link(portal.citizen(), number, f"RIGHT{number}").status == 201


def test_a_citizen_reads_out_what_is_kept_and_erases_it(portal: Portal) -> None:
    cloud, number, citizen = portal.cloud, portal.plate(), portal.citizen()
    assert cloud.request("POST", "/v1/queries", {"plate": f"بغداد ز {number}"}, token=citizen.token).status == 200
    assert portal.link(citizen, number, f"NO{number}").body["proof_pending"] is True
    given_up = portal.link(citizen, portal.plate(), f"NO{number}").body["vehicle_id"]
    assert cloud.request("DELETE", f"/v1/vehicles/{given_up}", token=citizen.token).status == 204
    kinds, path = set[str](), "/v1/me/export"
    while path:
        export = cloud.request("GET", path, token=citizen.token)
        assert export.status == 200
        kinds |= {item["kind"] for item in export.body["items"]}
        following = export.body["next_cursor"]
        path = f"/v1/me/export?cursor={following}" if following else ""
    assert {"profile", "vehicle"} <= kinds
    assert cloud.request("DELETE", "/v1/me", token=citizen.token).status == 202
    again = cloud.request("GET", "/v1/vehicles", token=citizen.token)
    assert (again.status, again.body["code"]) == (409, "erasing")
    assert cloud.stack is not None
    citizens, dynamodb = cloud.stack["tables"]["Citizens"], cloud.aws("dynamodb")

    def links() -> list[Any]:
        values = {":plate": {"S": f"P#{Plate(GERMAN, '11', 'ز', number).key}"}}
        asked = {"KeyConditionExpression": "pk = :plate", "ExpressionAttributeValues": values}
        found: list[Any] = dynamodb.query(TableName=citizens, **asked)["Items"]
        return found

    # It begins half a minute later, when no call can be under way that was let in before; it ends two minutes after.
    assert links()
    wait_for(lambda: not links(), 90, "the end of their links")
