"""What preflight says: lines, each with how it stands, and where it does not stand well the way out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

OK: Final = "ok"
LOOK: Final = "look"
STOP: Final = "stop"


class Line(NamedTuple):
    """state: of a stop the deployment would fail or do harm; at what is to be looked at, a person decides."""

    state: Literal["ok", "look", "stop"]
    what: str
    why: str
    way_out: str = ""

    def said(self) -> Iterator[str]:
        """Say it, in one line or two."""
        yield f"{self.state:5} {self.what}: {self.why}"
        if self.way_out:
            yield f"      way out: {self.way_out}"
