"""The rules of the house: what may import what, what may be read when, and what must exist.

Each rule is a function over a source tree that answers with what breaks it, and is shown to catch a bad tree.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.template import read
from tests.support.source_tree import READERS, SourceTree

ROOT = Path(__file__).parents[2]
FUNCTIONS = ROOT / "functions"
AREAS = ("query", "stats", "notify", "pay", "remit", "ingest", "rollout")
WINGS: dict[str, set[str]] = {
    "ingest.reading": {"ingest.errors"},
    "ingest.format": {"ingest.errors"},
    "ingest.reporting": {"ingest.errors", "ingest.objects", "ingest.format"},
    "notify.providers": set(),
    "pay.gateways": set(),
    "pay.payments": {"pay.gateways"},
    "pay.receipt": set(),
    "notify.links": set(),
    "query.mine": set(),
    "shared.access": {
        *("shared.domain", "shared.aws_json", "shared.plate_crypto", "shared.settings", "shared.stores"),
        *("shared.stores.messaging", "shared.stores.people"),
    },
    "shared.domain": set(),
    "shared.stores": {"shared.domain", "shared.aws_json", "shared.plate_crypto", "shared.policies", "shared.secret"},
    "shared.stores.people": {"shared.domain", "shared.aws_json", "shared.plate_crypto", "shared.stores.items"},
    "shared.stores.messaging": {"shared.domain", "shared.aws_json", "shared.stores.items"},
    "shared.stores.paying": {"shared.domain", "shared.aws_json", "shared.stores.kept_lines", "shared.stores.items"},
    "shared.stores.privacy": {
        *("shared.domain", "shared.aws_json"),
        *("shared.stores.items", "shared.stores.messaging", "shared.stores.people.profiles"),
    },
}
"""Folders within an area, each with what it may import of its own area beside itself. Nothing here imports back."""
MAX_MODULES = 16
"""In one folder, of ``functions`` and of ``infra``."""
MIN_WING_MODULES = 3
MAX_LINES = 400
"""In one module."""
FROM_THE_RUNTIME = {"boto3", "botocore"}
NEVER_IMPORTED = {"tzdata", "uharfbuzz"}
"""Required although no code names them: zoneinfo finds its time zones there where the system has none, fpdf2 shapes
Arabic."""
IMPORTED_AS = {"fpdf2": "fpdf"}


@pytest.fixture(scope="module")
def house() -> SourceTree:
    return SourceTree(FUNCTIONS)


@pytest.fixture(scope="module")
def handlers() -> list[str]:
    resources = read()["Resources"].values()
    return [r["Properties"]["Handler"] for r in resources if r["Type"] == "AWS::Serverless::Function"]


def tree(folder: Path, **files: str) -> SourceTree:
    """A small tree: ``shared__domain__plate="import os"`` is ``shared/domain/plate.py``."""
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return SourceTree(folder)


def python(code: str, *, first_on_path: Path = FUNCTIONS) -> str:
    """What a fresh interpreter prints, with a folder first on its path and nothing at all in its environment."""
    start = f"import sys; sys.path.insert(0, {str(first_on_path)!r}); sys.dont_write_bytecode = True\n"
    ran = subprocess.run(
        [sys.executable, "-E", "-c", start + code], env={}, capture_output=True, text=True, timeout=120
    )
    return ran.stdout.strip() if ran.returncode == 0 else ran.stderr.strip().splitlines()[-1]


# ---------------------------------------------------------------- the domain is pure

OUTSIDE_WORLD = {"os", "sys", "time", "subprocess", "socket", "http", "urllib", "pathlib", "logging", "threading"}
CHANCE = {"random", "secrets", "uuid"}
CLOCK_READERS = {"now", "today", "utcnow"}


def impurities(source: SourceTree) -> Iterator[str]:
    """What the domain may not do: reach beyond itself and Python's library, or read environment, clock or chance."""
    forbidden = OUTSIDE_WORLD | CHANCE
    for module in source.below("shared.domain"):
        for name in source.imported(module):
            ours = name.startswith("shared.domain")
            if not ours and (name in forbidden or name not in sys.stdlib_module_names | {"pydantic"}):
                yield f"{module.name} imports {name}"
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Attribute) and node.attr in CLOCK_READERS:
                yield f"{module.name} reads the clock"
            if isinstance(node, ast.Name) and node.id in {"open", "print", "input"}:
                yield f"{module.name} uses {node.id}()"


