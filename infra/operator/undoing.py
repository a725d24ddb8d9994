"""Undoing what a plan says of a file: by batches, one run of a file at a time.

Each write holds only while its violation is as the file left it. So a run that is broken off is gone on with by the
next one, and a write that was made, and whose answer was lost, is known by what it has left.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain, islice
from typing import Final, NamedTuple

from infra.operator.deployment import Deployment
from infra.operator.rollback import AT_ONCE, RollbackError, Undo
from infra.operator.rounds import LEFT, TakenError, in_rounds
from shared.aws_json import AwsError, Call, Json
from shared.domain.file import File
from shared.stores.files import UNDO, Work
from shared.stores.items import MAX_ACTIONS, is_made, text, transact
from shared.stores.violations import Violations

FORGOTTEN: Final = "forgotten"
RESTORED: Final = "restored"
MEANWHILE: Final = "changed meanwhile"


class _Step(NamedTuple):
    """One violation to be undone. after: the line that has changed it last once that is done; None where it is gone."""

    violation_no: str
    action: Json
    after: str | None


def ledger(deployment: Deployment, file: File) -> Work:
    """What the ledger says of the undoing of a file, for a run of its own."""
    return Work(deployment.call, deployment.physical["Files"], file.version.file_id, UNDO, secrets.token_hex(8))


def apply(deployment: Deployment, file: File, undo: Undo, counts: dict[str, object]) -> None:
    """Undo a file as planned.

    counts: brought up to date after each round, and when this is broken off: how many were forgotten, restored, left
    because others came between (changed meanwhile), and are still to be done (left).
    Raises RollbackError where another run is at it, or has taken it over.
    """
    so_far, planned = {FORGOTTEN: 0, RESTORED: 0, MEANWHILE: 0}, len(undo.inserted) + len(undo.changed)
    violations = Violations(deployment.call, deployment.physical["Violations"])
    steps = _steps(undo, violations)
    try:
        in_rounds(
            deployment,
            ledger(deployment, file),
            iter(lambda: list(islice(steps, MAX_ACTIONS)), []),
            lambda batch: _undo(batch, violations, deployment.call),
            so_far,
            done=(FORGOTTEN, RESTORED),
            at_once=AT_ONCE,
        )
    except TakenError as error:
        if error.until:
            raise RollbackError(f"another run is undoing this file, until {error.until} at least") from None
        raise RollbackError("another run has taken the undoing of this file over") from None
    finally:
        counts |= {**so_far, LEFT: planned - sum(so_far.values())}


def _steps(undo: Undo, violations: Violations) -> Iterator[_Step]:
    return chain(
        (_Step(number, violations.forget(number, ref), None) for number, ref in undo.inserted),
        (_Step(former.identity, violations.restore(former, ref), former.ref) for former, ref in undo.changed),
    )


def _undo(steps: Sequence[_Step], violations: Violations, call: Call) -> dict[str, int]:
    """Undo up to 100 violations in one transaction, but for those that are not as the file left them."""
    waiting, refused = list(steps), list[_Step]()
    while waiting:
        try:
            transact(call, [step.action for step in waiting])
            break
        except AwsError as error:
            if error.condition_failed:
                no = [reason.get("Code") == "ConditionalCheckFailed" for reason in error.reasons]
            elif error.transaction_conflict:
                # Others do not leave one of them alone: the others need not wait for it.
                no = [not is_made(partial(transact, call, [step.action])) for step in waiting]
            else:
                raise
            refused += [step for step, is_refused in zip(waiting, no, strict=True) if is_refused]
            waiting = [step for step, is_refused in zip(waiting, no, strict=True) if not is_refused]
            if error.transaction_conflict:
                break
    counts = {FORGOTTEN: 0, RESTORED: 0, MEANWHILE: 0}
    found = violations.traces([step.violation_no for step in refused]) if refused else {}
    for step in refused:
        # A write that was made, and came again because its answer was lost, is refused as well.
        is_done = text(found.get(step.violation_no, {}), "changed_by") == step.after
        counts[_done(step) if is_done else MEANWHILE] += 1
    for step in waiting:
        counts[_done(step)] += 1
    return counts


def _done(step: _Step) -> str:
    return RESTORED if step.after else FORGOTTEN
