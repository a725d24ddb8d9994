"""What a document may name: the repository's files, modules and symbols, make's targets, the template's parameters."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from samtranslator.yaml_helper import yaml_parse

_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_COMMENT: Final = re.compile(r"(?<!\S)#.*")
_PACKAGES: Final = ("functions", "infra", "tests")
_DEFINITIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class KnownNames:
    """All that a tree has. root: of a repository."""

    def __init__(self, root: Path) -> None:
        self.root = root

    # ------------------------------------------------------------------ files

    @cached_property
    def ignored(self) -> set[str]:
        """What is made here and not committed."""
        lines = (self.root / ".gitignore").read_text(encoding="utf-8").splitlines()
        return {line.strip("/") for line in lines if line}

    @cached_property
    def paths(self) -> set[str]:
        """Every file and folder of the tree but those that are made here."""
        return set(self._walk(self.root))

    def _walk(self, folder: Path) -> Iterator[str]:
        for path in folder.iterdir():
            name = path.relative_to(self.root).as_posix()
            if name == ".git" or {name, path.name} & self.ignored or path.suffix == ".pyc":
                continue
            yield name
            if path.is_dir():
                yield from self._walk(path)

    def find(self, path: str) -> list[str]:
        """The files and folders that a path names: from the root or from any folder on; a module's ``.py`` may lack."""
        wanted = path.removeprefix("./").strip("/")
        if "*" in wanted:
            found = [*self.root.glob(wanted), *(self.root / "functions").glob(wanted)]
            return [each.relative_to(self.root).as_posix() for each in found]
        ends = (wanted, f"{wanted}.py")
        longer = tuple(f"/{end}" for end in ends)
        return [known for known in self.paths if known in ends or known.endswith(longer)]

    def is_made_here(self, path: str) -> bool:
        """Whether a path is of what is made here and not committed."""
        wanted = path.removeprefix("./").strip("/")
        return any(wanted == made or wanted.startswith(f"{made}/") for made in self.ignored)

    def has_file(self, name: str) -> bool:
        """Whether any folder has a file of this name."""
        return any(known.rpartition("/")[2] == name for known in self.paths)

    # ------------------------------------------------------------------ code

    @cached_property
    def modules(self) -> dict[str, ast.Module]:
        """Every module by the name under which it is imported."""
        found = {}
        for package in _PACKAGES:
            for path in sorted((self.root / package).rglob("*.py")):
                base = self.root / "functions" if package == "functions" else self.root
                parts = path.relative_to(base).with_suffix("").parts
                name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
                found[name] = ast.parse(path.read_text(encoding="utf-8"))
        return found

    @cached_property
    def packages(self) -> set[str]:
        """The names of all modules and of the packages that they lie in."""
        return {name[:end] for name in self.modules for end in _prefixes(name)}

    @cached_property
    def _by_last_name(self) -> dict[str, list[str]]:
        found = defaultdict(list)
        for name in self.modules:
            found[name.rpartition(".")[2]].append(name)
        return found

    @cached_property
    def _classes(self) -> dict[str, list[ast.ClassDef]]:
        found = defaultdict(list)
        for tree in self.modules.values():
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef):
                    found[node.name].append(node)
        return found

    @cached_property
    def symbols(self) -> set[str]:
        """Every name that the code defines or says, and every word of the template and of what belongs to it.

        Of tests what they define: they also say what should not be there.
        """
        found: set[str] = set()
        for name, tree in self.modules.items():
            found |= set(_defined(tree) if name.startswith("tests") else _said(tree))
        for path in self._templates_and_settings():
            found |= set(_WORD.findall(_COMMENT.sub("", path.read_text(encoding="utf-8"))))
        return found

    def _templates_and_settings(self) -> Iterator[Path]:
        yield from (self.root / name for name in ("template.yaml", "samconfig.toml", "pyproject.toml", "Makefile"))
        yield from (path for path in (self.root / "infra").iterdir() if path.suffix in (".yaml", ".toml"))

    def knows_dotted(self, name: str) -> bool | None:
        """Whether ``module.symbol`` or ``Class.member`` is there; None where its beginning is nothing of ours."""
        first, _, rest = name.partition(".")
        owners = {first} & self.packages | set(self._by_last_name.get(first, ()))
        if owners:
            return any(self._resolves(f"{owner}.{rest}") for owner in owners)
        if first in self._classes:
            return any(_has_member(found, rest) or self._inherits(found, rest) for found in self._classes[first])
        return None

    def _inherits(self, found: ast.ClassDef, member: str) -> bool:
        """Whether a class that this one builds on makes a name."""
        bases = (self._classes.get(ast.unparse(base), []) for base in found.bases)
        return any(_has_member(each, member) for classes in bases for each in classes)

    def _resolves(self, name: str) -> bool:
        if name in self.packages:
            return True
        for end in reversed([*_prefixes(name)]):
            tree = self.modules.get(name[:end])
            if tree is not None:
                symbol, _, member = name[end + 1 :].partition(".")
                return any(_is_there(node, symbol, member) for node in tree.body)
        return False

    def has_symbol(self, path: str, symbol: str) -> bool:
        """Whether a file defines a symbol at its top, in a class or in a function; ``Class.member`` in that class."""
        trees = (ast.parse((self.root / found).read_text(encoding="utf-8")) for found in self.find(path))
        owner, _, member = symbol.rpartition(".")
        if owner:
            return any(_is_there(node, owner, member) for tree in trees for node in tree.body)
        return any(symbol in _defined(tree) for tree in trees)

    # ------------------------------------------------------------------ make and the template

    @cached_property
    def makefile(self) -> str:
        return (self.root / "Makefile").read_text(encoding="utf-8")

    @cached_property
    def targets(self) -> set[str]:
        return set(re.findall(r"^([a-z][a-z-]*):", self.makefile, re.MULTILINE))

    @cached_property
    def make_variables(self) -> set[str]:
        written_in = r"\$\((?:if |or |and )?\$?\(?([A-Z_]+)\b"
        by_environment = r'"\$\$([A-Z_]+)"'
        return {*re.findall(written_in, self.makefile), *re.findall(by_environment, self.makefile)}

    @cached_property
    def parameters(self) -> dict[str, dict[str, Any]]:
        """The parameters of both templates."""
        found: dict[str, dict[str, Any]] = {}
        for name in ("template.yaml", "infra/edge.yaml"):
            found |= yaml_parse((self.root / name).read_text(encoding="utf-8"))["Parameters"]
        return found

    @cached_property
    def queues(self) -> set[str]:
        resources = yaml_parse((self.root / "template.yaml").read_text(encoding="utf-8"))["Resources"]
        return {name for name, resource in resources.items() if resource["Type"] == "AWS::SQS::Queue"}


