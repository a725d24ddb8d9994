"""The plate in a request: free text or parts. What cannot be read is 422; what can be read in several ways is 409."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from query.plate_text import read
from query.views import plate_view
from shared.domain import plate as plates
from shared.domain.plate import GERMAN, AmbiguousPlateError, Plate, PlateError, Reading
from shared.domain.violation import Violation
from shared.http import FieldError, Problem, Request, invalid

_MAX_PART_CHARACTERS: Final = 40
_EXAMPLE: Final = Plate(GERMAN, "11", "ز", "12456").text()
"""A plate as it can be typed."""


def requested_plate(request: Request, body: dict[str, Any]) -> Reading:
    """The plate of a body's ``plate``. Raises Problem naming the part that is wrong, or with the candidates."""
    value = body.get("plate")
    if value is None:
        raise invalid("plate", "missing")
    try:
        if isinstance(value, str):
            return read(value)
        if isinstance(value, dict):
            return _from_parts(value)
    except PlateError as error:
        field = "plate" if isinstance(value, str) else f"plate.{error.field}"
        wrong = FieldError(field, error.code, error.value)
        raise Problem(422, "plate_unreadable", wrong, members={"example": _EXAMPLE}) from None
    except AmbiguousPlateError as error:
        raise ambiguous(error.candidates, request.language) from None
    raise invalid("plate", "wrong_type")


def _from_parts(parts: dict[str, Any]) -> Reading:
    governorate = parts.get("governorate")
    if isinstance(governorate, dict):
        governorate = governorate.get("code")
    category = _text(parts, "category", required=False)
    plate = plates.from_parts(
        _text(parts, "family"),
        _text({"governorate": governorate}, "governorate"),
        _text(parts, "letter", required=False) or None,
        _text(parts, "number"),
    )
    if not category:
        return Reading(plate)
    known = category if category in plates.CATEGORIES else plates.find_category(category)
    if known is None:
        raise PlateError("category_unknown", "category")
    return Reading(plate, known)


def _text(parts: dict[str, Any], name: str, *, required: bool = True) -> str:
    value = parts.get(name)
    if value is None and not required:
        return ""
    if value is None:
        raise invalid(f"plate.{name}", "missing")
    if not isinstance(value, str):
        raise invalid(f"plate.{name}", "wrong_type")
    if len(value) > _MAX_PART_CHARACTERS:
        raise invalid(f"plate.{name}", "too_long")
    return value


def ambiguous(candidates: Iterable[Reading], language: str) -> Problem:
    """Several plates can be meant: the citizen chooses one of the candidates and asks with its parts."""
    views = [plate_view(candidate, language) for candidate in candidates]
    return Problem(409, "plate_ambiguous", members={"candidates": views})


def of_category(reading: Reading, violations: Sequence[Violation], language: str) -> list[Violation]:
    """The violations that count for a reading: of its category and of none.

    Raises Problem 409 where none was named and the plate's number is found in several.
    """
    if reading.category is None:
        categories = sorted({violation.category for violation in violations if violation.category})
        if len(categories) > 1:
            raise ambiguous((Reading(reading.plate, category) for category in categories), language)
    return concerning(reading.category, violations)


def concerning(category: str | None, violations: Sequence[Violation]) -> list[Violation]:
    """The violations of a category and of none; all where none is named."""
    return [violation for violation in violations if category is None or violation.category in (category, None)]
