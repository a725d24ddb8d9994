"""The functions' settings: environment variables that the template sets, read when asked for and never at import."""

from __future__ import annotations

import os


def setting(name: str) -> str:
    """The value of a variable. Raises KeyError where the template does not set it for this function."""
    return os.environ[name]


def number(name: str) -> int:
    """The value of a variable that holds a whole number."""
    return int(os.environ[name])


def listed(name: str) -> tuple[str, ...]:
    """The values of a variable that holds a comma-separated list."""
    return tuple(filter(None, os.environ[name].split(",")))
