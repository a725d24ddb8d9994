"""What the enumerations of states and kinds have in common: a stored word may be one of a later version."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

E = TypeVar("E", bound=StrEnum)


def known(states: type[E], word: str) -> E | str:
    """Return the member that a stored word names, or the word as it stands where it names none.

    During a rollout the new version's words meet the old version's code: they must be kept, and compare unequal to
    every state that it knows.
    """
    try:
        return states(word)
    except ValueError:
        return word
