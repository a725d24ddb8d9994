"""The data model's page is what the template makes and the stores write and ask."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from typing import Final

import pytest

from infra.docs_tables import DATA_MODEL, with_tables
from shared.domain import plate
from shared.domain.citizen import Follower, Limits, Vehicle
from shared.domain.file import DoneChunk, FileVersion, Plan, Upload
from shared.domain.message import Message, MessageKind, MessageStatus
from shared.domain.payment import LATE_MONEY, Payment, PaymentStatus, Receipt, Return, ReturnState, WaysToPay
from shared.domain.settlement import BatchStatus, Cursor, Entry, SettlementFile, Share
from shared.plate_crypto import PlateCrypto
from shared.stores.files import RELEASE, UNDO, Files, Work
from shared.stores.items import item_key, pack
from shared.stores.messaging.messages import Messages, Telling
from shared.stores.messaging.reminders import Reminders, Stage
from shared.stores.outages import Outages, provider_key
from shared.stores.pausing import PAYMENTS, Pausing, away_key
from shared.stores.paying.payments import Payments
from shared.stores.paying.returns import Returns
from shared.stores.paying.rounds import Round, Rounds
from shared.stores.paying.settlements import Settlements
from shared.stores.paying.wants import Want, Wants
from shared.stores.people.citizens import Citizens
from shared.stores.people.lapses import Check, Lapses
from shared.stores.people.look_ups import Asked, LookUps
from shared.stores.people.profiles import COUNTED, Change, Subject
from shared.stores.people.who_looked import What, WhoLooked
from shared.stores.privacy.erasing import Erasing, Erasures
from shared.stores.privacy.exporting import Person, Tables
from shared.stores.privacy.kept import KINDS
from shared.stores.registry import Registry, Rekeying
from shared.stores.violation_rows import INGEST_ATTRIBUTES
from shared.stores.violations import PAY_ATTRIBUTES, Reindexing
from tests.contract.test_round_trips import filled
from tests.infra.reading import of_type
from tests.support.aws import template
from tests.support.build import CAPS, NOON, registration, reservation
from tests.support.documents import ROOT, read, rows, section
from tests.support.source_tree import Module, SourceTree
from tests.support.written import WrittenItems

PAGE: Final = "docs/data-model.md"
FUNCTIONS: Final = ROOT / "functions"


def spans(cell: str) -> list[str]:
    """What stands as code in a cell."""
    return re.findall(r"`([^`]+)`", cell)


def test_the_tables_are_as_the_template_has_them() -> None:
    assert with_tables(read(PAGE), template()) == read(PAGE), f"run `make docs`: it writes {DATA_MODEL.name}"


# ---------------------------------------------------------------- items


class _Marks(PlateCrypto):
    """Fingerprints that say what they are of."""

    def __init__(self) -> None:
        super().__init__(b"")

    def plate_fingerprints(self, plate_key: str) -> list[str]:
        return ["<plate's fingerprint>"]

    def registry_marks(self, plate_key: str) -> list[str]:
        return ["<plate's fingerprint>"]

    def registry_mark(self, plate_key: str) -> str:
        return "<plate's fingerprint>"

    def citizen_fingerprints(self, sub: str) -> list[str]:
        return ["<who>"]


def written() -> dict[tuple[str, str], set[str]]:
    """The attributes of every kind of item that the stores write, by table and key."""
    port = WrittenItems()
    for write in (_citizens, _files, _messages, _payments, _settlements, _registry, _persons):
        write(port)
    return {**port.items, ("Violations", "<violation no>"): {*INGEST_ATTRIBUTES, *PAY_ATTRIBUTES}}


def _citizens(port: WrittenItems) -> None:
    citizens, look_ups = Citizens(port, "Citizens", lambda _: "<who>"), LookUps(port, "Citizens")
    vehicle = filled(Vehicle, vehicle_id="<vehicle id>", plate_key="<plate key>", proven=True, pending_at=None)
    citizens.choose("<sub>", "+964", "ar", sms=True)
    citizens.admit("<sub>", "+964", "ar", Subject("<plate key>", "mark"), Limits(), NOON)
    citizens.link("<sub>", vehicle, NOON)
    citizens.link("<sub>", vehicle._replace(proven=False, card=None, proved_at=None, pending_at="now"), NOON)
    citizens.count_proof("<sub>", "+964", "ar", "<plate key>", Limits(), NOON)
    citizens.contest("<sub>", vehicle, filled(Follower, vehicle_id="<the other's>"), NOON)
    first_of_day = Change()
    first_of_day.count({}, "2026-11-20", queries=1, mark="mark")
    first_of_day.at_most_plates({}, "2026-11-20", 1)
    port.write({"Update": first_of_day.request("Citizens", item_key("<sub>", "PROFILE"))})
    asked = Asked("<plate key>", "private")
    port.write(look_ups.query_action("<sub>", "<query id>", asked, NOON))
    port.write(look_ups.answered_action("<sub>", "<plate key>", "answer", NOON))
    who_looked = WhoLooked(port, "Citizens", _Marks())
    who_looked.enter([who_looked.entry_action("<plate key>", What.LOOK_UP, "<sub>", NOON, "<id of what was done>")])
    who_looked.enter_once_a_day("<plate key>", "<sub>", NOON)
    lapses = Lapses(port, "Citizens")
    lapses.renew("<sub>", "<vehicle id>", NOON)
    check = filled(Check, sub="<sub>", vehicle_id="<vehicle id>")
    port.write(lapses.change_action(check, {"lapses_on": "2026-11-20", "check_on": "2026-11-20", "warned": 1}))


def _files(port: WrittenItems) -> None:
    files, version = Files(port, "Files"), FileVersion("<bucket>", "<key>", "v", "1")
    files.claim(version, NOON)
    file_id = version.file_id
    files.plan(file_id, filled(Plan))
    files.all_queued(file_id)
    files.take_finish(file_id, NOON, NOON)
    files.end(file_id, "loaded", "report")
    files.all_published(file_id, "report")
    counts = dict.fromkeys(("inserted", "updated", "unchanged", "stale", "rejected"), 0)
    files.chunk_done(file_id, DoneChunk(1, counts, "notes"), NOON)
    waiting = DoneChunk(1, counts | {"waiting": 1}, "notes")
    files.chunk_done(file_id, waiting, NOON)
    files.load_again(file_id, [waiting])
    files.note_rows(file_id, 1, 1000, NOON)
    for what in (UNDO, RELEASE):
        work = Work(port, "Files", file_id, what, "run")
        work.take(NOON, NOON)
        work.note(100, NOON)
    files.note_feed("now")
    Reindexing(port, "Files", "<set>").keep(0, "V1", done=True)
    files.put_upload(Upload("<upload id>", "sub", "bucket", "key"), NOON)


def _messages(port: WrittenItems) -> None:
    messages = Messages(port, "Messages")
    message = filled(Message, message_id="<message id>")
    messages.tell([Telling(message, ["TOLD#<violation no>#<who>#<kind>"])], NOON)
    messages.tell([Telling(message, ["TOLD#<violation no>#<who>#<kind>#<episode>#<plate key>"])], NOON)
    messages.claim("<message id>", reservation(who="<who>"), CAPS, ["1"])
    messages.claim("<message id>", reservation(who="<who>", kind=MessageKind.FOLLOWER_ADDED), CAPS)
    messages.claim("<message id>", reservation(who="<who>", kind=MessageKind.QUERY_RESULT), CAPS)
    messages.fold(message, message, NOON, NOON)
    messages.sent("<message id>", "sns", "id", NOON)
    messages.end("<message id>", MessageStatus.FAILED, "reason", NOON)
    port.answers["id"] = [{"pk": {"S": "<message id>"}}]
    messages.report("id", MessageStatus.DELIVERED, None, NOON)
    Outages(port, "Messages", provider_key).failed("<provider>", NOON)
    Reminders(port, "Messages").done([Stage("2026-11-20", "<days ahead>")], 0, NOON)


def _payments(port: WrittenItems) -> None:
    payments = Payments(port, "Payments")
    payment = filled(Payment, payment_id="<payment id>", sub="<sub>", gateway="<gateway>", status=PaymentStatus.CREATED)
    payments.create(payment, "<key>", "request", 3, [], NOON)
    late = payment._replace(status=PaymentStatus.EXPIRED)
    payments.change(late, late._replace(status=PaymentStatus.REFUND_DUE), NOON, correction=LATE_MONEY)
    returns, due = Returns(port, "Payments"), filled(Return, payment_id="<payment id>", n=1, state=ReturnState.DUE)
    port.write(returns.put_action(due))
    returns.take(due, NOON, NOON, asks=True)
    returns.not_asked(due)
    wants = Wants(port, "Payments")
    wants.enter(Want("<violation no>", "<payment id>", "cancelled", "now"))
    port.write(wants.decided_action("<violation no>", "<payment id>", "keep", NOON))
    Rounds(port, "Payments").put(Round("<gateway>", "now", "2026-11-20", ("now", "<payment id>"), "now"))
    payments.record_callback("<payment id>", "event", NOON)
    payments.put_ways("<payment id>", filled(WaysToPay), NOON)
    port.write(payments.bind_action(payment, "<its id>"))
    port.write(payments.receipt_action(Receipt("<receipt no>", "<payment id>", 1, "now")))
    for paid in (payment._replace(status=PaymentStatus.PAID), payment._replace(lines=())):
        port.write(payments.correct_receipt_action(paid._replace(receipt_no="<receipt no>"), NOON))
    Pausing(port, "Payments").pause(PAYMENTS, NOON, "reason")
    Pausing(port, "Payments").pause("<gateway>", NOON, "reason")
    Outages(port, "Payments", away_key).failed("<gateway>", NOON)


def _settlements(port: WrittenItems) -> None:
    settlements = Settlements(port, "Settlements")
    entry = Entry("<kind>", "<payment id>", "no", "fib", "now", "now", (Share("1", 1, "7", ""),))
    port.write(settlements.due_action(entry))
    port.answers["DUE#0"] = [settlements.due_action(entry)["Put"]["Item"]]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("shared.stores.paying.settlements.KINDS", {"<kind>"})
        settlements.collect("<batch>", 1)
    settlements.advance(None, Cursor("batch", BatchStatus.OPEN))
    settlements.put_file(SettlementFile("<key>", "sum", 1, 1, "now"))
    settlements.acknowledge("<key>", NOON)


def _registry(port: WrittenItems) -> None:
    registry = Registry(port, "Registry", _Marks())
    registry.write([registration("1", category="<category>")])
    card = {"number": "of before", "version": "", "changed_by": "a line"}
    port.known["Registry"] = [item_key("<plate's fingerprint>", "NUMBER#<category>") | pack(card)]
    registry.write([registration("1", category="<category>")])
    registry.count_wrong("plate", NOON)
    assert [*Rekeying(port, "Registry", _Marks(), "a pass").walk(0, 1)] == [(0, 0)]
    port.write(registry.wait_action("plate", "<sub>", "number", NOON))


def _persons(port: WrittenItems) -> None:
    erasures = Erasures(port, Tables("Citizens", "Messages", "Payments"))
    somebody = Person("<sub>", ["<who>"])
    erasures.begin("<sub>", NOON)
    erasures.unlinked("<sub>", NOON)
    port.item = {name: {"S": name} for name in COUNTED}
    erasures.end(somebody, Erasing("now", "now", None, "ar"), None, NOON)


def items() -> list[list[str]]:
    """The rows of the page's table: table, item, key, attributes, written by, forgotten, store."""
    return rows(section(read(PAGE), "Items"))[1:]


