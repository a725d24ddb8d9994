"""What `sam build` made, brought into the form in which Lambda starts it fastest: `python -m infra.package FOLDER`.

All functions share one folder of code and one list of requirements, so that each package holds what only others need:
that is taken out, of our own code module by module. Bytecode is laid beside the source, and by its unchecked hash is
taken as it is: Lambda's file system is read-only, so every cold start would compile anew, and what a package unpacks to
has other times than its sources.

What a parameter says is in force only in a new version of a function, and SAM makes one only where its package differs,
or its variables as the template writes them: with a `!Ref`, whatever the parameter's value. So each package holds a
digest of all that says how functions run. https://github.com/aws/serverless-application-model/issues/3820
"""

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterator, Sequence
from hashlib import sha256
from importlib.metadata import Distribution, distributions
from pathlib import Path

from infra import help_page
from infra.local.config import ROOT
from infra.template import read

PYTHON = "python3.13"
"""The functions' own: no other reads its bytecode."""

MAX_PACKAGE_BYTES = 30 * 1024 * 1024
"""Of one package, unzipped."""

DEPLOYED_AT = "/var/task"
SAYS_HOW_FUNCTIONS_RUN = ("template.yaml", "samconfig.toml")
DIGEST = "deployed-as"
"""The file of a package that differs wherever they do."""

_IN_THE_RUNTIME = ("boto3", "botocore")
_UNNAMED = {"zoneinfo": "tzdata", "fpdf": "uharfbuzz"}
"""What a module needs although neither code nor its distribution names it."""

_DONE_WITHOUT = frozenset({"pillow"})
"""What a distribution names although it does without: fpdf2 takes Pillow for pictures, and no receipt has one."""

_UNREACHED = (
    "aws_lambda_powertools/event_handler",
    "aws_lambda_powertools/utilities/[!_j]*",  # its logger takes jmespath_utils
    "fontTools/**/*.c",
    "fontTools/**/*.so",  # of curves and feature files: a subset needs neither, and each has its module in Python
    "pydantic/v1",
)
"""Large parts of distributions that nothing of ours reaches."""


class PackageError(Exception):
    """A package is not as it should be; the message says which and why."""


def main(arguments: Sequence[str]) -> int:
    """Finish every package in a folder of `sam build`, and print their sizes; returns the exit code."""
    folder = Path(*arguments)
    digest = _digest(ROOT)
    resources = read(folder / "template.yaml")["Resources"]
    try:
        for name, resource in resources.items():
            if resource["Type"] == "AWS::Serverless::Function":
                properties = resource["Properties"]
                package = folder / properties["CodeUri"]
                size = finish(package, properties["Handler"], PYTHON)
                (package / DIGEST).write_text(digest)
                print(f"{name}: {_megabytes(size)} unzipped: {_largest(package)}")
    except PackageError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def finish(package: Path, handler: str, python: str) -> int:
    """Take out of a package what its handler never imports, and lay bytecode into it. Returns its size in bytes.

    Raises:
        PackageError: it does not compile, holds what the runtime has, or is too large.
    """
    for module in _IN_THE_RUNTIME:
        if (package / module).exists():
            raise PackageError(f"{package.name} holds {module}, which the Lambda runtime has")
    imported = _prune(package, handler.rpartition(".")[0])
    _lay_guide(package, imported)
    for stale in [*package.rglob("__pycache__")]:
        shutil.rmtree(stale)
    _compile(package, python)
    size = _size(package)
    if size > MAX_PACKAGE_BYTES:
        raise PackageError(f"{package.name} is {_megabytes(size)} unzipped, more than {_megabytes(MAX_PACKAGE_BYTES)}")
    return size


def _digest(root: Path) -> str:
    return sha256(b"\0".join((root / name).read_bytes() for name in SAYS_HOW_FUNCTIONS_RUN)).hexdigest()


def _size(path: Path) -> int:
    return sum(file.stat().st_size for file in (path.rglob("*") if path.is_dir() else [path]) if file.is_file())