def test_the_domain_is_pure(house: SourceTree) -> None:
    assert not list(impurities(house))


@pytest.mark.parametrize(
    "bad",
    [
        "import boto3",
        "from aws_lambda_powertools import Logger",
        "import os",
        "def f():\n    from os import environ",
        "import time",
        "from random import random",
        "from shared.clock import now",
        "from shared import settings",
        "from datetime import datetime\nx = datetime.now()",
        "from datetime import date\ndef f():\n    return date.today()",
        "def f():\n    return open('x')",
    ],
)
def test_an_impure_domain_is_caught(tmp_path: Path, bad: str) -> None:
    assert not list(impurities(tree(tmp_path, shared__domain__fine="import re\nfrom datetime import datetime")))
    source = tree(tmp_path, shared__domain__plate=bad, shared__clock="", shared__settings="")
    assert len(list(impurities(source))) == 1


# ---------------------------------------------------------------- who may import whom


def trespasses(source: SourceTree) -> Iterator[str]:
    """Imports across areas, and of an area from what they share."""
    for module in source.modules.values():
        area = module.name.partition(".")[0]
        for name in source.imported(module):
            other = name.partition(".")[0]
            if other in AREAS and other != area:
                yield f"{module.name} imports {name}"


def test_areas_never_import_one_another_and_shared_imports_none(house: SourceTree) -> None:
    assert not list(trespasses(house))


@pytest.mark.parametrize(
    "files",
    [
        {"query__api": "from pay import payments", "pay__payments": ""},
        {"query__api": "def f():\n    import notify.send_sms", "notify__send_sms": ""},
        {"shared__http": "from ingest.format.violations import read", "ingest__feed": ""},
    ],
)
def test_a_trespass_is_caught(tmp_path: Path, files: dict[str, str]) -> None:
    assert len(list(trespasses(tree(tmp_path, **files)))) == 1


def climbs(source: SourceTree, wings: dict[str, set[str]]) -> Iterator[str]:
    """Imports of a wing that its rule does not allow, and imports back of what a wing is allowed to import."""
    for module in source.modules.values():
        allowed = next((wings[wing] | {wing} for wing in _folders(module.name) if wing in wings), None)
        for name in sorted(source.imported(module)):
            same_area = name.partition(".")[0] == module.name.partition(".")[0]
            if allowed is not None and same_area and name in source.modules and not allowed & {*_folders(name), name}:
                yield f"{module.name} imports {name}"


def _folders(name: str) -> list[str]:
    """A module's own name and the folders around it, the innermost first."""
    parts = name.split(".")
    return [".".join(parts[:length]) for length in range(len(parts), 0, -1)]


def circles(source: SourceTree) -> Iterator[str]:
    """Modules that come to import themselves through others."""
    graph = {name: source.imported(module) & source.modules.keys() - {name} for name, module in source.modules.items()}
    while leaves := [name for name, uses in graph.items() if not uses & graph.keys()]:
        for name in leaves:
            del graph[name]
    while tops := [name for name in graph if not any(name in uses for other, uses in graph.items() if other != name)]:
        for name in tops:
            del graph[name]
    yield from graph


def test_wings_import_only_what_they_may_and_nothing_goes_round(house: SourceTree) -> None:
    assert not list(climbs(house, WINGS))
    assert not list(circles(house))


def test_every_folder_within_an_area_is_a_wing(house: SourceTree) -> None:
    folders = {name.rpartition(".")[0] for name in house.modules}
    assert {folder for folder in folders if "." in folder} == WINGS.keys()