def drawn() -> dict[tuple[str, str], set[str]]:
    """The attributes of every kind of item by table and key, as the page says."""
    found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for table, _, keys, attributes, *_ in items():
        for key in spans(keys):
            found[table.strip("`"), key] |= set(spans(attributes))
    return dict(found)


def test_items_are_as_the_stores_write_them() -> None:
    assert drawn() == written(), PAGE


def test_every_item_that_names_a_person_is_one_that_the_export_and_the_erasure_know() -> None:
    """Whose key or attributes hold a citizen, their fingerprint or phone; what else is known of them is of payments."""
    persons = {
        (table, key)
        for (table, key), attributes in drawn().items()
        if {"sub", "who", "phone", "person"} & attributes or "<sub>" in key or "<who>" in key
    }
    known = {(kind.table, kind.key) for kind in KINDS}
    assert persons <= known, "shared/stores/privacy/kept.py::KINDS"
    assert {key.partition(" / ")[0] for _, key in known - persons} <= {
        "<payment id>",
        "RECEIPT#<receipt no>",
        "KEY#<digest>",
    }
    assert known <= drawn().keys()


def test_an_attribute_of_a_violation_has_one_writer() -> None:
    of_violations = {by: set(spans(attributes)) for table, _, _, attributes, by, *_ in items() if "Violations" in table}
    assert of_violations == {"ingest": INGEST_ATTRIBUTES, "pay": PAY_ATTRIBUTES}, PAGE


