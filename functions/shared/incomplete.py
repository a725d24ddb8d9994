"""Answers of which something is left out because it cannot be read: damaged, or of a later version."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any

from shared.domain.violation import OTHER
from shared.observability import count, logger
from shared.problem_texts import NOTES


def report(unreadable: Sequence[Exception]) -> None:
    """Let the operator know of what could not be read, if anything: nothing of it is logged but the kinds of error."""
    if unreadable:
        count("ItemsUnreadable", len(unreadable))
        logger().error("items cannot be read", extra={"kinds": sorted({type(error).__name__ for error in unreadable})})


def marked(view: dict[str, Any], unreadable: Sequence[Exception], language: str) -> dict[str, Any]:
    """An answer that says so where something is left out of it, and of which the operator knows."""
    report(unreadable)
    return {**view, "incomplete": True, "note": NOTES["incomplete"][language]} if unreadable else view


def known_or_other(word: str, known: Container[str]) -> str:
    """A stored word if this version knows it, else ``other``."""
    return word if word in known else OTHER
