"""The words that the field's own terms took the place of name nothing any more.

Not looked at: the names of tests, which are sentences in which such a word may stand in its everyday meaning, and local
variables, which nobody meets elsewhere.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from infra.template import ROOT, Template, read

TREES: Final = ("functions", "infra", "tests")
STORES: Final = "functions/shared/stores/"

OLD: Final = (
    "standing", "standings", "verdict", "judge", "conclude", "concluding", "taking_back", "take_back", "taken_back",
    "by_hand", "wish", "taking", "heard", "desk", "books", "shelf", "terms", "at_the_door", "let_in", "genuine",
    "keyed", "veiled", "good_values", "comparing", "nightly", "reconcile",
)  # fmt: skip
"""In no part of a name either: ``_desk_of`` or ``DeskPorts``."""

ALONE: Final = ("plain",)
"""Not as a whole name. As a part it may tell something: ``plain_number`` is a number in its plain form."""

MODULES: Final = ("kinds", "cutting", "pages")
"""Not as the name of a module."""

BOUNDS: Final = ("most", "longest", "largest")
"""Not first in the name of a constant, and nowhere in an environment variable's: MAX is, and the unit comes last."""


class Named(NamedTuple):
    """Something that bears a name. what: module, code, variable (of the environment) or attribute (of an item)."""

    what: str
    name: str
    place: str


def parts_of(name: str) -> list[str]:
    """Take a name apart: ``_LET_IN``, ``let_in`` and ``LetIn`` are all let, in."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().strip("_").split("_")


def is_old(named: Named) -> bool:
    """True if a name holds a word that was replaced."""
    parts = parts_of(named.name)
    whole = "_".join(parts)
    if any(f"_{word}_" in f"_{whole}_" for word in OLD):
        return True
    if named.what == "code":
        return whole in ALONE or (named.name.isupper() and parts[0] in BOUNDS)
    if named.what == "module":
        return whole in (*ALONE, *MODULES)
    return named.what == "variable" and not set(BOUNDS).isdisjoint(parts)


def defined(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """The names that a module gives to classes, functions, parameters, attributes and constants, with their lines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if not node.name.startswith("test_"):
                yield node.name, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr, node.lineno
        if isinstance(node, ast.Module | ast.ClassDef):
            for statement in node.body:
                yield from _assigned(statement)


def _assigned(statement: ast.stmt) -> Iterator[tuple[str, int]]:
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        for node in (node for target in targets for node in ast.walk(target)):
            if isinstance(node, ast.Name):
                yield node.id, node.lineno


def stored(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """The texts of a store that can be an attribute's name, with their lines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch("[a-z_]+", node.value):
            yield node.value, node.lineno


def named(root: Path) -> Iterator[Named]:
    """Everything that bears a name in the Python of a repository."""
    for path in sorted(path for tree in TREES for path in (root / tree).rglob("*.py")):
        place, tree = path.relative_to(root).as_posix(), ast.parse(path.read_text(encoding="utf-8"))
        yield Named("module", path.stem, place)
        yield from (Named("code", name, f"{place}:{line}") for name, line in defined(tree))
        if place.startswith(STORES):
            yield from (Named("attribute", name, f"{place}:{line}") for name, line in stored(tree))


def variables(template: Template) -> Iterator[Named]:
    """The environment variables of a template's functions."""
    resources = {name: resource.get("Properties", {}) for name, resource in template["Resources"].items()}
    for place, properties in {"Globals": template["Globals"]["Function"], **resources}.items():
        for name in properties.get("Environment", {}).get("Variables", {}):
            yield Named("variable", name, place)


def test_nothing_bears_an_old_name() -> None:
    assert [each for each in (*named(ROOT), *variables(read())) if is_old(each)] == []


@pytest.mark.parametrize(
    ("path", "text", "caught"),
    [
        ("functions/pay/standing.py", "", "standing"),
        ("functions/ingest/kinds.py", "", "kinds"),
        ("functions/ingest/reading/plain.py", "", "plain"),
        ("functions/ingest/a.py", "class FileDesk: ...", "FileDesk"),
        ("functions/ingest/a.py", "class Plain: ...", "Plain"),
        ("functions/pay/a.py", "async def _let_in(): ...", "_let_in"),
        ("functions/pay/a.py", "def pay(*, wish): ...", "wish"),
        ("functions/pay/a.py", "class Order:\n    by_hand_since: str", "by_hand_since"),
        ("functions/pay/a.py", "class Order:\n    def __init__(self):\n        self._books = 1", "_books"),
        ("infra/a.py", "LONGEST_NAME: Final = 40", "LONGEST_NAME"),
        ("tests/support/a.py", "TERMS = MOST = 1", "TERMS"),
        ("tests/support/a.py", "KEPT, _MOST_ROWS = 1, 2", "_MOST_ROWS"),
        ("functions/shared/stores/a.py", "item = {'by_hand_since': 1}", "by_hand_since"),
    ],
)
def test_an_old_name_is_caught(tmp_path: Path, path: str, text: str, caught: str) -> None:
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")
    assert caught in [each.name for each in named(tmp_path) if is_old(each)]


def test_an_old_variable_is_caught() -> None:
    functions = {"Sender": {"Properties": {"Environment": {"Variables": {"MOST_SHARDS": 2, "TABLE": "t"}}}}}
    template = {"Globals": {"Function": {"Environment": {"Variables": {"DESK_TABLE": "t"}}}}, "Resources": functions}
    assert [each.name for each in variables(template) if is_old(each)] == ["DESK_TABLE", "MOST_SHARDS"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("functions/pay/outstanding.py", ""),
        ("functions/ingest/cells.py", "plain_number = 1\nREAD_AT_MOST = 2\nkinds = 3"),
        ("tests/unit/test_a.py", "def test_what_was_heard_is_kept():\n    wish = 1"),
        ("functions/shared/stores/a.py", "class A:\n    '''Whatever they wish.'''"),
    ],
)
def test_an_everyday_word_is_not(tmp_path: Path, path: str, text: str) -> None:
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")
    assert [each for each in named(tmp_path) if is_old(each)] == []
