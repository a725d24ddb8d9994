"""The virtual environments under .venv/, made from the lock files and kept up to date with them.

An environment that is up to date costs a few milliseconds to check. One whose lock files or Python changed is brought
up to date; one whose installation was cut short is made anew; two commands at once wait for each other.
"""

import fcntl
import hashlib
import json
import re
import shutil
import subprocess
import sys
import venv
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from time import monotonic

ROOT = Path(__file__).resolve().parent.parent
LAST_WORDS = 15  # lines of pip's that are shown when it fails


@dataclass(frozen=True)
class Environment:
    """A folder under .venv/, the lock files that fill it, what it is for and about how long that takes.

    prefers: the command of the Python that it is made with where the PATH has it; else it is the one that runs this.
    """

    folder: str
    locks: tuple[str, ...]
    purpose: str
    seconds: int
    prefers: str | None = None


_FUNCTIONS = "functions/requirements.txt"
_RUN = (_FUNCTIONS, "infra/locks/local.txt")
_BENCH = (_FUNCTIONS, "infra/locks/bench.txt")

ENVIRONMENTS = {
    "run": Environment("project", _RUN, "what the platform runs on", 20),
    "test": Environment("project", (*_RUN, "infra/locks/test.txt"), "what the tests need", 40),
    "emulator": Environment("emulator", ("infra/locks/emulator.txt",), "the local AWS services", 15),
    "bench": Environment("bench", _BENCH, "what the benches measure", 20, prefers="python3.13"),
    "sam": Environment("sam", ("infra/locks/sam.txt",), "the SAM command line", 40),
    "security": Environment("security", ("infra/locks/security.txt",), "what looks for weaknesses", 60),
    "lock": Environment("lock", ("infra/locks/lock.txt",), "the resolver of the lock files", 10),
}


class SetupError(Exception):
    """An environment could not be made; the message says why, in words for whoever typed the command."""


def main(names: Sequence[str]) -> int:
    """Set up the environments of these names; returns the exit code."""
    try:
        for name in names:
            if name not in ENVIRONMENTS:
                raise SetupError(f"there is no environment {name!r}; there are: {', '.join(ENVIRONMENTS)}")
            if python := _preferred(ENVIRONMENTS[name]):
                # All that speaks of an environment's Python means the one that runs it.
                code = subprocess.run([python, "-m", "infra.setup", name], cwd=ROOT, check=False).returncode  # noqa: S603
                if code:
                    return code
            else:
                set_up(ENVIRONMENTS[name], ROOT)
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nsetting up was cut short; the next command finishes it", file=sys.stderr)
        return 130
    return 0


def _preferred(environment: Environment) -> str | None:
    """The path of the Python that the environment prefers; None where this is it, or it cannot make environments.

    It is asked, because a command on the PATH may stand for a version that is not installed.
    """
    if environment.prefers in (None, f"python{sys.version_info.major}.{sys.version_info.minor}"):
        return None
    path = shutil.which(environment.prefers)
    if path is None:
        return None
    probe = [path, "-I", "-c", "import ensurepip, sys; print('python%d.%d' % sys.version_info[:2])"]
    answer = subprocess.run(probe, capture_output=True, text=True, check=False)  # noqa: S603
    return path if answer.stdout.strip() == environment.prefers else None


def create(folder: Path) -> None:
    """Make an empty virtual environment with pip, in place of whatever is there. Raises SetupError."""
    if find_spec("ensurepip") is None:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise SetupError(
            f"Python {version} at {sys.executable} cannot make virtual environments: it comes without ensurepip.\n"
            f"On Debian or Ubuntu: apt install python{version}-venv"
        )
    try:
        venv.create(folder, clear=True, symlinks=True, with_pip=True)
    except subprocess.CalledProcessError as error:
        words = (error.output or b"").decode(errors="replace").splitlines()
        reasons = [line for line in words if line.startswith("ERROR:")] or words[-LAST_WORDS:]
        raise SetupError("\n".join([f"cannot make the virtual environment {folder}:", *reasons])) from error


def set_up(environment: Environment, root: Path, create: Callable[[Path], None] = create) -> None:
    """Bring an environment up to date with its lock files. Raises SetupError."""
    folder = root / ".venv" / environment.folder
    try:
        wanted = _stamp(environment, folder, root)
        if _is_up_to_date(folder, wanted):
            return
        with _alone(folder):
            if not _is_up_to_date(folder, wanted):
                _install(environment, folder, root, wanted, create)
    except OSError as error:
        raise SetupError(f"cannot set up {folder.relative_to(root)}: {error}") from error


def _stamp(environment: Environment, folder: Path, root: Path) -> dict[str, str]:
    """All that an installation depends on. The folder is part of it because its scripts hold their own path."""
    locks = {lock: hashlib.sha256((root / lock).read_bytes()).hexdigest() for lock in environment.locks}
    return {"python": _python_version(), "folder": str(folder), **locks}


