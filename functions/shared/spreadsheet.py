"""Cells of the CSV files that we write, which people open in spreadsheets."""

from __future__ import annotations

from typing import Final

FORMULA_SIGNS: Final = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet take a cell for a formula; a ``'`` before it makes it text."""


def neutral(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula; whoever reads it back takes the mark off again."""
    return "'" + cell if cell.startswith(FORMULA_SIGNS) else cell
