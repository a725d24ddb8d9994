"""The architecture's page and the decisions leave nothing out that they have to say, and say it of what is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.infra.reading import of_type
from tests.support.aws import template
from tests.support.documents import ROOT, blocks, read, rows, section
from tests.support.references import references
from tests.support.source_tree import SourceTree
from tests.unit.test_architecture import AREAS, FUNCTIONS, WINGS

PAGE: Final = "docs/architecture.md"
DECISIONS: Final = sorted((ROOT / "docs" / "decisions").glob("*.md"))
MIN_CHANGES: Final = 20
SHORTEST, MAX_LINES = 15, 40
"""Lines of a decision."""


def table(title: str) -> list[list[str]]:
    """The body of the table below a heading of the page."""
    return rows(section(read(PAGE), title))[1:]


# ---------------------------------------------------------------- the picture and the map


def test_every_function_is_in_the_picture() -> None:
    picture = next(block.code for block in blocks(read(PAGE)) if block.language == "mermaid")
    drawn = re.findall(r"\[(\w+(?:/\w+)+)\]", picture)
    functions = of_type(template(), "AWS::Serverless::Function").values()
    assert sorted(drawn) == sorted(each["Handler"].rpartition(".")[0].replace(".", "/") for each in functions)


def test_every_folder_is_on_the_map_with_what_it_may_import() -> None:
    of_functions = [row for row in rows(section(read(PAGE), "Code map")) if len(row) == 3][1:]
    drawn = {folder.strip("`"): may_import for folder, may_import, _ in of_functions}
    wings = {wing.replace(".", "/"): may_import for wing, may_import in WINGS.items()}
    assert drawn.keys() == {*AREAS, "shared", *wings}
    named = {wing: {name.replace("/", ".") for name in re.findall(r"`([^`]+)`", drawn[wing])} for wing in wings}
    assert named == wings
    assert {drawn[folder] for folder in (*AREAS, "shared")} == {"all of it"}


# ---------------------------------------------------------------- walks


@pytest.mark.parametrize("walk", ["A file", "A look-up", "A message", "A payment"])
def test_every_step_of_a_walk_names_where_it_happens(walk: str) -> None:
    steps = table(walk)
    assert [number for number, _, _ in steps] == [str(number) for number in range(1, len(steps) + 1)]
    assert [number for number, _, where in steps if not references(where)] == []


# ---------------------------------------------------------------- rules


def test_every_rule_has_a_name_of_its_own_and_a_test() -> None:
    rules = table("The rules that may not be broken")
    names = [re.fullmatch(r"\*\*([a-z]+(?:-[a-z]+)*)\*\*", name) for name, _, _ in rules]
    assert None not in names
    assert len(set(names)) == len({name[1] for name in names if name}) == len(rules)
    assert [name for name, _, held_by in rules if not any(each.is_test for each in references(held_by))] == []


def senders(source: SourceTree) -> Iterator[str]:
    """Modules outside of the providers that import one of them."""
    for name, module in source.modules.items():
        if any(used.startswith("notify.providers.") for used in source.imported(module)):
            yield name


def test_one_path_sends() -> None:
    assert set(senders(SourceTree(FUNCTIONS))) == {"notify.send_sms"}


def test_another_path_is_caught(tmp_path: Path) -> None:
    for name, text in {"notify/providers/sns": "", "pay/tell": "from notify.providers.sns import Sns"}.items():
        path = tmp_path / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert list(senders(SourceTree(tmp_path))) == ["pay.tell"]


# ---------------------------------------------------------------- to change something


def test_every_change_says_where_it_begins_and_what_holds_it() -> None:
    changes = table("To change something")
    assert len(changes) >= MIN_CHANGES
    for what, begin, _, held_by in changes:
        files = [name for name in re.findall(r"`([\w./-]+)(?:::[\w.]+)?`", begin) if (ROOT / name).exists()]
        assert files, f"{what}: no file to begin at"
        assert any(each.is_test for each in references(held_by)), f"{what}: no test holds it"


def test_every_question_has_a_place_and_a_test() -> None:
    for question, where, held_by in table("Where is …"):
        assert question.endswith("?")
        assert re.search(r"[.](py|md)\b", where), f"{question} no place"
        assert any(each.is_test for each in references(held_by)), f"{question} no test"


# ---------------------------------------------------------------- decisions


def test_decisions_are_numbered_one_after_the_other() -> None:
    numbers = [int(path.name.partition("-")[0]) for path in DECISIONS]
    assert numbers == list(range(1, len(DECISIONS) + 1))


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_says_what_was_tried_with_numbers(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    number = path.name.partition("-")[0]
    assert text.startswith(f"# {number} · ")
    assert SHORTEST <= len(text.splitlines()) <= MAX_LINES
    for part in ("## Tried", "## Decided", "## It costs"):
        assert part in text, f"{path.name} has no {part}"
    assert re.search(r"\d", section(text, "Tried")), "numbers in"
