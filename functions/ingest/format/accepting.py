"""What the directorate accepts of a file although a column of it looks wrong: the way out of a refused column.

Written ``<code>:<column>``, several with commas between them. The column is its English name, or its number from 1,
because the metadata of an object is ASCII.
"""

from __future__ import annotations

import re
from typing import Final

from ingest.format.columns import ALL_COLUMNS

CODES: Final = ("date_kinds_mixed", "date_order_us", "dates_swapped", "numbers_cut", "payment_column_unknown")
"""The codes of :mod:`ingest.format.judging`: what many values of a column say, and no single one."""

_COLUMNS: Final = "|".join(sorted({column.name for column in ALL_COLUMNS}))
PATTERN: Final = f"^({'|'.join(CODES)}):({_COLUMNS}|[1-9][0-9]{{0,2}})$"
"""Matches one acceptance."""

_BETWEEN: Final = re.compile(r"[\s,;]+")


def is_acceptance(text: str) -> bool:
    """Whether a text accepts something."""
    return re.fullmatch(PATTERN, text) is not None


def read_accepted(text: str) -> tuple[str, ...]:
    """Read what is accepted; other words accept nothing, and a refusal says the right ones."""
    return tuple(sorted(set(filter(is_acceptance, _BETWEEN.split(text.lower()))))) if text else ()


def acceptance(code: str, column: str, position: int) -> str:
    """Return the words that accept a column. column: empty for one that is none of ours; position: from 0."""
    return f"{code}:{column or position + 1}"
