from __future__ import annotations

from pathlib import Path

from infra.local.lambdas.logs import LogFollower


def test_each_line_is_after_its_functions_name(tmp_path: Path) -> None:
    (tmp_path / "PayApi.log").write_text("one\ntwo\n")
    (tmp_path / "Sweep.log").write_text("three\n")

    assert list(LogFollower(tmp_path).new_lines()) == ["PayApi | one", "PayApi | two", "Sweep  | three"]


def test_only_what_is_new_comes_again(tmp_path: Path) -> None:
    log = tmp_path / "PayApi.log"
    log.write_text("one\n")
    follower = LogFollower(tmp_path)
    assert list(follower.new_lines()) == ["PayApi | one"]
    assert list(follower.new_lines()) == []

    with log.open("a") as file:
        file.write("two\nthr")
    assert list(follower.new_lines()) == ["PayApi | two"]
    with log.open("a") as file:
        file.write("ee سلام\n")
    (tmp_path / "New.log").write_text("four\n")
    assert list(follower.new_lines()) == ["New    | four", "PayApi | three سلام"]


def test_a_log_that_begins_anew_is_read_from_its_beginning(tmp_path: Path) -> None:
    log = tmp_path / "PayApi.log"
    log.write_text("a long first line\n")
    follower = LogFollower(tmp_path)
    list(follower.new_lines())

    log.write_text("new\n")

    assert list(follower.new_lines()) == ["PayApi | new"]


def test_a_stack_trace_is_shown_line_by_line(tmp_path: Path) -> None:
    (tmp_path / "PayApi.log").write_text("[ERROR] X\r\u00a0\u00a0File a\n", newline="")

    assert list(LogFollower(tmp_path).new_lines()) == ["PayApi | [ERROR] X", "PayApi |   File a"]


def test_no_folder_yet(tmp_path: Path) -> None:
    assert list(LogFollower(tmp_path / "later").new_lines()) == []
