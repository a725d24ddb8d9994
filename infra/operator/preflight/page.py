"""The page that is signed before citizens are served: what is open, who may open more, where data lie."""

from __future__ import annotations

from collections.abc import Iterator

from infra.operator.preflight.regional import where_data_lie
from infra.operator.preflight.settings import Settings


def page(settings: Settings) -> Iterator[str]:
    """Say it, a line each; nothing of an environment whose switches nobody has to answer for."""
    if not settings.switches:
        return
    yield f"To be signed before {settings.stack} is deployed"
    yield ""
    yield "what opens the platform, as it is to be, and who may open it further:"
    for name, who in settings.switches.items():
        yield f"  {name + '=' + settings.parameters[name]:24} {who}"
    yield ""
    yield "where plates and phones lie:"
    yield from (f"  {line}" for line in where_data_lie(settings))
    yield ""
    yield "date, name, office, signature: ______________________________________________"