@pytest.mark.parametrize(
    ("files", "caught"),
    [
        ({"ingest__objects": "", "ingest__format__cells": "import ingest.objects"}, 1),
        ({"ingest__format__cells": "", "ingest__reading__text": "from ingest.format import cells"}, 1),
        ({"pay__ports": "", "pay__payments__start": "def f():\n    from pay.ports import x"}, 1),
        ({"ingest__errors": "", "ingest__reading__text": "import ingest.errors\nimport ingest.reading.more"}, 0),
        ({"pay__gateways__fib": "", "pay__payments__sync": "import pay.gateways.fib"}, 0),
        ({"pay__gateways__fib": "import pay.payments.sync", "pay__payments__sync": ""}, 1),
    ],
)
def test_a_wing_that_imports_upwards_is_caught(tmp_path: Path, files: dict[str, str], caught: int) -> None:
    assert len(list(climbs(tree(tmp_path, **files), WINGS))) == caught


def test_a_circle_is_caught(tmp_path: Path) -> None:
    source = tree(tmp_path, a="import b, c", b="import c", c="def f():\n    import b", d="import a")
    assert sorted(circles(source)) == ["b", "c"]


def crowds(root: Path) -> Iterator[str]:
    """Folders with too many modules, wings with too few, and modules that are too long."""
    for folder in sorted({path.parent for path in root.rglob("*.py")}):
        modules = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
        if len(modules) > MAX_MODULES:
            yield f"{folder.relative_to(root)} holds {len(modules)} modules"
        if ".".join(folder.relative_to(root).parts) in WINGS and len(modules) < MIN_WING_MODULES:
            yield f"{folder.relative_to(root)} holds only {len(modules)} modules"
        for path in modules:
            if (lines := path.read_text(encoding="utf-8").count("\n")) > MAX_LINES:
                yield f"{path.relative_to(root)} has {lines} lines"


@pytest.mark.parametrize("root", [FUNCTIONS, ROOT / "infra"])
def test_no_folder_and_no_module_is_crowded(root: Path) -> None:
    assert not list(crowds(root))


def test_crowds_are_caught(tmp_path: Path) -> None:
    modules = {f"notify__m{number}": "" for number in range(17)}
    tree(tmp_path, **modules, pay__receipt__pdf="", query__api="\n" * 401)
    assert list(crowds(tmp_path)) == [
        "notify holds 17 modules",
        "pay/receipt holds only 1 modules",
        "query/api.py has 401 lines",
    ]


def narrow(source: SourceTree, handlers: list[str]) -> Iterator[str]:
    """Modules of ``shared`` that fewer than two functions use, directly or through others.

    A store may have one user: it stands there because nowhere else may know the tables' keys.
    """
    reached = [source.reached(handler.rpartition(".")[0]) for handler in handlers]
    for module in source.below("shared"):
        users = sum(module.name in modules for modules in reached)
        enough = 1 if module.name.startswith("shared.stores.") else 2
        if users < enough:
            yield f"{module.name} is used by {users}"


def test_shared_holds_only_what_two_functions_use(house: SourceTree, handlers: list[str]) -> None:
    assert not list(narrow(house, handlers))


def test_a_module_that_one_function_uses_is_caught(tmp_path: Path) -> None:
    source = tree(
        tmp_path,
        shared__both="",
        shared__deep="",
        shared__one="import shared.deep",
        shared__none="",
        query__api="from shared import both, one",
        pay__api="from shared.both import x",
        pay__sweep="import shared.deep",
    )
    found = set(narrow(source, ["query.api.handler", "pay.api.handler", "pay.sweep.handler"]))
    assert found == {"shared.one is used by 1", "shared.none is used by 0"}


# ---------------------------------------------------------------- one place knows the tables


def table_users(source: SourceTree) -> Iterator[str]:
    """Modules beside the stores that ask something of a table: each request names it."""
    for module in source.modules.values():
        names_one = any(isinstance(node, ast.Constant) and node.value == "TableName" for node in ast.walk(module.tree))
        if names_one and not module.name.startswith("shared.stores."):
            yield f"{module.name} asks a table"


def test_only_the_stores_know_keys_and_expressions(house: SourceTree) -> None:
    assert not list(table_users(house))


