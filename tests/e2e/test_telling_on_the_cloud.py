"""Thousands of followers are told through the local cloud: each of what concerns them, once, whatever lies between."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from shared.aws_json import FastClient, Json
from shared.clock import now
from shared.domain.citizen import Vehicle
from shared.domain.plate import GERMAN, Plate
from shared.stores.people.citizens import Citizens
from tests.e2e import files
from tests.support.cloud import ROOT, Cloud, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.cloud, pytest.mark.xdist_group("telling"), pytest.mark.timeout(2400)]

Say = Callable[[str], None]


class Person(NamedTuple):
    """A citizen who follows ``بغداد ز <plate number>``. category: of the vehicle, as far as they said."""

    sub: str
    phone: str
    plate_number: str
    category: str | None = None
    notify: bool = True
    language: str = "en"


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """Prints a figure among the test's dots."""

    def printed(line: str) -> None:
        with capsys.disabled():
            print(f"\n  {line}")

    return printed


@pytest.fixture
def port() -> Iterator[Callable[[Cloud], FastClient]]:
    """Opens the port to a cloud's tables."""
    opened: list[FastClient] = []

    def open_(cloud: Cloud) -> FastClient:
        opened.append(FastClient(cloud.aws_environment()))
        return opened[-1]

    yield open_
    for client in opened:
        for service in list(client._connections):
            client._forget(service)


def follow(call: FastClient, table: str, people: Iterable[Person]) -> None:
    """Link everybody's plate: the first of each kind by the store itself, all others by copies of what it wrote."""
    kinds: dict[tuple[str | None, bool, str], tuple[Person, list[Json]]] = {}
    copies: list[Json] = []
    for person in people:
        kind = person.category, person.notify, person.language
        if kind not in kinds:
            kinds[kind] = person, link(call, table, person)
            continue
        first, written = kinds[kind]
        text = json.dumps(written, ensure_ascii=False)
        for name in ("sub", "phone", "plate_number"):
            text = text.replace(getattr(first, name), getattr(person, name))
        copies += json.loads(text)
    for start in range(0, len(copies), 25):
        puts = [{"PutRequest": {"Item": item}} for item in copies[start : start + 25]]
        assert not call("dynamodb", "BatchWriteItem", {"RequestItems": {table: puts}}).get("UnprocessedItems")


def link(call: FastClient, table: str, person: Person) -> list[Json]:
    """Link one plate through the store; returns the items that came of it."""
    citizens = Citizens(call, table)
    plate = Plate(GERMAN, "11", "ز", person.plate_number)
    citizens.seen_in_person(person.sub, person.phone, person.language)
    vehicle = Vehicle(f"vehicle-{person.sub}", plate.key, person.category, "self", person.notify)
    assert citizens.link(person.sub, vehicle, now()) is None
    keys = [(person.sub, "PROFILE"), (person.sub, f"VEHICLE#{vehicle.vehicle_id}"), (f"P#{plate.key}", person.sub)]
    found = [
        call("dynamodb", "GetItem", {"TableName": table, "Key": {"pk": {"S": pk}, "sk": {"S": sk}}}) for pk, sk in keys
    ]
    return [each["Item"] for each in found]


def items(call: FastClient, table: str) -> Iterator[Json]:
    request: Json = {"TableName": table, "ConsistentRead": True}
    while True:
        page = call("dynamodb", "Scan", request)
        yield from page["Items"]
        if not page.get("LastEvaluatedKey"):
            return
        request["ExclusiveStartKey"] = page["LastEvaluatedKey"]


# ---------------------------------------------------------------- a national day


FOLLOWERS = 6_000
VIOLATIONS = 20_000
FILES = 20
"""One after the other, as sectors send them: a chunk of the whole would take longer than the local cloud lets one."""


