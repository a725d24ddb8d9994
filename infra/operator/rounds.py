"""Work on a file of the directorate that is done by batches, some at a time, and by one run of a file at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import islice
from typing import Final, TypeVar

from infra.operator.deployment import Deployment
from shared.stores.files import Work

T = TypeVar("T")

LEFT: Final = "left"
"""What a run that was broken off has not done."""

TAKEN_FOR: Final = timedelta(minutes=2)
"""How long a run keeps others away after its last word: longer than a round of batches takes."""


class TakenError(Exception):
    """Another run is at the work. until: up to when at least (a stored text); None where it has taken it over."""

    def __init__(self, until: str | None = None) -> None:
        super().__init__(until)
        self.until = until


def in_rounds(
    deployment: Deployment,
    work: Work,
    batches: Iterator[Sequence[T]],
    do: Callable[[Sequence[T]], Mapping[str, int]],
    so_far: dict[str, int],
    *,
    done: Sequence[str],
    at_once: int,
) -> None:
    """Do batches, so many at once, and note in the ledger how far that came.

    do: returns how many came to what. so_far: such counts, brought up to date after each round, and when this is broken
    off. done: those of them that the ledger counts. Raises TakenError.
    """
    at, noted = deployment.clock(), 0
    if not work.take(at, at + TAKEN_FOR):
        raise TakenError(work.progress().until)

    def counted() -> int:
        return sum(so_far[what] for what in done)

    try:
        with ThreadPoolExecutor(at_once) as pool:
            while some := list(islice(batches, at_once)):
                _round(pool, some, do, so_far)
                if not work.note(counted() - noted, deployment.clock() + TAKEN_FOR):
                    raise TakenError
                noted = counted()
    finally:
        work.let_go(counted() - noted)


def _round(
    pool: ThreadPoolExecutor,
    batches: Sequence[Sequence[T]],
    do: Callable[[Sequence[T]], Mapping[str, int]],
    so_far: dict[str, int],
) -> None:
    """Do some batches at once. What has begun comes to its end and is counted, whatever breaks in."""
    under_way = [pool.submit(do, batch) for batch in batches]
    failed: Exception | None = None
    try:
        for future in under_way:
            future.exception()
    finally:
        for future in under_way:
            if future.cancel():
                continue
            if isinstance(error := future.exception(), Exception):
                failed = failed or error
                continue
            for outcome, count in future.result().items():
                so_far[outcome] += count
    if failed:
        raise failed