def test_a_key_outside_the_stores_is_caught(tmp_path: Path) -> None:
    asks = "def f(call):\n    return call('dynamodb', 'GetItem', {'TableName': 't'})"
    assert not list(table_users(tree(tmp_path, shared__stores__items=asks, notify__news="X = 'dynamodb'")))
    assert list(table_users(tree(tmp_path, notify__outages=asks))) == ["notify.outages asks a table"]


# ---------------------------------------------------------------- nothing is read at import


def early_reads(source: SourceTree) -> Iterator[str]:
    """Reads of the environment while a module is imported: by its settings, or by ``os`` itself."""
    for module in source.modules.values():
        readers = {known.alias for known in module.imports if known.module == "shared.settings"} & READERS
        for node in module.at_import():
            called = (
                node.func if isinstance(node, ast.Call) else node.value if isinstance(node, ast.Subscript) else None
            )
            text = ast.unparse(called) if called else ""
            if text in readers or re.fullmatch(r"(os\.)?(environ|getenv|environ\.\w+)|settings\.\w+", text):
                yield f"{module.name}:{node.lineno} reads the environment"  # type: ignore[attr-defined]


def test_nothing_reads_the_environment_at_import(house: SourceTree) -> None:
    assert not list(early_reads(house))


@pytest.mark.parametrize(
    "bad",
    [
        "import os\nX = os.environ['X']",
        "import os\nX = os.environ.get('X')",
        "from os import getenv\nX = getenv('X')",
        "from shared.settings import setting\nX = setting('X')",
        "from shared.settings import number\nclass C:\n    X = number('X')",
        "from shared.settings import setting\ndef f(x=setting('X')):\n    pass",
        "from shared import settings\nX = settings.setting('X')",
    ],
)
def test_a_read_at_import_is_caught(tmp_path: Path, bad: str) -> None:
    later = "from shared.settings import setting\nimport os\ndef f(x=os.environ):\n    return setting('X'), x['X']"
    assert not list(early_reads(tree(tmp_path, query__api=later)))
    assert len(list(early_reads(tree(tmp_path, query__lookup=bad)))) == 1


def test_the_environment_is_read_in_two_places(house: SourceTree) -> None:
    """By the settings, which the template is held to, and by the adapter that finds AWS as the SDK does."""
    readers = {name for name, module in house.modules.items() if re.search(r"\benviron\b|\bgetenv\b", module.text)}
    assert readers == {"shared.settings", "shared.aws_json"}


IMPORT_ALL = "import importlib, sys\nfor name in {names!r}:\n    importlib.import_module(name)\nprint('all')"


def test_every_module_is_imported_without_an_environment(house: SourceTree) -> None:
    assert python(IMPORT_ALL.format(names=sorted(house.modules))) == "all"


def test_a_module_that_needs_an_environment_is_caught(tmp_path: Path) -> None:
    tree(tmp_path, query__api="import os\nos.environ['TABLE']")
    assert "TABLE" in python(IMPORT_ALL.format(names=["query.api"]), first_on_path=tmp_path)


# ---------------------------------------------------------------- handlers

FIND = """
import importlib, json
missing = []
for handler in {handlers!r}:
    module, _, name = handler.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError):
        found = None
    if not callable(found):
        missing.append(handler)
print(json.dumps(missing))
"""


def missing(handlers: list[str], root: Path) -> list[str]:
    """Handlers that cannot be found or called."""
    found: list[str] = json.loads(python(FIND.format(handlers=handlers), first_on_path=root))
    return found


def test_every_handler_of_the_template_exists(handlers: list[str]) -> None:
    assert len(handlers) == len(set(handlers)) > 0
    assert not missing(handlers, FUNCTIONS)


def test_a_missing_handler_is_caught(tmp_path: Path) -> None:
    tree(tmp_path, query__api="def handler(): ...\nother = 1")
    wanted = ["query.api.handler", "query.api.other", "query.api.gone", "query.gone.handler"]
    assert missing(wanted, tmp_path) == wanted[1:]


# ---------------------------------------------------------------- third parties


