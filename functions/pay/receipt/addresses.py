"""Where this API is reached from outside."""

from __future__ import annotations

from shared.http import Request
from shared.settings import setting


def public_url(request: Request) -> str:
    """The address given to the stack, or else the one that the call came to.

    The template cannot name the API's own: the API names this function, and neither could be made first.
    """
    return setting("PUBLIC_URL") or f"https://{request.event['requestContext']['domainName']}"


def check_url(request: Request, receipt_no: str) -> str:
    """Where anybody can see whether a receipt is genuine."""
    return f"{public_url(request)}/v1/receipts/{receipt_no}"