def _prefixes(name: str) -> Iterator[int]:
    """Where the beginnings of a dotted name end, the shortest first."""
    yield from (found.start() for found in re.finditer(r"\.", name))
    yield len(name)


def _is_there(node: ast.stmt, symbol: str, member: str) -> bool:
    if symbol not in _names_of(node):
        return False
    return not member or (isinstance(node, ast.ClassDef) and _has_member(node, member))


def _has_member(found: ast.ClassDef, member: str) -> bool:
    """Whether a class's body makes a name, or one of its methods sets it."""
    return any(member in _names_of(node) for node in found.body) or any(
        isinstance(node, ast.Attribute) and node.attr == member and ast.unparse(node.value) == "self"
        for node in ast.walk(found)
    )


def _names_of(node: ast.stmt) -> Iterator[str]:
    """The names that a statement makes."""
    if isinstance(node, _DEFINITIONS):
        yield node.name
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        yield from (name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name))


def _defined(tree: ast.Module) -> Iterator[str]:
    """What a module defines, at its top and in classes and functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt):
            yield from _names_of(node)


def _said(tree: ast.Module) -> Iterator[str]:
    """Every identifier of a module, and every word of its texts but for docstrings."""
    documentation = {id(text) for node in ast.walk(tree) for text in _docstrings(node)}
    for node in ast.walk(tree):
        if isinstance(node, _DEFINITIONS):
            yield node.name
        elif isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.arg | ast.keyword) and node.arg:
            yield node.arg
        elif isinstance(node, ast.alias):
            yield from node.name.split(".")
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield from _WORD.findall(node.value)


def _docstrings(node: ast.AST) -> Iterator[ast.Constant]:
    """The texts that stand as statements of their own."""
    for statement in getattr(node, "body", ()) if isinstance(node, ast.Module | ast.stmt) else ():
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            yield statement.value
