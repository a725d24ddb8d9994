"""An item that is not as this version writes it is never taken for another: each attribute, of each other type."""

from __future__ import annotations

from typing import Any, Final

import pytest

from shared.domain.violation import FIELDS, NUMBERS
from shared.stores.items import UNREADABLE, pack, readable
from shared.stores.violation_rows import read
from tests.support.build import violation

ITEM: Final = pack({field.attribute: 5 if name in NUMBERS else "text" for name, field in FIELDS.items()})
TYPES: Final[list[dict[str, Any]]] = [
    *({"S": "5"}, {"N": "5"}, {"BOOL": True}, {"NULL": True}, {"L": []}, {"M": {}}, {"SS": ["5"]}, {"B": "NQ=="})
]
ALWAYS: Final = [FIELDS[name].attribute for name in FIELDS if name not in violation()._field_defaults]


@pytest.mark.parametrize("attribute", ITEM)
def test_an_attribute_of_another_type_cannot_be_read(attribute: str) -> None:
    assert read(ITEM)
    for value in TYPES:
        if value.keys() != ITEM[attribute].keys():
            with pytest.raises(UNREADABLE):
                read({**ITEM, attribute: value})


@pytest.mark.parametrize("attribute", ALWAYS)
def test_an_attribute_that_each_has_cannot_be_missing(attribute: str) -> None:
    with pytest.raises(UNREADABLE):
        read({name: value for name, value in ITEM.items() if name != attribute})


def test_an_attribute_that_this_version_does_not_know_is_no_matter() -> None:
    assert read({**ITEM, "later": {"M": {}}}) == read(ITEM)


def test_the_others_are_read_and_why_one_is_not_is_taken() -> None:
    unreadable: list[Exception] = []
    assert [*readable(["1", "x", "3"], int, unreadable)] == [1, 3]
    assert [type(error) for error in unreadable] == [ValueError]
    with pytest.raises(ValueError, match="invalid literal"):
        [*readable(["1", "x"], int, None)]


def test_what_is_no_damage_is_raised() -> None:
    def fail(_: str) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        [*readable(["1"], fail, [])]
