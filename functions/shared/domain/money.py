"""Dinars: whole numbers everywhere. Fils are not in use; a gateway that wants decimals gets them at its own edge."""

from __future__ import annotations

from typing import Final

CURRENCY: Final = "IQD"


def grouped(dinars: int) -> str:
    """With thousands marks, for people: ``1,250,000``."""
    return f"{dinars:,}"
