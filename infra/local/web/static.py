"""The console's files."""

import mimetypes
from pathlib import Path

from infra.local.web.messages import Request, Response, message, method_not_allowed

_CONSOLE = Path(__file__).parents[1] / "console"


class Console:
    """Serves the files of the console and nothing else: `/` is its page, `/console/<name>` the rest.

    `upload_origin` is where the page may send files besides its own origin: the endpoint of presigned posts.
    """

    def __init__(self, upload_origin: str) -> None:
        self._files = {f"/console/{path.name}": path for path in _CONSOLE.iterdir()}
        self._files["/"] = self._files.pop("/console/index.html")
        self._headers = (
            # Revalidated each time, so that a new version is seen at once.
            ("Cache-Control", "no-cache"),
            (
                "Content-Security-Policy",
                f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
                f"connect-src 'self' {upload_origin}; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
            ),
            ("Referrer-Policy", "same-origin"),
            ("X-Content-Type-Options", "nosniff"),
        )

    def answer(self, request: Request) -> Response:
        """The file of `request.path`, or 404."""
        path = self._files.get(request.path)
        if path is None:
            return message(404, "Not Found")
        if request.method not in ("GET", "HEAD"):
            return method_not_allowed("GET", "HEAD")
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return Response(200, (("Content-Type", f"{kind}; charset=utf-8"), *self._headers), path.read_bytes())
