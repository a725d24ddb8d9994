"""FilterCriteria of an event source mapping.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
"""

import json
from collections.abc import Callable, Mapping
from operator import eq, ge, gt, le, lt
from typing import Any

Pattern = dict[str, Any]

_ABSENT = object()
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {"=": eq, "<": lt, "<=": le, ">": gt, ">=": ge}


class EventFilter:
    """Whether a record is for the function: at least one of the patterns matches, or there are none."""

    def __init__(self, criteria: Mapping[str, Any] | None) -> None:
        """Takes the mapping's FilterCriteria.

        Raises:
            ValueError: a pattern is not JSON or holds an operator that Lambda does not have.
        """
        self._patterns: list[Pattern] = [json.loads(one["Pattern"]) for one in (criteria or {}).get("Filters", [])]
        for pattern in self._patterns:
            _check(pattern)

    def matches(self, record: Mapping[str, Any]) -> bool:
        return not self._patterns or any(_matches(pattern, record) for pattern in self._patterns)


def _check(pattern: Any) -> None:
    if not isinstance(pattern, dict):
        raise ValueError(f"A filter pattern must be an object, not {pattern!r}")
    for key, rule in pattern.items():
        if key == "$or":
            for alternative in rule:
                _check(alternative)
        elif isinstance(rule, dict):
            _check(rule)
        elif not isinstance(rule, list):
            raise ValueError(f"The rule of {key} must be a list, not {rule!r}")
        else:
            for condition in rule:
                if isinstance(condition, dict) and (len(condition) != 1 or condition.keys() - _OPERATORS.keys()):
                    raise ValueError(f"Lambda has no filter operator {condition!r}")


def _matches(pattern: Pattern, value: Any) -> bool:
    """Every key of the pattern matches; under `$or` at least one of the alternatives."""
    if not isinstance(value, Mapping):
        value = {}
    return all(
        any(_matches(alternative, value) for alternative in rule)
        if key == "$or"
        else _matches(rule, value.get(key))
        if isinstance(rule, dict)
        else _satisfies(rule, value.get(key, _ABSENT))
        for key, rule in pattern.items()
    )


def _satisfies(rule: list[Any], value: Any) -> bool:
    """At least one condition of the rule holds for the value; of a list, for one of its items."""
    values = value if isinstance(value, list) else [value]
    return any(_holds(condition, one) for condition in rule for one in values)


def _holds(condition: Any, value: Any) -> bool:
    if isinstance(condition, dict):
        ((operator, operand),) = condition.items()
        return _OPERATORS[operator](operand, value)
    return _equals(condition, value)


def _equals(expected: Any, value: Any) -> bool:
    # In Python True equals 1; in JSON it does not.
    return isinstance(expected, bool) == isinstance(value, bool) and bool(expected == value)


def _exists(expected: bool, value: Any) -> bool:
    # It is for leaves only: an object is no value.
    return (value is not _ABSENT and not isinstance(value, Mapping)) == expected


def _anything_but(excluded: Any, value: Any) -> bool:
    if value is _ABSENT:
        return False
    return not any(_equals(one, value) for one in (excluded if isinstance(excluded, list) else [excluded]))


def _numeric(comparisons: list[Any], value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    pairs = zip(comparisons[::2], comparisons[1::2], strict=True)
    return all(_COMPARISONS[comparison](value, bound) for comparison, bound in pairs)


def _prefix(prefix: str, value: Any) -> bool:
    return isinstance(value, str) and value.startswith(prefix)


def _suffix(suffix: str, value: Any) -> bool:
    return isinstance(value, str) and value.endswith(suffix)


def _equals_ignore_case(expected: str, value: Any) -> bool:
    return isinstance(value, str) and value.casefold() == expected.casefold()


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "exists": _exists,
    "anything-but": _anything_but,
    "numeric": _numeric,
    "prefix": _prefix,
    "suffix": _suffix,
    "equals-ignore-case": _equals_ignore_case,
}