def a_national_day() -> tuple[list[Person], list[dict[str, str]], dict[str, dict[str, int]]]:
    """Who follows, the rows of the day's file, and what each follower should be told of: amounts by violation.

    Of half the followed plates one or two violations are new; some plates have two followers, some followers another
    vehicle in mind, or never agreed to SMS; most violations are on plates that nobody follows. No amount is there
    twice: two SMS of the same text would be an hour apart.
    """
    alone = FOLLOWERS * 3 // 4
    people = [
        Person(
            sub=f"ur-day-{number:05}",
            phone=f"+9647{700_000_000 + number}",
            plate_number=str(200_000 + (number if number < alone else (number - alone) // 2 + alone)),
            category="private" if number % 4 == 0 else None,
            notify=number % 50 != 0,
            language=("ar", "ckb", "en")[number % 3],
        )
        for number in range(FOLLOWERS)
    ]
    plates = sorted({person.plate_number for person in people})
    followed = [plate for index, plate in enumerate(plates) for _ in range((1, 2, 0, 0)[index % 4])]
    others = [str(600_000 + number) for number in range(VIOLATIONS - len(followed))]
    in_any_order = [*followed, *others]
    random.Random(20261120).shuffle(in_any_order)
    rows = [
        files.row(
            plate,
            violation_no=f"DAY-{index}",
            amount=str(25_000 + index),
            plate_category="أجرة" if index % 8 == 0 else "خصوصي",
        )
        for index, plate in enumerate(in_any_order)
    ]
    of_plate: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows:
        of_plate[row["plate_number"]].append(row)
    due = {
        person.sub: {
            row["violation_no"]: int(row["amount"])
            for row in of_plate[person.plate_number]
            if person.notify and (person.category is None or row["plate_category"] == "خصوصي")
        }
        for person in people
    }
    return people, rows, due


def amount_told(text: str) -> int:
    """The sum that an SMS names."""
    found = re.search(r"([\d,]+) (?:IQD|دينار|دینار)", text)
    assert found, text
    return int(found[1].replace(",", ""))


def test_a_national_day_tells_every_follower_of_exactly_what_is_due(
    tmp_path: Path, say: Say, port: Callable[[Cloud], FastClient]
) -> None:
    people, rows, due = a_national_day()
    assert len(rows) == VIOLATIONS
    told_of_something = sum(map(bool, due.values()))
    cloud = Cloud.at(tmp_path / "cloud").start()
    try:
        assert cloud.stack
        tables, call = cloud.stack["tables"], port(cloud)
        follow(call, tables["Citizens"], people)
        began = time.monotonic()
        for start in range(0, VIOLATIONS, VIOLATIONS // FILES):
            key = f"live/day-{start}.csv"
            version = cloud.upload(key, files.csv(rows[start : start + VIOLATIONS // FILES]))
            assert cloud.report(key, version, within=120)["counts"]["inserted"] == VIOLATIONS // FILES
        loaded = time.monotonic() - began

        wait_for(lambda: len(cloud.all_sms()) >= told_of_something, 1200, "an SMS for everybody", every=5)
        took = time.monotonic() - began
        messages = wait_for(lambda: ended(call, tables["Messages"]), 120, "no message waits any more", every=5)

        said: defaultdict[str, list[str]] = defaultdict(list)
        for message in messages:
            assert message["status"]["S"] == "sent"
            said[message["sub"]["S"]] += [each["S"] for each in message["said"]["L"]]
        assert {sub: sorted(numbers) for sub, numbers in said.items()} == {
            sub: sorted(violations) for sub, violations in due.items() if violations
        }
        sms = cloud.all_sms()
        assert {person.sub: sum(map(amount_told, sms[person.phone])) for person in people if person.phone in sms} == {
            sub: sum(violations.values()) for sub, violations in due.items() if violations
        }
        assert sum(map(len, sms.values())) == len(messages)
        say(
            f"{VIOLATIONS:,} live violations, {FOLLOWERS:,} followers: loaded in {loaded:.0f} s, "
            f"all {len(messages):,} SMS out in {took:.0f} s"
        )
    finally:
        cloud.stop()


def ended(call: FastClient, table: str) -> list[Json] | None:
    """All messages, once none of them waits."""
    messages = [item for item in items(call, table) if "status" in item]
    return None if any("due" in message for message in messages) else messages


# ---------------------------------------------------------------- a poison record


MODULE = "functions/notify/announce.py"


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    """A tree of its own, in which the function cannot read a violation without a place."""
    root = tmp_path / "faulty"
    root.mkdir()
    for folder in ("functions", "infra", "docs"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "template.yaml", root)
    (root / ".venv").symlink_to(ROOT / ".venv")
    module = root / MODULE
    text = module.read_text()
    assert text.count('"version", "status"\n') == 1
    module.write_text(text.replace('"version", "status"\n', '"version", "status", "place"\n'))
    return root


class FailedRecords(NamedTuple):
    """The bucket of failed records."""

    s3: Any
    bucket: str

    def payloads(self) -> list[Json]:
        """What each object would give to its function again."""
        found = self.s3.list_objects_v2(Bucket=self.bucket).get("Contents", [])
        bodies = [self.s3.get_object(Bucket=self.bucket, Key=each["Key"])["Body"].read() for each in found]
        return [json.loads(json.loads(body)["payload"]) for body in bodies]


def replay(cloud: Cloud) -> tuple[int, str]:
    """The operator's command: its exit code and what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "infra.operator", "--stack", "gharama", "replay", "FailedRecords", "--apply"],
        cwd=cloud.root,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": "functions", **cloud.aws_environment()},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout


def mend(cloud: Cloud) -> None:
    """Deploy the function as it should be: its next environment finds the mended code."""
    shutil.copy(ROOT / MODULE, cloud.root / MODULE)
    for pid in cloud.function_processes("notify.on_violation.handler"):
        os.kill(pid, signal.SIGKILL)


def test_a_poison_record_stops_nobody_else(
    tmp_path: Path, faulty: Path, say: Say, port: Callable[[Cloud], FastClient]
) -> None:
    people = [Person(f"ur-poison-{n:05}", f"+9647{800_000_000 + n}", str(300_000 + n)) for n in range(1_000)]
    rows = [files.row(person.plate_number, violation_no=f"P-{n}") for n, person in enumerate(people)]
    unlucky = people[500]
    rows[500]["place"] = ""
    cloud = Cloud.at(tmp_path / "cloud", faulty).start()
    try:
        assert cloud.stack
        tables, call = cloud.stack["tables"], port(cloud)
        failed = FailedRecords(cloud.aws("s3"), cloud.outputs()["FailedRecordsBucket"])
        follow(call, tables["Citizens"], people)
        began = time.monotonic()
        cloud.upload("live/poison.csv", files.csv(rows))

        sms = wait_for(lambda: len(found := cloud.all_sms()) >= 999 and found, 300, "999 SMS", every=1)
        say(f"1,000 violations, one of them poison: 999 SMS out {time.monotonic() - began:.0f} s after the upload")

        assert {phone: len(texts) for phone, texts in sms.items()} == {
            person.phone: 1 for person in people if person != unlucky
        }
        (payload,) = wait_for(failed.payloads, 30, "the record in the bucket")
        (record,) = payload["Records"]
        key = {"pk": {"S": "P-500"}}
        item = call("dynamodb", "GetItem", {"TableName": tables["Violations"], "Key": key})["Item"]
        assert record["dynamodb"]["Keys"] == key
        assert record["dynamodb"]["NewImage"] == item, "whole"

        assert replay(cloud) == (1, "0 replayed, 1 left\n"), "too early"
        assert failed.payloads() == [payload], "and it still lies there"
        mend(cloud)
        assert replay(cloud) == (0, "1 replayed, 0 left\n")
        wait_for(lambda: cloud.sms(unlucky.phone), 60, "the last SMS")
        assert failed.payloads() == []
        assert {phone: len(texts) for phone, texts in cloud.all_sms().items()} == {person.phone: 1 for person in people}
    finally:
        cloud.stop()


# ---------------------------------------------------------------- many followers of each plate


PLATES, FOLLOWERS_EACH = 200, 50


def count_messages(call: FastClient, table: str) -> int:
    """How many messages about violations stand in the table."""
    request: Json = {
        "TableName": table,
        "Select": "COUNT",
        "ConsistentRead": True,
        "FilterExpression": "attribute_exists(violations)",
    }
    count = 0
    while True:
        page = call("dynamodb", "Scan", request)
        count += page["Count"]
        if not page.get("LastEvaluatedKey"):
            return count
        request["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def test_fifty_followers_of_each_of_two_hundred_plates_beside_a_poison_record(
    tmp_path: Path, faulty: Path, say: Say, port: Callable[[Cloud], FastClient]
) -> None:
    everybody = PLATES * FOLLOWERS_EACH
    people = [
        Person(f"ur-many-{n:05}", f"+9647{900_000_000 + n}", str(400_000 + n // FOLLOWERS_EACH))
        for n in range(everybody)
    ]
    rows = [files.row(str(400_000 + n), violation_no=f"M-{n}") for n in range(PLATES)]
    rows.insert(PLATES // 2, files.row("700000", violation_no="M-poison", place=""))
    cloud = Cloud.at(tmp_path / "cloud", faulty).start()
    try:
        assert cloud.stack
        tables, call = cloud.stack["tables"], port(cloud)
        failed = FailedRecords(cloud.aws("s3"), cloud.outputs()["FailedRecordsBucket"])
        follow(call, tables["Citizens"], people)
        cloud.upload("live/many.csv", files.csv(rows))
        began = time.monotonic()

        wait_for(lambda: count_messages(call, tables["Messages"]) >= everybody, 600, "a message for everybody", every=5)
        say(f"{everybody:,} messages of {PLATES} plates stood {time.monotonic() - began:.0f} s after the upload")
        wait_for(lambda: len(cloud.all_sms()) >= everybody, 1500, "an SMS for everybody", every=5)
        out = time.monotonic() - began
        say(f"their last SMS was out after {out:.0f} s: {everybody / out:.0f} a second")

        messages = wait_for(lambda: ended(call, tables["Messages"]), 120, "no message waits any more", every=5)
        assert sorted((each["sub"]["S"], *(said["S"] for said in each["said"]["L"])) for each in messages) == [
            (person.sub, f"M-{n // FOLLOWERS_EACH}") for n, person in enumerate(people)
        ]
        sms = cloud.all_sms()
        assert {phone: len(texts) for phone, texts in sms.items()} == {person.phone: 1 for person in people}
        (payload,) = wait_for(failed.payloads, 30, "the record in the bucket")
        assert [record["dynamodb"]["Keys"] for record in payload["Records"]] == [{"pk": {"S": "M-poison"}}]
    finally:
        cloud.stop()


# ---------------------------------------------------------------- a day of two dollars


ANSWERS = 24
OF_TWO_DOLLARS = 16
"""Answers at $0.05 that 40% of two dollars pay."""


def test_a_day_of_two_dollars_holds_answers_and_neither_a_reminder_nor_a_receipt(tmp_path: Path) -> None:
    cloud = Cloud.at(tmp_path / "cloud", parameters="SmsSpendDayCap=2").start()
    try:
        askers = [(phone := files.phone(), cloud.token(f"ur-asker-{n}", phone)) for n in range(4)]
        for n in range(ANSWERS):
            asked = {"plate": f"بغداد ز {files.plate_number()}"}
            assert cloud.request("POST", "/v1/queries", asked, token=askers[n % len(askers)][1]).status == 200

        def answered() -> int:
            return sum(len(cloud.sms(phone)) for phone, _ in askers)

        wait_for(lambda: answered() == OF_TWO_DOLLARS, 60, "the answers that the day pays")
        number, phone = files.plate_number(), files.phone()
        token = cloud.token("ur-owner", phone)
        vehicle = {"plate": f"بغداد ز {number}", "relation": "self", "notify": True}
        assert cloud.request("POST", "/v1/vehicles", vehicle, token=token).status == 201
        rises_soon = files.row(number, recorded_at=files.now(-26), occurred_at=files.now(-27))
        version = cloud.upload("backlog/soon.csv", files.csv([rises_soon]))
        assert cloud.report("backlog/soon.csv", version)["counts"]["inserted"] == 1
        cloud.invoke("notify.remind.handler")
        (reminder,) = wait_for(lambda: cloud.sms(phone), 30, "the reminder")
        assert "تذكير" in reminder

        order = {"violations": [rises_soon["violation_no"]], "gateway": "sandbox", "return_url": f"{cloud.url}/"}
        key = {"idempotency-key": "two-dollars"}
        payment = cloud.request("POST", "/v1/payments", order, token=token, headers=key).body
        assert cloud.request("POST", f"/_local/gateway/{payment['payment_id']}/pay").status == 200
        _, receipt = wait_for(lambda: len(found := cloud.sms(phone)) == 2 and found, 30, "the receipt")
        assert "GH-" in receipt

        assert cloud.stack
        held = list(cloud.aws("dynamodb").get_paginator("scan").paginate(TableName=cloud.stack["tables"]["Messages"]))
        waiting = [each for page in held for each in page["Items"] if each.get("status") == {"S": "waiting"}]
        assert [each["kind"]["S"] for each in waiting] == ["query_result"] * (ANSWERS - OF_TWO_DOLLARS)
        assert answered() == OF_TWO_DOLLARS
    finally:
        cloud.stop()
