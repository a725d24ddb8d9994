"""Has the local cloud's state saved every so many seconds, so that a hard end costs no more than those."""

import threading
from collections.abc import Callable
from datetime import datetime

from infra.local.aws.emulator import SaveError


class Saver:
    """Saves from `start` to `stop`, and says where that fails and when it works again."""

    def __init__(
        self,
        save: Callable[[], None],
        saved_at: Callable[[], datetime | None],
        seconds: float,
        say: Callable[[str], None],
    ) -> None:
        """save: raises SaveError where it fails. saved_at: of when the state is that is saved, in UTC."""
        self._save = save
        self._saved_at = saved_at
        self._seconds = seconds
        self._say = say
        self._fails = False
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="saver", daemon=True)

    def start(self) -> None:
        """Save now, and from now on."""
        self.save()
        self._thread.start()

    def stop(self) -> None:
        """Save a last time, where it has started."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()
            self.save()

    def save(self) -> None:
        """Save once; say so where it fails for the first time, or works for the first time again."""
        try:
            self._save()
        except SaveError as error:
            if not self._fails:
                self._say(f"The state cannot be saved: {error}. {self._kept()} It is tried again")
            self._fails = True
        else:
            if self._fails:
                self._say("The state is saved again")
            self._fails = False

    def _kept(self) -> str:
        saved = self._saved_at()
        return f"What was saved at {saved.astimezone():%H:%M:%S} is kept." if saved else "Nothing is saved yet."

    def _run(self) -> None:
        while not self._stopped.wait(self._seconds):
            self.save()