def _largest(package: Path) -> str:
    """What dominates a package: its three largest parts."""
    parts = sorted(((_size(part), part.name) for part in package.iterdir()), reverse=True)
    return ", ".join(f"{name} {_megabytes(size)}" for size, name in parts[:3])


def _megabytes(size: int) -> str:
    return f"{size / 1024 / 1024:.1f} MB"


def _compile(package: Path, python: str) -> None:
    command = [python, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    paths = ["-s", str(package), "-p", DEPLOYED_AT, str(package)]
    done = subprocess.run([*command, *paths], capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise PackageError(f"{package.name} does not compile:\n{done.stdout}{done.stderr}")


# ---------------------------------------------------------------- what a handler needs


def _prune(package: Path, module: str) -> set[str]:
    """Take out what neither a module of ours nor what it imports needs, of ours and of distributions.

    Returns what the module imports.
    """
    held = {_key(distribution.name): distribution for distribution in distributions(path=[str(package)])}
    owner = {part.partition(".")[0]: key for key, distribution in held.items() for part in _parts(distribution)}
    imported = _imported(package, module, owner.keys())
    imported |= {needed for name, needed in _UNNAMED.items() if name in imported}
    asked = [owner[name] for name in imported if name in owner]
    needed: set[str] = set()
    while asked:
        key = asked.pop()
        if key in held and key not in needed | _DONE_WITHOUT:
            needed.add(key)
            asked += map(_key, _required(held[key]))
    unneeded = {package / part for key in held.keys() - needed for part in _parts(held[key])}
    for ours in (ROOT / "functions").glob("*/"):
        unneeded |= {*_unneeded(package, ours.name, imported)}
    for path in unneeded.union(*map(package.glob, _UNREACHED)):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    return imported


def _unneeded(package: Path, top: str, imported: Collection[str]) -> Iterator[Path]:
    """The files and folders of a folder of ours that no imported module is, or needs to be found or to read."""
    needed = {_source(package, name) for name in imported if name.partition(".")[0] == top}
    folders = {parent for path in needed if path for parent in path.parents}
    for path in (package / top, *(package / top).rglob("*")):
        if path.is_dir():
            holds_code = any(path.glob("*.py"))
            if holds_code and path not in folders:
                yield path
        elif path.suffix == ".py" and path.name != "__init__.py" and path not in needed:
            yield path


def _lay_guide(package: Path, imported: Collection[str]) -> None:
    """Lay the directorate's guide into the package of a function that publishes reports, and take it out of others."""
    if any(name.endswith(".help_page") for name in imported):
        help_page.write(package)
    else:
        (package / help_page.PLACE).unlink(missing_ok=True)


def _parts(distribution: Distribution) -> set[str]:
    """What a distribution has put into the package's folder."""
    return {file.parts[0] for file in distribution.files or () if file.parts[0] != ".."}


def _required(distribution: Distribution) -> Iterator[str]:
    """The names of what a distribution always requires. One that is for other systems is not there to be held."""
    for requirement in distribution.requires or ():
        if "extra ==" not in requirement:
            yield re.split(r"[^\w.-]", requirement)[0]


def _key(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _imported(package: Path, module: str, installed: Collection[str]) -> set[str]:
    """The modules of ours that one of them imports, itself or through others, at once or later; of all else the top."""
    found: set[str] = set()
    seen: set[str] = set()
    asked = [module]
    while asked:
        name = asked.pop()
        source = _source(package, name)
        top = name.partition(".")[0]
        if top in installed or source is None:
            found.add(top)
        elif name not in seen:
            seen.add(name)
            asked += _names(ast.parse(source.read_text(encoding="utf-8")))
    return found | seen


def _source(package: Path, module: str) -> Path | None:
    base = package / module.replace(".", "/")
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.exists()), None)


def _names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            # A name of a module, or a module of a package: what is neither of ours leads nowhere.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
