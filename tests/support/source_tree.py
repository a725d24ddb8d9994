"""A tree of Python source as a graph: which module imports which, and which settings a function can come to read.

Read from the text alone, so that rules about the house can be held against any tree, also a bad one made for a test.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

READERS = frozenset({"setting", "number", "listed"})
"""The functions of ``shared.settings``: each reads the environment variable that its argument names."""

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign


class Import(NamedTuple):
    """One imported name: ``a.b``, ``c`` and ``d`` of ``from a.b import c as d``. name: None of ``import a``."""

    module: str
    name: str | None
    alias: str


class Place(NamedTuple):
    """Something defined at the top of a module."""

    module: str
    name: str


class Module:
    """One file. name: as it is imported with the tree first on the path."""

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self.text = path.read_text(encoding="utf-8")
        self.tree = ast.parse(self.text)

    @cached_property
    def imports(self) -> list[Import]:
        """All of them, wherever they stand."""
        found = []
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found += [Import(alias.name, None, alias.asname or alias.name) for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{self.name}: relative import"
                found += [Import(str(node.module), alias.name, alias.asname or alias.name) for alias in node.names]
        return found

    @cached_property
    def definitions(self) -> dict[str, Definition]:
        """What stands at the top, by name."""
        found: dict[str, Definition] = {}
        for node in self.tree.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                found[node.name] = node
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                found.update({target.id: node for target in targets if isinstance(target, ast.Name)})
        return found

    def at_import(self) -> Iterator[ast.AST]:
        """Every node that runs when the module is imported: not the bodies of functions, but their defaults."""
        waiting: list[ast.AST] = [self.tree]
        while waiting:
            node = waiting.pop()
            yield node
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                waiting += [*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)]
            elif isinstance(node, ast.Lambda):
                waiting += [*node.args.defaults, *filter(None, node.args.kw_defaults)]
            else:
                waiting += ast.iter_child_nodes(node)


class SourceTree:
    """All modules below a folder that stands first on the path."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.modules: dict[str, Module] = {}
        for path in sorted(root.rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            self.modules[name] = Module(name, path)

    def below(self, package: str) -> list[Module]:
        """A package's modules and itself."""
        return [module for name, module in self.modules.items() if f"{name}.".startswith(f"{package}.")]

    def imported(self, module: Module) -> set[str]:
        """The modules that a module imports: of this tree by their own name, any other by its top-level name."""
        found = set()
        for module_name, name, _ in module.imports:
            if f"{module_name}.{name}" in self.modules:
                found.add(f"{module_name}.{name}")
            elif module_name in self.modules:
                found.add(module_name)
            else:
                found.add(module_name.partition(".")[0])
        return found

    def reached(self, start: str) -> set[str]:
        """The modules of this tree that importing one brings along, itself and the packages they lie in among them."""
        found: set[str] = set()
        waiting = [start]
        while waiting:
            name = waiting.pop()
            if name in found or name not in self.modules:
                continue
            found.add(name)
            waiting += [*self.imported(self.modules[name]), name.rpartition(".")[0]]
        return found

    def settings(self, start: Place) -> set[str]:
        """The settings that a function can come to read, through whatever it names and that names in turn."""
        found: set[str] = set()
        seen: set[Place] = set()
        waiting = [start]
        while waiting:
            place = waiting.pop()
            node = self._definition(place)
            if node is None or place in seen:
                continue
            seen.add(place)
            found |= set(self._reads(self.modules[place.module], node))
            waiting += self._named(self.modules[place.module], node)
        return found

    def _definition(self, place: Place) -> Definition | None:
        module = self.modules.get(place.module)
        return module.definitions.get(place.name) if module else None

    def _named(self, module: Module, node: ast.AST) -> Iterator[Place]:
        aliases = {known.alias: known for known in module.imports}
        for child in ast.walk(node):
            if isinstance(child, ast.Name) and child.id in module.definitions:
                yield Place(module.name, child.id)
            elif isinstance(child, ast.Name) and child.id in aliases:
                yield Place(aliases[child.id].module, str(aliases[child.id].name))
            elif isinstance(child, ast.Attribute) and isinstance(child.value, ast.Name) and child.value.id in aliases:
                known = aliases[child.value.id]
                yield Place(f"{known.module}.{known.name}" if known.name else known.module, child.attr)

    def _reads(self, module: Module, node: ast.AST) -> Iterator[str]:
        readers = {known.alias for known in module.imports if known.module == "shared.settings"} & READERS
        for child in ast.walk(node):
            if isinstance(child, ast.Call) and isinstance(child.func, ast.Name) and child.func.id in readers:
                argument = child.args[0]
                assert isinstance(argument, ast.Constant), f"{module.name}: a setting's name is not written out"
                yield str(argument.value)
