"""The AWS endpoint: ministack as a child process, on 127.0.0.1 only, with IAM enforced and its state kept."""

import contextlib
import fcntl
import http.client
import os
import shutil
import signal
import subprocess
import time
from datetime import datetime
from pathlib import Path
from typing import IO

from infra.local.aws import inside
from infra.local.aws.saving import SAVE_PATH, SAVE_WITHIN
from infra.local.aws.snapshots import Snapshots
from infra.local.config import ACCESS_KEY_ID, ACCOUNT, REGION, ROOT, SECRET_ACCESS_KEY, Config
from infra.local.lambdas import child
from infra.local.ports import require_free

START_WITHIN = 30.0  # seconds
STOP_WITHIN = 60.0  # seconds; saving a large state takes a while


class EmulatorError(Exception):
    """The emulator does not start; the message says why and where its log is."""


class SaveError(Exception):
    """The emulator's state could not be saved; the message says why."""


class Emulator:
    """One ministack. Objects are on disk at once; all else once `save` was called, at `stop`, or when the process that
    started it ends, but never before the first `save`: a stack that is half made is not worth keeping.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._log = config.logs / "emulator.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._snapshots = Snapshots(self._data / "saved")
        self._orderly = self._data / "orderly"
        self.cut_off: datetime | None = None
        """Where the run before did not end in order: when the state was so that this one goes on from."""

    def start(self) -> None:
        """Start it; `wait_until_ready` says when it answers.

        Raises:
            PortTakenError: the AWS port is in use.
            EmulatorError: it is not installed.
        """
        self._data.mkdir(parents=True, exist_ok=True)
        with (self._data / "lock").open("w") as lock:
            self._alone(lock)
            self._start(lock)

    def _start(self, lock: IO[str]) -> None:
        config = self._config
        require_free(config.aws_port, "GHARAMA_AWS_PORT")
        if not config.emulator_interpreter.exists():
            raise EmulatorError(f"The AWS emulator is not installed ({config.emulator_interpreter} is missing)")
        self.cut_off = None if self._orderly.exists() else self._snapshots.saved_at
        self._orderly.unlink(missing_ok=True)
        if self._snapshots.saved_at is None:
            # Objects without the stack that they belong to: making its buckets again would fail.
            shutil.rmtree(self._data / "s3", ignore_errors=True)
        for folder in (self._log.parent, self._temporary, self._data / "s3"):
            folder.mkdir(parents=True, exist_ok=True)
        arguments = [str(config.emulator_interpreter), child.__file__, str(int(signal.SIGTERM)), str(ROOT)]
        arguments += [inside.__name__, str(config.rights_used), str(self._snapshots.folder), str(lock.fileno())]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                arguments,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._data,
                env=self.environment(),
                pass_fds=[lock.fileno()],
                start_new_session=True,  # Ctrl-C is for the process that decides the order of the end
            )

    def _alone(self, lock: IO[str]) -> None:
        """Wait until the emulator of an earlier run, and what it saves with, has ended: the lock goes with them."""
        deadline = time.monotonic() + START_WITHIN
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise EmulatorError("The AWS emulator of an earlier run has not ended yet") from None
                time.sleep(0.05)
            else:
                return

    def save(self) -> None:
        """Have the state saved as it is now, unless nothing has changed.

        Raises:
            SaveError: it could not be; what was saved before is whole.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self._config.aws_port, timeout=SAVE_WITHIN + 5)
        with contextlib.closing(connection):
            try:
                connection.request("POST", SAVE_PATH, headers={"Connection": "close"})
                answer = connection.getresponse()
                reason = answer.read().decode()
            except (OSError, http.client.HTTPException) as error:
                raise SaveError(f"the AWS emulator does not answer ({error})") from error
        if answer.status != 200:
            raise SaveError(reason)

    @property
    def saved_at(self) -> datetime | None:
        """When the state was so that is saved."""
        return self._snapshots.saved_at

    def wait_until_ready(self) -> None:
        """Raises EmulatorError: it ended, or did not answer in time."""
        deadline = time.monotonic() + START_WITHIN
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                raise EmulatorError(f"The AWS emulator ended at once. Its log: {self._log}")
            with contextlib.suppress(OSError, http.client.HTTPException):
                connection = http.client.HTTPConnection("127.0.0.1", self._config.aws_port, timeout=2)
                with contextlib.closing(connection):
                    connection.request("GET", "/_ministack/health")
                    if connection.getresponse().status == 200:
                        return
            time.sleep(0.02)
        raise EmulatorError(f"The AWS emulator did not answer within {START_WITHIN:.0f} s. Its log: {self._log}")

    def stop(self) -> None:
        """End it and wait until its state is on disk. Close every client first: it waits for open connections."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            if process.wait(STOP_WITHIN) == 0:
                with contextlib.suppress(OSError):
                    self._orderly.touch()
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        finally:
            if process.stdin:
                process.stdin.close()

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def _data(self) -> Path:
        return self._config.state / "emulator"

    @property
    def _temporary(self) -> Path:
        return self._data / "tmp"

    def environment(self) -> dict[str, str]:
        """Say what it is started with."""
        return {
            "PATH": os.defpath,
            "HOME": str(self._data),
            "TMPDIR": str(self._temporary),
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self._config.aws_port),
            "MINISTACK_HOST": "127.0.0.1",
            "MINISTACK_REGION": REGION,
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
            "AUTH": "true",
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self._data / "state"),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(self._data / "s3"),
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            "LOG_LEVEL": "WARNING",
        }
