"""What paying keeps for the life of a function."""

from __future__ import annotations

import weakref

from pay.ports import gateway


class _Name(str):
    """A text of which it can be seen whether anybody holds it."""


def test_a_name_that_is_no_gateways_is_not_kept() -> None:
    """Anybody may call back under any name, without a token and as often as the API lets them."""
    name = _Name("nobody")
    seen = weakref.ref(name)
    assert gateway(name) is None
    del name
    assert seen() is None
