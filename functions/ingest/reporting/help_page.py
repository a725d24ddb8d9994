"""The directorate's guide beside its reports: a page to whose sections the reasons of a report lead.

It is written from ``docs/files.ar.md`` when the functions are packaged, and lies in this package as ``help.html``.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Final

from ingest.objects import Objects
from shared.observability import logger

KEY: Final = "reports/help.html"
PAGE: Final = Path(__file__).with_name("help.html")


def link(report_key: str, code: str) -> str:
    """Return the address of a code's section, as seen from the page of a file's report. report_key: the file's key."""
    return f"{'../' * report_key.count('/')}help.html#{code}"


def layer(objects: Objects, page: Path = PAGE) -> Callable[[], None]:
    """Return what puts the guide into the bucket, where it is missing or of another edition, at its first call.

    It never fails, since a report does not wait for it; what went wrong is logged, and the next process tries again.
    """
    asked = False

    def lay() -> None:
        nonlocal asked
        if asked:
            return
        asked = True
        try:
            content = page.read_bytes()
            edition = sha256(content).hexdigest()
            if objects.edition(KEY) != edition:
                objects.put(KEY, content, "text/html; charset=utf-8", edition=edition)
        except Exception:  # noqa: BLE001 (whatever it is, the report was published)
            logger().exception("the guide was not laid beside the reports")

    return lay
