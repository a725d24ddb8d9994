"""The emulator's state on disk, seen from within its process: what changed is saved when `POST /_local/save` asks.

The answer is 200 once the state is saved, or nothing has changed since; 507 with the reason where the disk does not
take it. The state is that of one instant: a copy of the process (fork) writes it, while the emulator goes on. What the
emulator stops for is the copy of its page tables, some milliseconds; writing is O(everything that is kept).
"""

import asyncio
import json
import os
import re
import signal
import sys
import traceback
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn

from infra.local.aws.snapshots import Snapshots

SAVE_PATH = "/_local/save"
SAVE_WITHIN = 60  # seconds

_FAILED = 255
_READS = re.compile(rb"(?:\w+\.)?(?:BatchGet|Describe|Get|List|Query|Scan|TransactGet)")

Message = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Callable[[], Awaitable[Message]], Send], Awaitable[None]]


class SavingApp:
    """An ASGI application that also saves the state of the one it wraps. fill: writes the state into a folder.

    lock: the open file that says that this process lives, held by the copies too.
    """

    def __init__(self, app: App, snapshots: Snapshots, fill: Callable[[Path], None], lock: int) -> None:
        self._app = app
        self._snapshots = snapshots
        self._fill = fill
        self._lock = lock
        self._changed = True
        self._began = False
        self._one = asyncio.Lock()

    async def __call__(self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "http" and scope["path"] == SAVE_PATH and scope["method"] == "POST":
            await _answer(send, await self._save())
            return
        try:
            await self._app(scope, receive, send)
        finally:
            # Afterwards: a state that is saved in between may lack what the request changed.
            self._changed = self._changed or changes(scope)

    def save_at_end(self) -> None:
        """Save what has changed, with the emulator at rest. Before the first save there is nothing worth it."""
        if self._began and self._changed:
            self._snapshots.write(self._fill)

    async def _save(self) -> str | None:
        """Save what has changed; why it was not."""
        async with self._one:
            self._began = True
            if not self._changed:
                return None
            self._changed = False
            # Requests are handled in this thread, so that none is half done in the copy.
            pid = os.fork()
            if pid == 0:
                self._write_and_end()
            _, status = await asyncio.to_thread(os.waitpid, pid, 0)
            code = os.waitstatus_to_exitcode(status)
            self._changed = self._changed or code != 0
            if code == 0:
                return None
            return os.strerror(code) if 0 < code < _FAILED else f"see the emulator's log (ended with {code})"

    def _write_and_end(self) -> NoReturn:
        code = _FAILED
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.alarm(SAVE_WITHIN)
            # A connection ends for its client only once it is closed here too.
            os.closerange(3, self._lock)
            os.closerange(self._lock + 1, os.sysconf("SC_OPEN_MAX"))
            self._snapshots.write(self._fill)
            code = 0
        except OSError as error:
            code = error.errno or _FAILED
        except BaseException:  # noqa: BLE001  nothing of this copy may go on
            traceback.print_exc()
            sys.stderr.flush()
        os._exit(code)


def changes(scope: Message) -> bool:
    """Whether a request may change anything, as far as its method and the action that it names tell."""
    if scope["type"] != "http" or scope["method"] in ("GET", "HEAD"):
        return False
    action = dict(scope["headers"]).get(b"x-amz-target", b"")
    return _READS.match(action.rpartition(b".")[2]) is None


def write_states(folder: Path, states: Iterable[tuple[str, Any]], encode: Callable[[Any], Any]) -> None:
    """Write each state as `<name>.json`. encode: what JSON does not know, in values that it does.

    Raises OSError where the disk is full.
    """
    for name, state in states:
        with (folder / f"{name}.json").open("w", encoding="utf-8") as file:
            # dumps is written in C, dump to a file is not.
            file.write(json.dumps(state, default=encode))
            file.flush()
            os.fsync(file.fileno())


async def _answer(send: Send, error: str | None) -> None:
    body = (error or "").encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 507 if error else 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