def required(text: str) -> set[str]:
    """The import names of a requirements file: those of our packages are their own with underscores."""
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    names = (re.split(r"[^A-Za-z0-9_.-]", line)[0].replace("-", "_").lower() for line in lines if line)
    return {IMPORTED_AS.get(name, name) for name in names}


def third_parties(source: SourceTree) -> set[str]:
    """The top-level names of what is imported and neither ours nor Python's."""
    imported = {name for module in source.modules.values() for name in source.imported(module)}
    ours = {name.partition(".")[0] for name in source.modules}
    return {name.partition(".")[0] for name in imported} - ours - sys.stdlib_module_names


def test_third_parties_are_those_required(house: SourceTree) -> None:
    wanted = required((FUNCTIONS / "requirements.in").read_text(encoding="utf-8"))
    assert third_parties(house) - FROM_THE_RUNTIME == wanted - NEVER_IMPORTED


def test_an_unrequired_third_party_is_caught(tmp_path: Path) -> None:
    source = tree(
        tmp_path, query__api="import os, requests\nfrom shared.http import answer", shared__http="import boto3.x"
    )
    assert third_parties(source) == {"requests", "boto3"}
    assert required("# none\naws-lambda-powertools==3\norjson>=3,<4  # fast\n") == {"aws_lambda_powertools", "orjson"}


HEAVY = {
    "boto3",
    "botocore",
    "pydantic",
    "aws_xray_sdk",
    "urllib3",
    "aws_lambda_powertools",
    "http",
    "email",
    "pathlib",
}
"""The last three: Python's own client of HTTP with its parser of e-mails, and what each start would pay for in vain."""


def loaded(module: str, root: Path = FUNCTIONS) -> set[str]:
    """The modules of heavy packages that importing a module in a fresh process brings along."""
    names = json.loads(python(f"import json, sys, {module}\nprint(json.dumps(list(sys.modules)))", first_on_path=root))
    return {name for name in names if name.partition(".")[0] in HEAVY}


@pytest.mark.parametrize("module", ["query.api", "pay.on_callback"])
def test_what_somebody_waits_for_loads_nothing_heavy(module: str) -> None:
    assert not loaded(module)


@pytest.mark.parametrize("heavy", ["urllib3", "botocore.session", "pydantic", "http.client", "aws_lambda_powertools"])
def test_a_heavy_import_is_caught(tmp_path: Path, heavy: str) -> None:
    tree(tmp_path, query__api="import query.deep", query__deep=f"import {heavy}")
    assert heavy in loaded("query.api", tmp_path)


# ---------------------------------------------------------------- names


def shadows(source: SourceTree) -> Iterator[str]:
    """Top-level names that would hide Python's own or a third party's, and ways to make more names top-level."""
    hidden = sys.stdlib_module_names | third_parties(source) | FROM_THE_RUNTIME
    for name in sorted({name.partition(".")[0] for name in source.modules}):
        if name in hidden:
            yield f"{name} hides another module"
    for module in source.modules.values():
        if any(isinstance(node, ast.Attribute) and ast.unparse(node) == "sys.path" for node in ast.walk(module.tree)):
            yield f"{module.name} changes the path"


def test_no_module_hides_another(house: SourceTree) -> None:
    assert not list(shadows(house))
    assert {name.partition(".")[0] for name in house.modules} == {"shared", *AREAS}


def test_a_module_that_hides_another_is_caught(tmp_path: Path) -> None:
    source = tree(
        tmp_path, time="", boto3__session="", shared__domain__time="", shared__x="import sys\nsys.path.append('shared')"
    )
    assert list(shadows(source)) == [
        "boto3 hides another module",
        "time hides another module",
        "shared.x changes the path",
    ]


def test_names_within_the_house_are_not_reachable_from_outside(house: SourceTree) -> None:
    inner = sorted({name.rpartition(".")[2] for name in house.modules} & sys.stdlib_module_names)
    code = f"import importlib, json\nfound = [importlib.import_module(name) for name in {inner!r}]\n"
    code += "print(json.dumps([getattr(module, '__file__', None) or '' for module in found]))"
    assert "time" in inner
    assert not [path for path in json.loads(python(code)) if path.startswith(str(FUNCTIONS))]
