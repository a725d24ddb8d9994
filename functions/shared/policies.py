"""The rules of money in force, read once from ``policies.json`` beside this module, and handed to the domain as values.

The build has checked the file (:mod:`infra.policies`): here it is believed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from shared.domain.plate import PREFIXES
from shared.domain.rules import FAMILY, Period, Policy, Rules, Window, days_after

FILE: Final = f"{__file__.rpartition('.')[0]}.json"
EARLIEST: Final = "earliest"
"""Of ``warn_by``: people are told of the earliest plausible day."""
_MIDNIGHT: Final = "T00:00:00+03:00"


def rules_of(one: Mapping[str, Any]) -> Rules:
    """Make the rules of one set of the file."""
    policies, windows = map(_policy, one["policies"]), map(_window, one["windows"])
    return Rules(policies, windows, warn_earliest=one["warn_by"] == EARLIEST)


def _policy(row: Mapping[str, Any]) -> Policy:
    return Policy(
        row["id"],
        row["law"],
        row["valid_from"],
        tuple(row["articles"]),
        _period(row),
        row["factor"],
        row["times"],
        _families(row),
        tuple(map(_period, row["readings"])),
    )


def _period(row: Mapping[str, Any]) -> Period:
    return Period(row["basis"], row.get("months", 0), row.get("days", 0))


def _window(row: Mapping[str, Any]) -> Window:
    return Window(
        row["id"],
        row["pay_from"] + _MIDNIGHT,
        days_after(row["pay_until"], 1) + _MIDNIGHT,
        row["pay_until"],
        row.get("recorded_before", ""),
        tuple(row.get("articles", ())),
        _families(row),
        row.get("percent_off", 0),
        row.get("undo_doubling", False),
        row.get("suspend_doubling", False),
    )


def _families(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(f"{PREFIXES[family]}#"[:FAMILY] for family in row.get("families", ()))


with open(FILE, "rb") as _file:
    _document: Final = orjson.loads(_file.read())

RULES: Final = rules_of(_document["sets"][-1])
"""Those of the newest set."""
RELEASED: Final[str] = _document["sets"][-1]["released"]
"""The day of the newest set."""
OBJECTIONS_WHERE: Final[Mapping[str, str]] = _document["objections_where"]
"""Where one objects, by language."""
