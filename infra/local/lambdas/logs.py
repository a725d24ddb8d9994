"""Follows the functions' logs, all in one."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

_POLL = 0.2  # seconds

# AWS's runtime client ends the lines of a stack trace with a carriage return and indents them with no-break spaces,
# so that CloudWatch Logs keeps them together.
_LINE_WITHIN = "\r"
_INDENT = "\u00a0"


class LogFollower:
    """What is new in each `<LogicalId>.log` of a folder, files included that come later or begin anew."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[Path, int] = {}
        self._rest: dict[Path, bytes] = {}

    def new_lines(self) -> Iterator[str]:
        """Whole lines that were written since the last call, each after its function's name."""
        files = sorted(self._folder.glob("*.log"))
        width = max((len(file.stem) for file in files), default=0)
        for file in files:
            for line in self._lines(file):
                for part in line.split(_LINE_WITHIN):
                    yield f"{file.stem:{width}} | {part.replace(_INDENT, ' ')}"

    def _lines(self, file: Path) -> list[str]:
        start = self._read.get(file, 0)
        if file.stat().st_size < start:
            start = 0
            self._rest.pop(file, None)
        with file.open("rb") as stream:
            stream.seek(start)
            data = stream.read()
        self._read[file] = start + len(data)
        *lines, self._rest[file] = (self._rest.get(file, b"") + data).split(b"\n")
        return [line.decode(errors="replace") for line in lines]


def follow(folder: Path, write: Callable[[str], None]) -> NoReturn:
    """Write every line, from the beginning of the files, until interrupted."""
    follower = LogFollower(folder)
    while True:
        for line in follower.new_lines():
            write(line)
        time.sleep(_POLL)
