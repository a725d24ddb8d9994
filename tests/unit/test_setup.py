"""Setting up the environments: what is done, what is left alone, and what a person is told when it cannot be done."""

import ast
import errno
import hashlib
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from infra import environments, package, setup
from infra.environments import ENVIRONMENTS, ROOT, Environment, SetupError, set_up
from infra.template import loaded

RUN = Environment("project", ("run.txt",), "what the platform runs on", 1)
TEST = Environment("project", ("run.txt", "test.txt"), "what the tests need", 1)

# Stands for an environment's python: answers the probe, and as pip notes its arguments and does as pip.says tells.
FAKE_PYTHON = """#!{python} -I
import pathlib, sys
root = pathlib.Path({root!r})
if "-c" in sys.argv:
    print({version!r}, {folder!r}, sep="\\n")
    sys.exit()
with (root / "pip.log").open("a") as log:
    print(*sys.argv[1:], file=log)
says = root / "pip.says"
if says.exists():
    print(says.read_text())
    sys.exit(1)
"""


class Tree:
    """A project with two lock files, and an environment maker that makes a fake python and counts."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / ".venv" / "project"
        self.made = 0
        (root / "run.txt").write_text("a==1 --hash=sha256:00\n")
        (root / "test.txt").write_text("b==1 --hash=sha256:00\n")

    def create(self, folder: Path) -> None:
        self.made += 1
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "bin").mkdir(parents=True)
        text = FAKE_PYTHON.format(
            python=sys.executable, root=str(self.root), version=environments._python_version(), folder=str(folder)
        )
        (folder / "bin" / "python").write_text(text)
        (folder / "bin" / "python").chmod(0o755)

    def set_up(self, environment: Environment) -> None:
        set_up(environment, self.root, self.create)

    def installed(self) -> list[list[str]]:
        """The lock files of each run of pip."""
        log = self.root / "pip.log"
        lines = log.read_text().splitlines() if log.exists() else []
        return [[Path(word).name for word in line.split() if word.endswith(".txt")] for line in lines]

    def pip_fails(self, output: str) -> None:
        (self.root / "pip.says").write_text(output)

    def pip_works(self) -> None:
        (self.root / "pip.says").unlink()


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_a_missing_environment_is_made_and_filled_by_hash(tree: Tree) -> None:
    tree.set_up(TEST)
    assert tree.made == 1
    assert tree.installed() == [["run.txt", "test.txt"]]
    assert "-m pip install --require-hashes --no-deps " in (tree.root / "pip.log").read_text()


def test_an_environment_that_is_up_to_date_is_left_alone(tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    tree.set_up(RUN)
    capsys.readouterr()
    tree.set_up(RUN)
    assert tree.made == 1
    assert len(tree.installed()) == 1
    assert capsys.readouterr() == ("", "")


def test_a_changed_lock_is_installed_on_top(tree: Tree) -> None:
    tree.set_up(RUN)
    (tree.root / "run.txt").write_text("a==2 --hash=sha256:00\n")
    tree.set_up(RUN)
    assert tree.made == 1
    assert tree.installed() == [["run.txt"], ["run.txt"]]


def test_what_tests_need_contains_what_running_needs(tree: Tree) -> None:
    tree.set_up(RUN)
    tree.set_up(TEST)
    tree.set_up(RUN)
    assert tree.made == 1
    assert tree.installed() == [["run.txt"], ["run.txt", "test.txt"]]


def test_another_python_makes_it_anew(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    tree.set_up(RUN)
    monkeypatch.setattr(environments, "_python_version", lambda: "3.99.0")
    tree.set_up(RUN)
    assert tree.made == 2


def test_a_moved_tree_makes_it_anew(tree: Tree, tmp_path_factory: pytest.TempPathFactory) -> None:
    tree.set_up(RUN)
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    shutil.copytree(tree.folder, elsewhere / ".venv" / "project")
    moved = Tree(elsewhere)
    moved.set_up(RUN)
    assert moved.made == 1


@pytest.mark.parametrize("lost", [".venv", ".venv/project", ".venv/project/bin", ".venv/project/bin/python"])
def test_what_was_deleted_is_made_again(tree: Tree, lost: str) -> None:
    tree.set_up(RUN)
    path = tree.root / lost
    path.unlink() if path.is_file() else shutil.rmtree(path)
    tree.set_up(RUN)
    assert tree.made == 2


def test_an_installation_cut_short_is_made_anew(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut_short(*_: object) -> None:
        raise KeyboardInterrupt

    tree.set_up(RUN)
    with monkeypatch.context() as patch:
        patch.setattr(environments, "_pip_install", cut_short)
        with pytest.raises(KeyboardInterrupt):
            tree.set_up(TEST)
    tree.set_up(RUN)
    assert tree.made == 2


def test_a_making_cut_short_is_begun_again(tree: Tree) -> None:
    def cut_short(folder: Path) -> None:
        tree.create(folder)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        set_up(RUN, tree.root, cut_short)
    tree.set_up(RUN)
    assert tree.made == 2


def test_a_whole_environment_without_a_stamp_is_adopted(tree: Tree) -> None:
    tree.create(tree.folder)
    tree.set_up(RUN)
    assert tree.made == 1
    assert tree.installed() == [["run.txt"]]


def test_an_environment_without_pip_is_made_anew(tree: Tree) -> None:
    tree.create(tree.folder)
    (tree.folder / "bin" / "python").write_text("#!/bin/sh\nexit 1\n")
    tree.set_up(RUN)
    assert tree.made == 2


def test_a_broken_stamp_counts_as_none(tree: Tree) -> None:
    tree.set_up(RUN)
    (tree.folder / "installed.json").write_text('{"python": ')
    tree.set_up(RUN)
    assert len(tree.installed()) == 2


def test_a_failure_before_anything_was_written_leaves_what_works(tree: Tree) -> None:
    tree.set_up(RUN)
    tree.pip_fails("ERROR: No matching distribution found for b==1")
    with pytest.raises(SetupError):
        tree.set_up(TEST)
    tree.set_up(RUN)
    assert tree.made == 1
    assert len(tree.installed()) == 2


def test_a_failure_while_writing_makes_it_anew(tree: Tree) -> None:
    tree.set_up(RUN)
    tree.pip_fails("Installing collected packages: b\nERROR: [Errno 28] No space left on device")
    with pytest.raises(SetupError):
        tree.set_up(TEST)
    tree.pip_works()
    tree.set_up(RUN)
    assert tree.made == 2


def test_pip_s_last_words_are_shown_without_its_routine(tree: Tree) -> None:
    tree.pip_fails(
        "Looking in indexes: x\nCollecting a\nERROR: THESE PACKAGES DO NOT MATCH THE HASHES\n    Expected 00"
    )
    with pytest.raises(SetupError) as failed:
        tree.set_up(RUN)
    assert str(failed.value).split("\n") == [
        "cannot set up .venv/project: pip failed. pip's last words:",
        "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES",
        "    Expected 00",
    ]


def test_a_network_that_is_away_is_said_so(tree: Tree) -> None:
    tree.pip_fails("WARNING: Retrying (Retry(total=0)) after connection broken\nERROR: No matching distribution")
    with pytest.raises(SetupError, match=r"^cannot set up \.venv/project: no answer from the network\."):
        tree.set_up(RUN)


def test_a_full_disk_is_said_so(tree: Tree) -> None:
    def create(folder: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(SetupError, match=r"cannot set up \.venv/project: .*No space left on device"):
        set_up(RUN, tree.root, create)


def test_a_python_without_ensurepip_is_told_which_package_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environments, "find_spec", lambda name: None)
    with pytest.raises(SetupError, match=rf"apt install python3\.{sys.version_info.minor}-venv"):
        environments.create(tmp_path / "project")


def test_two_at_once_wait_for_each_other(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    first_is_making, second_waits = threading.Event(), threading.Event()

    def say(text: str) -> None:
        if text.startswith("waiting for another command"):
            second_waits.set()

    def create(folder: Path) -> None:
        first_is_making.set()
        assert second_waits.wait(30)
        tree.create(folder)

    monkeypatch.setattr(environments, "_say", say)
    first = threading.Thread(target=set_up, args=(RUN, tree.root, create))
    first.start()
    assert first_is_making.wait(30)
    second = threading.Thread(target=tree.set_up, args=(RUN,))
    second.start()
    first.join(30)
    second.join(30)
    assert tree.made == 1
    assert len(tree.installed()) == 1


def test_a_real_environment_holds_what_the_lock_names(tmp_path: Path) -> None:
    wheel = tmp_path / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny.py", "answer = 42\n")
        archive.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        archive.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("tiny-1.0.dist-info/RECORD", "tiny.py,,\n")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (tmp_path / "run.txt").write_text(f"tiny @ {wheel.as_uri()} --hash=sha256:{digest}\n")
    set_up(RUN, tmp_path)
    python = tmp_path / ".venv" / "project" / "bin" / "python"
    answer = subprocess.run([python, "-c", "import tiny; print(tiny.answer)"], capture_output=True, check=True)
    assert answer.stdout == b"42\n"


Prefer = Callable[..., tuple[int, list[str]]]
OWN = f"python{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture
def prefer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Prefer:
    """Set up `bench`, which prefers a Python, with a command of that name on the PATH.

    Returns the exit code and what was done: the command's arguments, or "here" where this Python did it.
    """
    log = tmp_path / "log"
    log.touch()

    def prefer(wanted: str, command: str, answer: str, code: int = 0) -> tuple[int, list[str]]:
        script = tmp_path / command
        script.write_text(f'#!/bin/sh\n[ "$2" = -c ] && {answer}\necho "$@" >> {log}\nexit {code}\n')
        script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
        monkeypatch.setitem(ENVIRONMENTS, "bench", replace(ENVIRONMENTS["bench"], prefers=wanted))
        monkeypatch.setattr(environments, "set_up", lambda *_: log.write_text("here\n"))
        return environments.main(["bench"]), log.read_text().splitlines()

    return prefer


@pytest.mark.parametrize("code", [0, 1])
def test_the_python_that_is_preferred_sets_the_environment_up(prefer: Prefer, code: int) -> None:
    assert prefer("python3.99", "python3.99", "echo python3.99 && exit", code) == (code, ["-m infra.setup bench"])


@pytest.mark.parametrize(
    ("wanted", "command", "answer"),
    [
        pytest.param("python3.99", "python3.98", "echo python3.98 && exit", id="is not on the PATH"),
        pytest.param("python3.99", "python3.99", "exit 127", id="stands for nothing"),
        pytest.param("python3.99", "python3.99", "echo python3.98 && exit", id="is another"),
        pytest.param(OWN, OWN, f"echo {OWN} && exit", id="is this one"),
    ],
)
def test_this_python_sets_it_up_where_the_preferred_one(prefer: Prefer, wanted: str, command: str, answer: str) -> None:
    assert prefer(wanted, command, answer) == (0, ["here"])


def test_benches_prefer_the_python_that_lambda_runs() -> None:
    runtime = loaded(ROOT / "template.yaml")["Globals"]["Function"]["Runtime"]
    assert ENVIRONMENTS["bench"].prefers == package.PYTHON == runtime
    assert [name for name, each in ENVIRONMENTS.items() if each.prefers] == ["bench"]


def test_an_unknown_name_is_answered_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert environments.main(["tests"]) == 1
    assert capsys.readouterr().err == (
        "there is no environment 'tests'; there are: run, test, emulator, bench, sam, security, lock\n"
    )


def test_every_lock_file_is_there() -> None:
    for environment in ENVIRONMENTS.values():
        for lock in environment.locks:
            assert "--hash=sha256:" in (environments.ROOT / lock).read_text()


def test_an_old_python_can_parse_the_file_that_refuses_it() -> None:
    ast.parse(Path(setup.__file__).read_text(), feature_version=(3, 6))


def test_an_old_python_is_refused_in_words(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    old = SimpleNamespace(version_info=(3, 6, 15, "final", 0), executable="/usr/bin/python3", stderr=sys.stderr)
    monkeypatch.setattr(setup, "sys", old)
    assert setup.main() == 2
    assert capsys.readouterr().err.startswith(
        "Gharama needs Python 3.11 or newer; this is 3.6.15 at /usr/bin/python3.\n"
    )


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_alone_lists_every_target() -> None:
    listed = subprocess.run(
        ["make", "--no-print-directory"], cwd=environments.ROOT, capture_output=True, text=True, check=True
    ).stdout
    makefile = (environments.ROOT / "Makefile").read_text()
    targets = [line.removeprefix(".PHONY: ") for line in makefile.splitlines() if line.startswith(".PHONY: ")]
    assert [line.split()[1] for line in listed.splitlines()] == targets
