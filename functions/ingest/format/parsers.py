"""Which parser reads the rows of a file, by the folder that it lies in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ingest.format.origins import BACKLOG, LIVE, REGISTRY
from ingest.format.parser import Parser
from ingest.format.registrations import RegistrationParser
from ingest.format.violations import ViolationParser

PARSERS: Final[Mapping[str, type[Parser[Any]]]] = {
    LIVE: ViolationParser,
    BACKLOG: ViolationParser,
    REGISTRY: RegistrationParser,
}
