"""Every field of what the stores keep comes back as it was written: one that nobody stores is seen at once.

The values are made from the types of the fields, so that a new field is tried without being named here.
"""

from __future__ import annotations

import types
import typing
from typing import Any, NamedTuple, TypeVar

import pytest

from shared.domain.file import DoneChunk, File, FileStatus, FileVersion
from shared.domain.message import Message, MessageStatus
from shared.domain.payment import Payment
from shared.domain.time import to_text
from shared.domain.violation import FIELDS, OPEN, PAY, Violation
from shared.stores.files import Files
from shared.stores.items import transact
from shared.stores.messaging.messages import Messages
from shared.stores.paying.payments import Payments
from shared.stores.violations import Violations
from tests.support.aws import Engine, Tables
from tests.support.build import CAPS, NOON, PAID_AT, reservation, row

TupleT = TypeVar("TupleT", bound=tuple[Any, ...])


def filled(kind: type[TupleT], **fields: Any) -> TupleT:
    """One of these named tuples whose every field holds a value of its type that is neither empty nor its default."""
    hints = typing.get_type_hints(kind)
    names: tuple[str, ...] = kind._fields  # type: ignore[attr-defined]
    return kind(**{name: fields.get(name, _value(hints[name], position + 2)) for position, name in enumerate(names)})


def _value(hint: Any, seed: int) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        # Of a state or a word, the word: that of a later version must come back too.
        return _value(next(each for each in reversed(arguments) if each is not type(None)), seed)
    if origin is dict:
        return {f"text-{seed}": f"text-{seed + 1}"}
    if origin is tuple:
        return (_value(arguments[0], seed), _value(arguments[0], seed + 1000))
    if isinstance(hint, type) and issubclass(hint, tuple):
        return filled(hint)
    return {bool: True, int: seed, str: f"text-{seed}"}[hint]


def untried(kind: type[tuple[Any, ...]], *read: tuple[Any, ...]) -> list[str]:
    """The fields that hold their default, or nothing, in all of these."""
    names: tuple[str, ...] = kind._fields  # type: ignore[attr-defined]
    defaults: dict[str, Any] = kind._field_defaults  # type: ignore[attr-defined]
    return [
        name
        for name in names
        if all(not getattr(each, name) or getattr(each, name) == defaults.get(name) for each in read)
    ]


class Sample(NamedTuple):
    stored: str
    forgotten: str | None = None
    counted: int = 1


def test_a_field_that_is_not_tried_is_named() -> None:
    assert filled(Sample) == Sample("text-2", "text-3", 4)
    assert untried(Sample, filled(Sample)) == []
    assert untried(Sample, Sample("x"), Sample("y", counted=2)) == ["forgotten"]


@pytest.fixture
def violations(engine: Engine, tables: Tables) -> Violations:
    return Violations(engine.fast(), tables["Violations"])


def test_a_violation(engine: Engine, tables: Tables, violations: Violations) -> None:
    """What the directorate said of one; and of what pay writes of it, a hold on another and a settlement on a third."""
    unsettled = dict.fromkeys(name for name, field in FIELDS.items() if field.writer == PAY)
    said = filled(Violation, violation_no="V1", **unsettled)
    held = said._replace(violation_no="V2", status=OPEN)
    paid = said._replace(violation_no="V3", status=OPEN)
    violations.write([row(said), row(held), row(paid)])
    transact(engine.fast(), [violations.hold(held, "p1"), violations.hold(paid, "p2")])
    transact(engine.fast(), [violations.settle("V3", "p2", 7, PAID_AT, "GH-1")])
    violations.keep_prices({"V2": PAID_AT})
    violations.want({"V2": NOON})
    violations.keep_prices({"V2": "2026-12-01T12:00:00+03:00"})  # the first that was said stays
    expected = {
        "V1": said,
        "V2": held._replace(held_by="p1", held_price_until=PAID_AT, wanted_until=to_text(NOON)),
        "V3": paid._replace(paid_by="p2", paid_amount=7, paid_at=PAID_AT, receipt_no="GH-1"),
    }
    assert violations.get(expected) == expected
    assert {each.violation_no: each for each in violations.of_plate(said.plate_key)} == expected
    assert untried(Violation, *expected.values()) == []


def test_a_payment(engine: Engine, tables: Tables) -> None:
    payments, payment = Payments(engine.fast(), tables["Payments"]), filled(Payment)
    assert payments.create(payment, "key", "request", 3, [], NOON) is None
    assert payments.get(payment.payment_id) == payment
    assert untried(Payment, payment) == []


def test_a_changed_payment(engine: Engine, tables: Tables) -> None:
    payments, before = (
        Payments(engine.fast(), tables["Payments"]),
        Payment("p1", "ur-1", "fib", "created", (), 0, *"123"),
    )
    after = filled(Payment, payment_id="p1", sub="ur-1", status="pending", lines=(), created_at="1")
    payments.create(before, "key", "request", 3, [], NOON)
    assert payments.change(before, after, NOON) is None
    assert payments.get("p1") == after


def test_a_message(engine: Engine, tables: Tables) -> None:
    messages, message = Messages(engine.fast(), tables["Messages"]), filled(Message, attempts=1)
    messages.put(message._replace(status="waiting", attempts=0), NOON)
    assert messages.claim(message.message_id, reservation(), CAPS) is None
    read = messages.get(message.message_id)
    assert read is not None
    assert read == message._replace(status=MessageStatus.SENDING, not_before=read.not_before)
    assert read.not_before > to_text(NOON)
    assert untried(Message, read) == []


def test_a_file(engine: Engine, tables: Tables) -> None:
    files, file = Files(engine.fast(), tables["Files"]), filled(File, state=FileStatus.FAILED, claimed_at=to_text(NOON))
    assert file.plan
    file_id = files.claim(file.version, NOON).version.file_id
    files.plan(file_id, file.plan)
    files.all_queued(file_id)
    done = DoneChunk(1, {"inserted": 5, "updated": 0, "unchanged": 0, "stale": 0, "rejected": 0}, "notes")
    files.chunk_done(file_id, done, NOON)
    assert file.report
    files.end(file_id, FileStatus.NUMBERS_WAIT, file.report)
    files.load_again(file_id, [])
    files.end(file_id, FileStatus.FAILED, file.report)
    files.all_published(file_id, file.report)
    assert files.file(file_id) == file._replace(chunks_done=1, rows_done=5)
    assert untried(File, files.file(file_id)) == []
    assert untried(FileVersion, file.version) == []
    assert [*files.chunks(file_id)] == [done]
