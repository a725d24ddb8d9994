"""The sectors learn of what was paid: at once at a counter, then by files that they acknowledge."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any
from urllib.parse import quote_plus

import pytest

from pay.counter import MAX_VIOLATIONS
from pay.payments.returning import reverse
from remit.texts import MAX_ACKNOWLEDGEMENT_BYTES, WORDS
from shared.domain.file import told_under
from shared.domain.settlement import Entry, Share
from shared.domain.violation import CANCELLED, DISPUTED, OPEN, PAID, Violation
from shared.stores.items import transact
from shared.stores.paying.settlements import Settlements
from tests.support import lambda_events as events
from tests.support.aws import Engine
from tests.support.build import PHONE, PLATE, SUB, follow, later, row, store, violation
from tests.support.crashes import Faults
from tests.support.functions import Functions, Reply, run
from tests.support.metrics import counted

CLERK = {"scope": "directorate"}
RETURN_URL = "https://tf.ur.gov.iq/paid"


class Bucket:
    """The uploads bucket."""

    def __init__(self, s3: Any, name: str) -> None:
        self.s3 = s3
        self.name = name

    def listed(self, prefix: str = "") -> list[str]:
        found = self.s3.list_objects_v2(Bucket=self.name, Prefix=prefix).get("Contents", [])
        return sorted(each["Key"] for each in found)

    def read(self, key: str) -> bytes:
        content: bytes = self.s3.get_object(Bucket=self.name, Key=key)["Body"].read()
        return content

    def rows(self, key: str) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.read(key).decode("utf-8-sig"), newline="")))

    def drop(self, key: str, content: bytes) -> str:
        """Put an object; returns the message that the queue gets of it."""
        version = self.s3.put_object(Bucket=self.name, Key=key, Body=content)["VersionId"]
        stored = {"key": quote_plus(key), "size": len(content), "versionId": version, "sequencer": "1"}
        return json.dumps({"Records": [{"s3": {"bucket": {"name": self.name}, "object": stored}}]})


@pytest.fixture
def bucket(engine: Engine, functions: Functions, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    s3 = engine.session.client("s3", endpoint_url=engine.endpoint)
    name = f"{functions.queue.rpartition('/')[2]}-uploads"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": engine.session.region_name})
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    monkeypatch.setenv("UPLOADS_BUCKET", name)
    monkeypatch.setenv("ACKNOWLEDGE_WITHIN_DAYS", "3")
    yield Bucket(s3, name)
    s3.close()


@pytest.fixture
def ledger(engine: Engine, functions: Functions) -> Settlements:
    return Settlements(engine.fast(), functions.tables["Settlements"])


@pytest.fixture
def subjects(functions: Functions) -> list[Violation]:
    """Violations of three sectors on a plate that the citizen follows."""
    follow(functions.citizens)
    made = [
        violation(sector_code="7", sector_governorate="11"),
        violation(sector_code="7", sector_governorate="11", amount=25_000),
        violation(sector_code="7", sector_governorate="12", amount=30_000),
        violation(sector_code="قاطع 1/2", amount=200_000),
    ]
    store(functions.violations, *made)
    return made


def pay(functions: Functions, *subjects: Violation, key: str = "key-00000001") -> str:
    """A payment that was paid; its id."""
    body = {"violations": [each.violation_no for each in subjects], "gateway": "sandbox", "return_url": RETURN_URL}
    payment_id: str = functions.pay(body, key).body["payment_id"]
    functions.gateway.says(payment_id)
    assert functions.callback(payment_id).status == 200
    return payment_id


def settle() -> None:
    run("remit.hourly", events.schedule())


def acknowledge(*messages: str) -> list[str]:
    """Give messages to the function; returns the ids that it reports as failed."""
    answer = run("remit.on_acknowledgement", events.records(map(events.queued, messages)))
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


class TestFiles:
    def test_a_payment_is_told_to_each_of_its_sectors(
        self, functions: Functions, bucket: Bucket, subjects: list[Violation]
    ) -> None:
        payment_id = pay(functions, *subjects)
        receipt_no = functions.payment(payment_id).body["receipt_no"]
        settle()
        folder = "settlements/2026-11-20/12"
        files = [f"{folder}/00-_D9_82_D8_A7_D8_B7_D8_B9_201_2F2.csv", f"{folder}/11-7.csv", f"{folder}/12-7.csv"]
        assert bucket.listed() == sorted([*files, f"{folder}/manifest.json"])
        assert bucket.rows(files[1]) == [
            {
                "entry": "settled",
                "violation_no": subject.violation_no,
                "amount": str(subject.amount),
                "paid_at": "2026-11-20T12:00:00+03:00",
                "reversed_at": "",
                "receipt_no": receipt_no,
                "payment_id": payment_id,
                "gateway": "sandbox",
                "price_held_until": "",
            }
            for subject in subjects[:2]
        ]
        manifest = json.loads(bucket.read(f"{folder}/manifest.json"))
        assert manifest["totals"] == {"lines": 4, "settled": 305_000, "reversed": 0, "amount": 305_000}
        assert [(each["key"], each["amount"], each["sha256"]) for each in manifest["files"]] == [
            (key, amount, sha256(bucket.read(key)).hexdigest())
            for key, amount in zip(files, (200_000, 75_000, 30_000), strict=True)
        ]

    def test_nothing_of_the_payer_or_the_plate_is_told(
        self, functions: Functions, bucket: Bucket, subjects: list[Violation]
    ) -> None:
        pay(functions, *subjects)
        told = str(functions.tables.items("Settlements"))
        settle()
        told += "".join(bucket.read(key).decode() for key in bucket.listed())
        assert [secret for secret in (SUB, PHONE, PLATE.number, "ز") if secret in told] == []

    def test_what_is_not_paid_is_not_told(
        self, functions: Functions, bucket: Bucket, subjects: list[Violation]
    ) -> None:
        body = {"violations": [subjects[0].violation_no], "gateway": "sandbox", "return_url": RETURN_URL}
        functions.pay(body)
        settle()
        assert bucket.listed() == []

    def test_an_entry_of_an_unknown_kind_is_in_no_file_and_rings(
        self,
        engine: Engine,
        bucket: Bucket,
        functions: Functions,
        ledger: Settlements,
        subjects: list[Violation],
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        share = Share("V9", 1_000, "7", "")
        later_kind = Entry("adjusted", "p9", "GH-9", "sandbox", "2026-11-20T12:00:00+03:00", "", (share,))
        transact(engine.fast(), [ledger.due_action(later_kind)])
        settle()
        assert bucket.listed("settlements/") == []
        pay(functions, subjects[0])
        settle()
        written = [row for key in bucket.listed("settlements/") if key.endswith(".csv") for row in bucket.rows(key)]
        assert {row["entry"] for row in written} == {"settled"}
        assert counted(capsys.readouterr().out)["SettlementsUnknown"] == [1, 1]

    def test_repeated_callbacks_are_told_once(
        self, functions: Functions, bucket: Bucket, subjects: list[Violation]
    ) -> None:
        payment_id = pay(functions, subjects[0])
        functions.callback(payment_id)
        settle()
        functions.callback(payment_id)
        functions.clock.forward(hours=1)
        settle()
        assert len([key for key in bucket.listed() if key.endswith(".csv")]) == 1

    def test_money_that_went_back_is_taken_off_the_same_sector_once(
        self, functions: Functions, bucket: Bucket, ledger: Settlements, subjects: list[Violation]
    ) -> None:
        payment_id = pay(functions, subjects[0])
        settle()
        functions.violations.write([row(later(subjects[0], sector_code="9"))])  # another sector has the case now
        functions.clock.forward(hours=30)
        payment = functions.payments.get(payment_id)
        assert payment is not None
        for _ in range(2):
            reverse(payment, functions.stores, functions.clock.at)
            settle()
            functions.clock.forward(hours=1)
        assert bucket.listed("settlements/2026-11-21") == [
            "settlements/2026-11-21/18/11-7.csv", "settlements/2026-11-21/18/manifest.json",
        ]  # fmt: skip
        (line,) = bucket.rows("settlements/2026-11-21/18/11-7.csv")
        assert (line["entry"], line["amount"], line["reversed_at"]) == (
            "reversed", "-50000", "2026-11-21T18:00:00+03:00",
        )  # fmt: skip
        assert json.loads(bucket.read("settlements/2026-11-21/18/manifest.json"))["totals"]["amount"] == -50_000

    @pytest.mark.parametrize("status", [OPEN, PAID, CANCELLED])
    def test_a_later_upload_undoes_nothing(
        self, functions: Functions, bucket: Bucket, subjects: list[Violation], status: str
    ) -> None:
        payment_id = pay(functions, subjects[0])
        before = functions.violations.get([subjects[0].violation_no])[subjects[0].violation_no]
        functions.violations.write([row(later(subjects[0], status=status, amount=1))])
        after = functions.violations.get([subjects[0].violation_no])[subjects[0].violation_no]
        assert (after.status, after.state) == (status, PAID)
        settled = (None, payment_id, 50_000, before.paid_at, before.receipt_no, None, None)
        assert after[-7:] == before[-7:] == settled
        settle()
        (line,) = bucket.rows("settlements/2026-11-20/12/11-7.csv")
        assert line["amount"] == "50000"


class TestAcknowledgements:
    FILE = "settlements/2026-11-20/12/11-7.csv"
    KEY = "settlements-ack/2026-11-20/12/11-7.json"

    @pytest.fixture(autouse=True)
    def _written(self, functions: Functions, bucket: Bucket, subjects: list[Violation]) -> None:
        pay(functions, subjects[0])
        settle()

    def report(self, bucket: Bucket, key: str = KEY) -> dict[str, Any]:
        report: dict[str, Any] = json.loads(bucket.read(f"reports/{key}.json"))
        return report

    def good(self, bucket: Bucket) -> bytes:
        return json.dumps({"sha256": sha256(bucket.read(self.FILE)).hexdigest()}).encode()

    def test_an_acknowledgement_closes_its_file(
        self, functions: Functions, bucket: Bucket, ledger: Settlements
    ) -> None:
        functions.clock.forward(hours=1)
        assert acknowledge(bucket.drop(self.KEY, self.good(bucket))) == []
        report = self.report(bucket)
        assert report.pop("version_id")
        assert report == {
            "status": "acknowledged",
            "key": self.KEY,
            "file": self.FILE,
            "acknowledged_at": "2026-11-20T13:00:00+03:00",
            "error": None,
        }
        functions.clock.forward(days=9)
        assert ledger.unacknowledged(functions.clock.at) == 0

    def test_a_repeat_keeps_the_first_instant(self, functions: Functions, bucket: Bucket) -> None:
        message = bucket.drop(self.KEY, b"\xef\xbb\xbf" + self.good(bucket).upper().replace(b"SHA", b"sha"))
        acknowledge(message)
        functions.clock.forward(hours=1)
        acknowledge(message, message)
        assert self.report(bucket)["acknowledged_at"] == "2026-11-20T12:00:00+03:00"

    @pytest.mark.parametrize(
        ("key", "content", "code"),
        [
            ("settlements-ack/2026-11-20/12/11-8.json", b"{}", "file_unknown"),
            ("settlements-ack/2026-11-20/12/11-7.csv", b"{}", "file_unknown"),
            ("settlements-ack/../../x y.json", b"{}", "file_unknown"),
            ("settlements-ack/", b"", "file_unknown"),
            (KEY, b"", "not_json"),
            (KEY, b"\xff\xfe", "not_json"),
            (KEY, b"[]", "not_json"),
            (KEY, b"{}", "checksum_missing"),
            (KEY, b'{"sha256": 5}', "checksum_missing"),
            (KEY, b'{"sha256": "ab"}', "checksum_differs"),
            (KEY, b" " * (MAX_ACKNOWLEDGEMENT_BYTES + 1), "too_large"),
        ],
    )
    def test_one_that_closes_nothing_says_why_beside_it(
        self, functions: Functions, bucket: Bucket, ledger: Settlements, key: str, content: bytes, code: str
    ) -> None:
        assert acknowledge(bucket.drop(key, content)) == []
        report = self.report(bucket, key)
        assert (report["status"], report["acknowledged_at"]) == ("refused", None)
        assert report["error"] == {"code": code, "message": WORDS[code][0], "message_en": WORDS[code][1]}
        functions.clock.forward(seconds=1)
        assert ledger.unacknowledged(functions.clock.at) == 1

    def test_one_whose_report_cannot_lie_under_its_name_has_it_under_a_digest(self, bucket: Bucket) -> None:
        key = f"settlements-ack/{'x' * (1024 - len('settlements-ack/'))}"
        assert acknowledge(bucket.drop(key, b"{}")) == []
        assert self.report(bucket, told_under(key))["error"]["code"] == "file_unknown"

    def test_one_that_cannot_be_read_comes_again_alone(self, bucket: Bucket) -> None:
        good = events.queued(bucket.drop(self.KEY, self.good(bucket)))
        gone = json.loads(good["body"])
        gone["Records"][0]["s3"]["object"]["versionId"] = "00000000-0000-0000-0000-000000000000"
        bad = events.queued(json.dumps(gone))
        test = events.queued(json.dumps({"Event": "s3:TestEvent"}))
        answer = run("remit.on_acknowledgement", events.records([bad, good, test]))
        assert answer["batchItemFailures"] == [{"itemIdentifier": bad["messageId"]}]
        assert self.report(bucket)["status"] == "acknowledged"

    def test_the_operator_hears_of_those_that_lie_too_long(
        self, functions: Functions, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def told() -> list[float]:
            return counted(capsys.readouterr().out)["SettlementsUnacknowledged"]

        told()
        functions.clock.forward(days=3)
        settle()
        functions.clock.forward(seconds=1)
        settle()
        assert told() == [0, 1]


class TestCounter:
    def check(self, functions: Functions, body: object, claims: dict[str, str] = CLERK) -> Reply:
        return functions.call("pay.api", "POST /v1/settlements/check", body=body, claims=claims)

    def test_a_counter_sees_at_once_how_each_stands(self, functions: Functions, subjects: list[Violation]) -> None:
        at_the_counter = violation(status=PAID, counter_paid_at="2026-11-19T10:00:00+03:00", counter_receipt_no="C-1")
        others = [violation(status=CANCELLED), violation(status=DISPUTED), at_the_counter]
        store(functions.violations, *others)
        payment_id = pay(functions, subjects[0])
        body = {"violations": [subjects[1].violation_no], "gateway": "sandbox", "return_url": RETURN_URL}
        functions.pay(body, "key-00000002")
        asked = [*subjects[:3], *others]
        reply = self.check(functions, {"violations": [*(each.violation_no for each in asked), "never-recorded"]})
        assert reply.status == 200
        items = reply.body["items"]
        assert [item["violation_no"] for item in items] == [*(each.violation_no for each in asked), "never-recorded"]
        assert [item["status"] for item in items] == [
            "paid", "in_payment", "unpaid", "cancelled", "disputed", "paid", "unknown",
        ]  # fmt: skip
        assert items[0] == {
            "violation_no": subjects[0].violation_no,
            "status": "paid",
            "paid_here": True,
            "paid_amount": 50_000,
            "paid_at": "2026-11-20T12:00:00+03:00",
            "receipt_no": functions.payment(payment_id).body["receipt_no"],
        }
        assert items[5] == {
            "violation_no": at_the_counter.violation_no,
            "status": "paid",
            "paid_here": False,
            "paid_amount": None,
            "paid_at": "2026-11-19T10:00:00+03:00",
            "receipt_no": "C-1",
        }
        assert PLATE.number not in str(reply.body)

    def test_digits_of_any_script_are_one_number(self, functions: Functions) -> None:
        store(functions.violations, violation("55012"))
        (item,) = self.check(functions, {"violations": ["٥٥٠١٢ "]}).body["items"]
        assert (item["violation_no"], item["status"]) == ("٥٥٠١٢ ", "unpaid")

    def test_a_hundred_are_one_read_and_one_write(
        self, engine: Engine, functions: Functions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = [violation() for _ in range(MAX_VIOLATIONS)]
        store(functions.violations, *made)
        between = Faults()
        monkeypatch.setattr("pay.ports.FastClient", lambda: between.through(engine.fast()))
        reply = self.check(functions, {"violations": [each.violation_no for each in made]})
        assert {item["status"] for item in reply.body["items"]} == {"unpaid"}
        assert len(reply.body["items"]) == MAX_VIOLATIONS
        assert between.calls == len(("the key of fingerprints", "the violations", "who looked"))

    @pytest.mark.parametrize("scope", ["", "citizen", "directorates"])
    def test_only_the_directorate_may_ask_and_others_are_counted(
        self, functions: Functions, scope: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        reply = self.check(functions, {"violations": ["V1"]}, {"scope": scope})
        assert (reply.status, reply.body["code"]) == (403, "scope_missing")
        assert counted(capsys.readouterr().out) == {"ScopeRefused": [1]}

    @pytest.mark.parametrize(
        ("body", "field", "code"),
        [
            ({}, "violations", "missing"),
            ({"violations": None}, "violations", "missing"),
            ({"violations": "V1"}, "violations", "wrong_type"),
            ({"violations": []}, "violations", "empty"),
            ({"violations": [f"V{n}" for n in range(MAX_VIOLATIONS + 1)]}, "violations", "too_many"),
            ({"violations": ["V1", 5]}, "violations.1", "wrong_type"),
            ({"violations": ["V1", " "]}, "violations.1", "empty"),
            ({"violations": ["\u200f"]}, "violations.0", "empty"),
            ({"violations": ["V" * 33]}, "violations.0", "too_long"),
            ({"violations": ["٥", "5"]}, "violations", "repeated"),
        ],
    )
    def test_what_is_wrong_is_named(self, functions: Functions, body: object, field: str, code: str) -> None:
        reply = self.check(functions, body)
        assert (reply.status, reply.errors) == (422, [(field, code)])
