"""Pages of lists: a limit, and a cursor that is a position, not a count, so that writes between pages move nothing."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from shared.http import Request, invalid
from shared.plate_crypto import PlateCrypto

PAGE: Final = 50
MAX_PAGE_ITEMS: Final = 100

Position = tuple[str, ...]
Item = TypeVar("Item")

_SEAL: Final = 16  # bytes


class Cursors:
    """The cursors of one list of one citizen: no other list takes them, nor does it take others'.

    They are encrypted: a position holds the very second of a violation, which not everybody may see.
    """

    def __init__(self, crypto: PlateCrypto, *owner: str) -> None:
        self._crypto = crypto
        self._owner = owner

    def seal(self, position: Position) -> str:
        """Seal a position into an opaque text."""
        text = "\x1f".join(position)
        mac = self._mac(text)
        return base64.urlsafe_b64encode(mac + self._crypto.encrypt(text.encode(), mac)).decode().rstrip("=")

    def open(self, cursor: str) -> Position:
        """Open a cursor and return its position. Raises Problem 422 where it is not one of this list's."""
        try:
            sealed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            mac = sealed[:_SEAL]
            text = self._crypto.decrypt(sealed[_SEAL:], mac).decode()
        except ValueError:
            raise invalid("cursor", "cursor_invalid") from None
        if not hmac.compare_digest(mac, self._mac(text)):
            raise invalid("cursor", "cursor_invalid")
        return tuple(text.split("\x1f"))

    def _mac(self, text: str) -> bytes:
        return self._crypto.cursor_fingerprint(*self._owner, text)[:_SEAL].encode()


def asked_limit(request: Request) -> int:
    """Return the page size that a request asks for. Raises Problem 422."""
    limit = request.query.get("limit")
    if limit is None:
        return PAGE
    if not (limit.isascii() and limit.isdigit() and len(limit) <= 3 and 1 <= int(limit) <= MAX_PAGE_ITEMS):
        raise invalid("limit", "wrong_value")
    return int(limit)


def paginate(
    items: Sequence[Item], position: Callable[[Item], Position], cursor: str | None, limit: int, cursors: Cursors
) -> tuple[Sequence[Item], str | None]:
    """Return the page after a cursor of items in falling order of their position, and the next cursor."""
    if cursor:
        after = cursors.open(cursor)
        items = [item for item in items if position(item) < after]
    page = items[:limit]
    return page, cursors.seal(position(page[-1])) if len(items) > limit else None
