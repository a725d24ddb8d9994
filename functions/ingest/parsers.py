"""Which parser reads the rows of a file, by the folder that it lies in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ingest.feed import Parser, ViolationParser
from ingest.origins import BACKLOG, LIVE, REGISTRY
from ingest.registrations import RegistrationParser

PARSERS: Final[Mapping[str, type[Parser[Any]]]] = {
    LIVE: ViolationParser,
    BACKLOG: ViolationParser,
    REGISTRY: RegistrationParser,
}