def test_what_is_forgotten_expires() -> None:
    wrong = [
        item for _, item, _, attributes, _, forgotten, _ in items() if ("`expires`" in attributes) == (forgotten == "–")
    ]
    assert wrong == []


def test_a_store_says_its_own_keys() -> None:
    for _, item, keys, *_, store in items():
        told = str(ast.get_docstring(ast.parse((FUNCTIONS / f"{store.strip('`')}.py").read_text(encoding="utf-8"))))
        for part in [part for key in spans(keys) for part in key.split(" / ")]:
            assert re.split("[<]", part)[0] in told, f"{store} does not say how {item} begins: {part}"


# ---------------------------------------------------------------- questions


def questions() -> list[list[str]]:
    """The rows of the page's table: table, what, by, method, for."""
    return rows(section(read(PAGE), "Questions"))[1:]


Store = tuple[Module, ast.ClassDef]
"""A class that holds a port to a table, and its module."""


@cache
def stores() -> dict[str, list[Store]]:
    """What holds a port to a table, by name: its class, and the one that it builds on, which is no store by itself."""
    classes = {
        name: (module, found)
        for module in SourceTree(FUNCTIONS).below("shared.stores")
        for name, found in module.definitions.items()
        if isinstance(found, ast.ClassDef)
    }
    holding = {name for name, (_, found) in classes.items() if "self._call = call" in ast.unparse(found)}
    built_on = {name: holding & set(map(ast.unparse, found.bases)) for name, (_, found) in classes.items()}
    alone = holding - {base for bases in built_on.values() for base in bases}
    return {
        name: [classes[each] for each in (name, *bases)] for name, bases in built_on.items() if bases or name in alone
    }


