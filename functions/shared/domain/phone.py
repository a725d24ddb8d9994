"""Iraqi mobile numbers. Source: the numbering plan of region IQ as in Google's libphonenumber."""

from __future__ import annotations

import re
from typing import Final

from shared.domain.text import clean

_MOBILE: Final = re.compile(r"(?:(?:\+|00)?9640?|0)?(7[3-9][0-9]{8})")
_BETWEEN: Final = str.maketrans("", "", " -‐‒–—−().")


def to_e164(text: str) -> str | None:
    """A mobile number however it is typed as ``+9647701234567``; None for anything that is not an Iraqi mobile."""
    match = _MOBILE.fullmatch(clean(text).translate(_BETWEEN))
    return f"+964{match[1]}" if match else None


def masked(phone: str) -> str:
    """Enough to know one's own number by: ``+964*******567``."""
    return f"{phone[:4]}{'*' * (len(phone) - 7)}{phone[-3:]}"
