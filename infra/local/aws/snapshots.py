"""Whole states of the emulator, each in a folder of its own: the newest is switched to in one step or not at all."""

import contextlib
import os
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path


class Snapshots:
    """The states in one folder. `newest` leads to the last that was written whole, or nowhere before there is one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.newest = folder / "newest"

    @property
    def saved_at(self) -> datetime | None:
        """When the newest state was so, in UTC; None where there is none."""
        if not self.newest.exists():
            return None
        return datetime.fromtimestamp(int(os.readlink(self.newest)) / 1e9, UTC)

    def write(self, fill: Callable[[Path], None]) -> None:
        """Let `fill` write a state into a folder, make it the newest and forget those before.

        Raises whatever `fill` raises, and OSError where the disk is full; the newest state is then the one before.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        made = self.folder / str(time.time_ns())
        try:
            made.mkdir()
            fill(made)
            self._switch_to(made)
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise
        for old in self.folder.iterdir():
            if old.is_dir() and not old.is_symlink() and old != made:
                shutil.rmtree(old, ignore_errors=True)

    def _switch_to(self, made: Path) -> None:
        link = self.folder / "next"
        with contextlib.suppress(FileNotFoundError):
            link.unlink()
        link.symlink_to(made.name)
        link.replace(self.newest)
