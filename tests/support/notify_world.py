"""From the stream to the phone over tables of its own, with a port and a sender that fail where a test says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Final

from notify.announce import announce, news
from notify.delivery import Outcome, Rules, deliver
from notify.providers import Accepted, PermanentError, TemporaryError, UnknownOutcomeError
from notify.quiet import QuietHours, is_quiet
from notify.reminding import Stores as RemindStores
from notify.reminding import remind
from notify.wording import Stores
from shared.access.accesses import Accesses
from shared.access.proofs import Proofs
from shared.aws_json import AwsError, Call, Json
from shared.domain.message import MessageStatus
from shared.plate_crypto import PlateCrypto
from shared.stores.messaging.caps import Caps
from shared.stores.messaging.messages import Messages
from shared.stores.messaging.reminders import Reminders
from shared.stores.people.citizens import Citizens
from shared.stores.registry import Registry
from shared.stores.violation_rows import Row
from shared.stores.violations import Violations
from tests.support import lambda_events as events
from tests.support.aws import Engine, Tables
from tests.support.build import NOON

DIES_BEFORE: Final = "dies before"
DIES_AFTER: Final = "dies after"
IS_NOT_REACHED: Final = "is not reached"
ANSWER_IS_LOST: Final = "answer is lost"
REFUSES_FOR_NOW: Final = "refuses for now"
REFUSES: Final = "refuses"
PORT_FAULTS: Final = (DIES_BEFORE, DIES_AFTER, IS_NOT_REACHED, ANSWER_IS_LOST)
SENDER_FAULTS: Final = (DIES_BEFORE, DIES_AFTER, ANSWER_IS_LOST, REFUSES_FOR_NOW, REFUSES)
NO_LIMITS: Final = Rules(quiet=None, caps=Caps(10**6, 10**12, 100, 50_000))


class Death(BaseException):
    """The environment is gone in mid-work; nothing of ours may catch this."""


class FaultPort:
    """The port, of which one call goes wrong. calls: the operations so far; of a transaction, how many actions too."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self.calls: list[str] = []
        self.fault: tuple[int, str] | None = None

    def __call__(self, service: str, operation: str, request: Json) -> Json:
        at, how = self.fault or (-1, "")
        actions = len(request.get("TransactItems", ()))
        self.calls.append(f"{operation} of {actions}" if actions else operation)
        if len(self.calls) - 1 != at:
            return self._call(service, operation, request)
        if how == DIES_BEFORE:
            raise Death
        if how == IS_NOT_REACHED:
            raise AwsError("Unreachable", "")
        self._call(service, operation, request)
        if how == DIES_AFTER:
            raise Death
        raise AwsError("Unreachable", "")


class FaultSender:
    """A provider, of which one sending goes wrong. sent: (phone, text) of all that went out. away: fails every one."""

    def __init__(self, name: str = "sns") -> None:
        self.name = name
        self.sent: list[tuple[str, str]] = []
        self.tried = 0
        self.fault: tuple[int, str] | None = None
        self.away = False

    def send(self, phone: str, text: str) -> Accepted:
        at, how = self.fault or (-1, "")
        number, self.tried = self.tried, self.tried + 1
        if self.away:
            raise TemporaryError("unreachable")
        if number == at and how in (DIES_BEFORE, REFUSES_FOR_NOW, REFUSES):
            raise {DIES_BEFORE: Death, REFUSES_FOR_NOW: TemporaryError, REFUSES: PermanentError}[how]("fault")
        self.sent.append((phone, text))
        if number == at:
            raise (Death if how == DIES_AFTER else UnknownOutcomeError)("fault")
        return Accepted(self.name, f"{self.name}-{len(self.sent)}")


