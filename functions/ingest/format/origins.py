"""The folders of the bucket that the directorate puts its files into; what a file means hangs on the one it lies in."""

from __future__ import annotations

from typing import Final

LIVE: Final = "live"
"""Violations, of which followers hear."""

BACKLOG: Final = "backlog"
"""Violations, of which nobody hears."""

REGISTRY: Final = "registry"
"""Registration numbers, by which an owner proves a vehicle."""

ORIGINS: Final = (LIVE, BACKLOG, REGISTRY)