def _python_version() -> str:
    return sys.version.split()[0]


def _stamp_file(folder: Path) -> Path:
    return folder / "installed.json"


def _unfinished_mark(folder: Path) -> Path:
    """Lies beside the folder while an installation is under way, so that it outlives the making of the folder."""
    return folder.with_name(folder.name + ".unfinished")


def _python(folder: Path) -> Path:
    return folder / "bin" / "python"


def _read_stamp(folder: Path) -> dict[str, str]:
    """The stamp of the last installation that succeeded; empty where there is none."""
    try:
        stamp: dict[str, str] = json.loads(_stamp_file(folder).read_text())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return {}
    return stamp


def _is_up_to_date(folder: Path, wanted: dict[str, str]) -> bool:
    return (
        wanted.items() <= _read_stamp(folder).items()
        and _python(folder).is_file()
        and not _unfinished_mark(folder).exists()
    )


def _can_be_updated(folder: Path) -> bool:
    """Whether pip can install on top of what is there: a whole environment of this Python, made at this place."""
    stamp = _read_stamp(folder)
    if stamp and (stamp.get("python"), stamp.get("folder")) != (_python_version(), str(folder)):
        return False
    if _unfinished_mark(folder).exists() or not _python(folder).is_file():
        return False
    probe = [str(_python(folder)), "-I", "-c", "import pip, sys; print(sys.version.split()[0], sys.prefix, sep='\\n')"]
    answer = subprocess.run(probe, capture_output=True, text=True, check=False)  # noqa: S603
    return answer.stdout.splitlines() == [_python_version(), str(folder)]


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the environment's lock, which the system lets go of when the process ends, however it ends."""
    folder.parent.mkdir(exist_ok=True)
    with folder.with_name(folder.name + ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say(f"waiting for another command that is setting up .venv/{folder.name}")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _install(
    environment: Environment, folder: Path, root: Path, wanted: dict[str, str], create: Callable[[Path], None]
) -> None:
    began = monotonic()
    _say(f"setting up .venv/{folder.name}: {environment.purpose} (about {environment.seconds} s)")
    whole = _can_be_updated(folder)
    _unfinished_mark(folder).touch()
    if not whole:
        create(folder)
    _pip_install(environment, folder, root)
    _stamp_file(folder).write_text(json.dumps(wanted, indent=1))
    _unfinished_mark(folder).unlink()
    _say(f"set up .venv/{folder.name} in {monotonic() - began:.0f} s")


def _pip_install(environment: Environment, folder: Path, root: Path) -> None:
    """Install the locked packages, by hash. Index, proxies and certificates are as pip's own settings say.

    The lock files are complete, and older pips find no hash for a dependency with extras: hence `--no-deps`.
    """
    command = [str(_python(folder)), "-I", "-m", "pip", "install", "--require-hashes", "--no-deps", "--no-input"]
    command += ["--disable-pip-version-check", "--progress-bar", "off"]
    for lock in environment.locks:
        command += ["-r", str(root / lock)]
    total = sum(len(re.findall(r"^\S+==", (root / lock).read_text(), re.M)) for lock in environment.locks)

    with subprocess.Popen(  # noqa: S603
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as pip:
        log = _PipLog()
        for line in pip.stdout or ():
            log.take(line.rstrip())
            _show_progress(f"  {log.doing} ({min(log.packages, total)} of {total} packages)")
    _show_progress("")
    if pip.returncode:
        # Until pip writes, what was there before is still whole.
        if not log.has_written and _read_stamp(folder):
            _unfinished_mark(folder).unlink()
        why = "no answer from the network" if log.is_offline else "pip failed"
        raise SetupError("\n".join([f"cannot set up .venv/{folder.name}: {why}. pip's last words:", *log.last_words]))


class _PipLog:
    """What pip's output tells of how far it is."""

    _PACKAGE = ("Collecting ", "Processing ", "Requirement already satisfied: ")
    _ROUTINE = (*_PACKAGE, "Ignoring ", "Looking in ", "  Downloading ", "  Using cached ")

    def __init__(self) -> None:
        self.packages = 0
        self.doing = "collecting"
        self.has_written = False
        self.is_offline = False
        self.last_words: deque[str] = deque(maxlen=LAST_WORDS)

    def take(self, line: str) -> None:
        if not line.startswith(self._ROUTINE):
            self.last_words.append(line)
        if line.startswith(self._PACKAGE):
            self.packages += 1
            self.doing, self.is_offline = "collecting", False
        elif line.startswith("Installing collected packages"):
            self.doing, self.has_written = "installing", True
        elif line.startswith("WARNING: Retrying"):
            self.doing, self.is_offline = "waiting for the network", True


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _show_progress(text: str) -> None:
    """Show a line in place of the last one, where somebody watches."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