def public_methods() -> Iterator[str]:
    """What stores answer."""
    for name, found in stores().items():
        for node in (node for _, each in found for node in each.body):
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                yield f"{name}.{node.name}"


def modules_of(methods: str) -> list[Module]:
    """The modules in which the methods of a cell stand."""
    return [module for name in spans(methods) for module, _ in stores()[name.partition(".")[0]]]


def test_every_question_is_there() -> None:
    assert sorted(name for *_, methods, _ in questions() for name in spans(methods)) == sorted(public_methods())


def test_every_index_answers_one_in_its_store() -> None:
    indexes = {
        (table, index["IndexName"])
        for table, properties in of_type(template(), "AWS::DynamoDB::Table").items()
        for index in properties.get("GlobalSecondaryIndexes", [])
    }
    used = set()
    for table, _, by, methods, _ in questions():
        for index in {name for name in spans(by) if name not in ("pk", "sk")}:
            used.add((table.strip("`"), index))
            texts = [read("functions/shared/stores/items.py"), *(module.text for module in modules_of(methods))]
            assert any(f'"{index}"' in text for text in texts), f"nothing of {methods} asks {index}"
    assert used == indexes


def test_areas_use_the_stores_that_they_are_said_to() -> None:
    for _, what, _, methods, areas in questions():
        for area in areas.split(", "):
            folder = ROOT / "infra" / "operator" if area == "operator" else FUNCTIONS / area
            text = "".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.py"))
            assert any(module.name in text for module in modules_of(methods)), f"{area} does not ask: {what}"


# ---------------------------------------------------------------- objects and values


def test_every_prefix_of_the_bucket_is_there() -> None:
    told = {prefix for begins, *_ in rows(section(read(PAGE), "Objects"))[1:] for prefix in spans(begins)}
    named = set(re.findall(r"\$\{Uploads\.Arn\}/([a-z-]+/)", read("template.yaml")))
    assert told == named


@pytest.mark.parametrize("row", rows(section(read(PAGE), "Values"))[1:], ids=lambda row: row[0])
def test_a_plate_has_its_key(row: list[str]) -> None:
    family, key, most = (cell.strip("`") for cell in row)
    code, letter = ("21" if family == "kurdistan" else "11"), {"german": "ب", "unified": "A"}.get(family, "")
    series = plate.series(family, code, letter)
    named = key.replace("<governorate>", code).replace("<Arabic letter>", letter).replace("<Latin letter>", letter)
    assert series.key("9" * int(most)) == named.replace("<serial>", "9" * int(most))
    with pytest.raises(plate.PlateError):
        series.key("9" * (int(most) + 1))


def test_every_family_is_there() -> None:
    assert {row[0].strip("`") for row in rows(section(read(PAGE), "Values"))[1:]} == plate.FAMILY_WORDS.keys()
