"""The conditions of a CloudFormation template, decided for given parameters."""

from collections.abc import Mapping
from typing import Any


def decide(conditions: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, bool]:
    """Whether each condition holds.

    Args:
        conditions: a template's `Conditions`.
        parameters: the value of every parameter that they refer to.

    Raises:
        ValueError: a condition uses something else than Fn::Equals, Not, And, Or, Condition and Ref of a parameter.
    """

    def holds(condition: Any) -> bool:
        match condition:
            case {"Fn::Equals": [left, right]}:
                return bool(value(left) == value(right))
            case {"Fn::Not": [inner]}:
                return not holds(inner)
            case {"Fn::And": list(several)}:
                return all(map(holds, several))
            case {"Fn::Or": list(several)}:
                return any(map(holds, several))
            case {"Condition": str(name)}:
                return holds(conditions[name])
        raise ValueError(f"A condition of the form {condition} is not supported")

    def value(operand: Any) -> Any:
        match operand:
            case {"Ref": str(name)} if name in parameters:
                return parameters[name]
            case str():
                return operand
        raise ValueError(f"An operand of the form {operand} is not supported")

    return {name: holds(condition) for name, condition in conditions.items()}


def choose(value: Any, decided: Mapping[str, bool]) -> Any:
    """A part of a template with the branch taken in every Fn::If.

    Raises:
        KeyError: a condition is not among those decided.
    """
    if isinstance(value, list):
        return [choose(item, decided) for item in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"Fn::If": [str(name), then, otherwise]}:
            return choose(then if decided[name] else otherwise, decided)
    return {key: choose(item, decided) for key, item in value.items()}