class World:
    """Everything between the stream and the phone. now: the time of the next step. rules: may be set."""

    def __init__(self, call: Call, tables: Tables) -> None:
        self.tables = tables
        self.port = FaultPort(call)
        self.sender = FaultSender()
        self.now = NOON
        self.rules = NO_LIMITS
        self.violations = Violations(call, tables["Violations"])
        self.citizens = Citizens(call, tables["Citizens"])
        self.messages = Messages(call, tables["Messages"])
        self._followed = Citizens(self.port, tables["Citizens"])
        crypto, messages = PlateCrypto(b"key"), Messages(self.port, tables["Messages"])
        accesses = Accesses(self.port, tables["Citizens"], tables["Registry"], crypto, needs_proof=False)
        proofs = Proofs(accesses, self._followed, Registry(self.port, tables["Registry"], crypto), messages)
        self._watched = Stores(messages, Violations(self.port, tables["Violations"]), accesses, proofs)
        self._reminders = Reminders(self.port, tables["Messages"])

    def forward(self, **duration: float) -> None:
        self.now += timedelta(**duration)

    def quiet(self, hours: str) -> None:
        self.rules = self.rules._replace(quiet=QuietHours.parse(hours))

    # ------------------------------------------------------------------ steps

    def ingest(self, *rows: Row, holds: bool = False) -> list[Json]:
        """Bring rows into the table; returns those of the stream's records that the mapping's filter lets through."""
        numbers = [row.violation.violation_no for row in rows]
        return self._records(lambda: self.violations.write(rows, holds=holds), numbers)

    def let_go(self, numbers: Sequence[str], file_id: str) -> list[Json]:
        """Let the news go that violations hold back for a file; returns the stream's records of that."""
        return self._records(lambda: self.violations.let_go(numbers, file_id), numbers)

    def _records(self, write: Callable[[], object], numbers: Iterable[str]) -> list[Json]:
        before = {item["pk"]["S"]: item for item in self.tables.items("Violations")}
        write()
        after = {item["pk"]["S"]: item for item in self.tables.items("Violations")}
        told = [number for number in numbers if "tell" in after.get(number, ())]
        return [events.change(before.get(number), after[number]) for number in told]

    def announce(self, records: Iterable[Json]) -> None:
        found = [each for record in records for each in news(record)]
        announce(found, self._followed, self._watched.messages, self.now)

    def send(self, message_id: str) -> Outcome | None:
        return deliver(message_id, self._watched, self.sender, self.rules, self.now)

    def report(self, reference: str) -> None:
        self._watched.messages.report(reference, MessageStatus.DELIVERED, None, self.now)

    def send_due(self) -> list[Outcome]:
        """Each message that is due, given to the sender twice, as a queue may."""
        due = list(self.messages.due(self.now, 1000, held=not is_quiet(self.rules.quiet, self.now)))
        found = []
        for message_id in [*due, *due]:
            with surviving():
                outcome = self.send(message_id)
                if outcome:
                    found.append(outcome)
        return found

    def remind_stores(self) -> RemindStores:
        return RemindStores(self._watched.messages, self._followed, self._watched.violations, self._reminders)

    def remind(self) -> int:
        return remind((7, 1), self.remind_stores(), self.now, lambda: True).put

    # ------------------------------------------------------------------ what came of it

    def all_messages(self) -> list[Json]:
        return [item for item in self.tables.items("Messages") if "status" in item]

    def statuses(self) -> Counter[str]:
        return Counter(item["status"]["S"] for item in self.all_messages())

    def told(self) -> Counter[tuple[str, str, str]]:
        """How many messages tell a citizen of a violation: by citizen, kind and violation."""
        return Counter(
            (item["sub"]["S"], item["kind"]["S"], each["S"])
            for item in self.all_messages()
            for each in item["violations"]["L"]
        )


@contextmanager
def surviving() -> Iterator[None]:
    """What died or failed here comes again later."""
    with suppress(Death, AwsError):
        yield


@contextmanager
def world(engine: Engine) -> Iterator[World]:
    """A world of its own, gone afterwards."""
    tables = Tables(engine.fast())
    try:
        yield World(engine.fast(), tables)
    finally:
        tables.delete()
        engine.hang_up()
