"""What is deployed: what the handler needs, bytecode that is taken as it is, nothing that the runtime has."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra import help_page, package
from infra.local.config import ROOT
from tests.support.aws import template

UNCHECKED_HASH = 0b01  # PEP 552: by hash, and not to be checked against the source


def flags(bytecode: Path) -> int:
    return int.from_bytes(bytecode.read_bytes()[4:8], "little")


def install(package: Path, name: str, *requires: str) -> None:
    """What pip leaves of a distribution: a module of its name, and what it says of itself."""
    info = package / f"{name}-1.0.dist-info"
    module = name.replace("-", "_").lower()
    (package / module).mkdir()
    (package / module / "__init__.py").write_text("")
    info.mkdir()
    required = "".join(f"Requires-Dist: {each}\n" for each in requires)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{required}")
    (info / "RECORD").write_text(f"{module}/__init__.py,,\n{info.name}/METADATA,,\n{info.name}/RECORD,,\n")


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A package as `sam build` leaves it, with what an older Python left behind."""
    folder = tmp_path / "QueryApi"
    files = {
        "query/__init__.py": "",
        "query/api.py": "import json\nfrom shared import http\ndef handler(): from shared.stores.deep import late",
        "shared/__init__.py": "",
        "shared/http.py": "import fast_json.encoder, zoneinfo",
        "shared/stores/deep.py": "import late_one",
        "pay/__init__.py": "",
        "pay/api.py": "import heavy_one",
        "ingest/__init__.py": "",
        "ingest/reporting/__init__.py": "",
        "ingest/sweep.py": "from ingest.reporting import help_page",
        "ingest/reporting/help_page.py": "",
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    install(folder, "Fast-JSON", "needed_too>=2 ; python_version > '3'", "never ; extra == 'more'", "not-held")
    install(folder, "needed-too")
    for name in ("late-one", "heavy-one", "never", "tzdata"):
        install(folder, name)
    stale = folder / "query" / "__pycache__" / "api.cpython-38.pyc"
    stale.parent.mkdir()
    stale.write_bytes(b"stale")
    return folder


@pytest.fixture
def command(built: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for the command: the package beside the template that `sam build` leaves."""
    monkeypatch.setattr(package, "PYTHON", sys.executable)
    (built.parent / "template.yaml").write_text(
        "Resources:\n  QueryApi:\n    Type: AWS::Serverless::Function\n"
        "    Properties: {CodeUri: QueryApi, Handler: query.api.handler}\n"
        "  Table:\n    Type: AWS::DynamoDB::Table\n"
    )
    return built.parent


def finish(built: Path, handler: str = "query.api.handler") -> int:
    return package.finish(built, handler, sys.executable)


class TestFinishing:
    def test_what_the_handler_never_imports_is_taken_out(self, built: Path) -> None:
        finish(built)
        held = {path.name for path in built.iterdir()}
        assert {"fast_json", "needed_too", "late_one", "tzdata", "Fast-JSON-1.0.dist-info"} <= held
        assert not held & {"heavy_one", "never", "heavy-one-1.0.dist-info", "never-1.0.dist-info"}

    def test_of_our_own_code_what_it_imports_stays_and_what_that_reads(self, built: Path) -> None:
        for name in ("query/openapi.json", "query/fonts/a.ttf", "query/other.py", "pay/receipt/fonts/b.ttf"):
            (built / name).parent.mkdir(parents=True, exist_ok=True)
            (built / name).write_text("")
        finish(built)
        held = {str(path.relative_to(built)) for path in built.rglob("*") if path.is_file() and path.suffix != ".pyc"}
        ours = {name for name in held if name.partition("/")[0] in ("query", "shared", "pay", "ingest")}
        assert ours == {
            *("query/__init__.py", "query/api.py", "query/openapi.json", "query/fonts/a.ttf"),
            *("shared/__init__.py", "shared/http.py", "shared/stores/deep.py"),
        }

    def test_what_another_handler_imports_is_another_matter(self, built: Path) -> None:
        finish(built, "pay.api.handler")
        held = {path.name for path in built.iterdir()}
        assert "heavy_one" in held
        assert not held & {"fast_json", "needed_too", "late_one", "tzdata"}

    def test_every_module_has_bytecode_that_is_not_checked(self, built: Path) -> None:
        size = finish(built)
        found = [*built.rglob("*.pyc")]
        assert len(found) == len([*built.rglob("*.py")])
        assert {flags(bytecode) for bytecode in found} == {UNCHECKED_HASH}
        assert size == sum(file.stat().st_size for file in built.rglob("*") if file.is_file())

    def test_traces_name_the_file_where_lambda_has_it(self, built: Path) -> None:
        finish(built)
        (bytecode,) = (built / "query" / "__pycache__").glob("api.*.pyc")
        assert b"/var/task/query/api.py" in bytecode.read_bytes()

    def test_what_nothing_of_ours_reaches_is_taken_out(self, built: Path) -> None:
        for name in ("fontTools/misc/bezier.so", "fontTools/misc/bezier.py", "pydantic/v1/main.py", "pydantic/main.py"):
            (built / name).parent.mkdir(parents=True, exist_ok=True)
            (built / name).write_text("")
        finish(built)
        held = {str(path.relative_to(built)) for path in built.rglob("*") if path.suffix != ".pyc"}
        assert {"fontTools/misc/bezier.py", "pydantic/main.py"} <= held
        assert not held & {"fontTools/misc/bezier.so", "pydantic/v1"}

    def test_the_guide_is_where_reports_are_published_and_nowhere_else(self, built: Path) -> None:
        other = shutil.copytree(built, built.with_name("IngestSweep"))
        for each in (built, other):
            (each / help_page.PLACE).write_text("of an older build")
        finish(other, "ingest.sweep.handler")
        assert 'id="date_ahead"' in (other / help_page.PLACE).read_text(encoding="utf-8")
        finish(built)
        assert not (built / help_page.PLACE).exists()

    def test_finishing_twice_is_finishing_once(self, built: Path) -> None:
        assert finish(built) == finish(built)

    @pytest.mark.parametrize("module", ["boto3", "botocore"])
    def test_what_the_runtime_has_is_refused(self, built: Path, module: str) -> None:
        (built / module).mkdir()
        with pytest.raises(package.PackageError, match=f"QueryApi holds {module}"):
            finish(built)

    def test_what_does_not_compile_is_refused(self, built: Path) -> None:
        (built / "fast_json" / "bad.py").write_text("def")
        with pytest.raises(package.PackageError, match=r"does not compile:\n.*bad\.py"):
            finish(built)

    def test_what_is_too_large_is_refused(self, built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(package, "MAX_PACKAGE_BYTES", 100)
        with pytest.raises(package.PackageError, match=r"QueryApi is .* unzipped, more than"):
            finish(built)

    def test_the_command_prints_sizes_and_says_what_is_wrong(
        self, command: Path, built: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert package.main([str(command)]) == 0
        assert capsys.readouterr().out.startswith("QueryApi: 0.0 MB unzipped: ")
        (built / "boto3").mkdir()
        assert package.main([str(command)]) == 1
        assert "boto3" in capsys.readouterr().err

    @pytest.mark.parametrize("changed", ["template.yaml", "samconfig.toml"])
    def test_another_parameter_makes_another_package(
        self,
        command: Path,
        built: Path,
        tmp_path_factory: pytest.TempPathFactory,
        monkeypatch: pytest.MonkeyPatch,
        changed: str,
    ) -> None:
        """Else SAM would make no new version of the function, and the alias would keep what the old one was told."""
        source = tmp_path_factory.mktemp("source")
        for name in ("template.yaml", "samconfig.toml"):
            shutil.copy(ROOT / name, source)
        monkeypatch.setattr(package, "ROOT", source)
        packages = []
        for text in ("", "", "# another\n"):
            with (source / changed).open("a") as said:
                said.write(text)
            assert package.main([str(command)]) == 0
            packages.append({path: path.read_bytes() for path in built.rglob("*") if path.is_file()})
        assert packages[0] == packages[1] != packages[2]


# ---------------------------------------------------------------- the packages themselves

NATIVE = ("orjson", "pydantic-core", "cryptography", "cffi", "uharfbuzz", "xxhash")
"""What is compiled for the functions' processor; this machine's own stand in for them where it has another."""

IMPORT = """
import importlib, json, sys
sys.path[:0] = {paths!r}
importlib.import_module({module!r})
{then}
ours = [module for module in sys.modules.values() if getattr(module, "__cached__", None)]
print(json.dumps([module.__cached__ for module in ours if module.__name__.split(".")[0] in ("query", "shared")]))
"""

DRAW = """
from pay.receipt.pdf import Receipt, draw
from shared.domain.payment import Line, Payment, PaymentStatus
at = "2026-11-20T12:00:00+03:00"
line = Line("1", 50_000, "DE#11#ز#739418", "7", "11")
paid = Payment("0" * 32, "1", "qicard", PaymentStatus.PAID, (line,), 50_000, at, at, "https://a.example", paid_at=at)
paid = paid._replace(receipt_no="GH-1")
assert draw(Receipt(paid, "https://a.example/1", "ar")).startswith(b"%PDF-")
"""


def _python_of_the_functions() -> str | None:
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for candidate in [shutil.which("python3.13"), *sorted(pyenv.glob("3.13*/bin/python3.13"))]:
        if candidate and subprocess.run([candidate, "-c", ""], capture_output=True, check=False).returncode == 0:
            return str(candidate)
    return None


PYTHON = _python_of_the_functions()


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make build` makes. Downloads the functions' dependencies."""
    if PYTHON is None:
        pytest.skip("python3.13 is not installed")
    folder = tmp_path_factory.mktemp("build")
    path = f"{Path(PYTHON).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["make", "build", f"BUILD={folder}", f"PYTHON={sys.executable}"],
        cwd=ROOT,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert "QueryApi: " in done.stdout
    return folder


@pytest.mark.slow
@pytest.mark.timeout(1500)
class TestPackages:
    def test_each_function_has_one_within_bounds(self, packages: Path) -> None:
        resources = template()["Resources"].items()
        functions = {name for name, resource in resources if resource["Type"] == "AWS::Serverless::Function"}
        found = {path.name for path in packages.iterdir() if path.is_dir()}
        assert found == functions
        for name in found:
            assert not {path.name for path in (packages / name).iterdir()} & {"boto3", "botocore"}
            size = sum(file.stat().st_size for file in (packages / name).rglob("*") if file.is_file())
            assert size <= (5 * 1024 * 1024 if name == "QueryApi" else package.MAX_PACKAGE_BYTES)
            assert {flags(bytecode) for bytecode in (packages / name).rglob("*.pyc")} == {UNCHECKED_HASH}

    def test_each_imports_on_the_functions_python_from_its_bytecode(self, packages: Path, tmp_path: Path) -> None:
        assert PYTHON
        pip = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
        pinned = [
            line.split()[0]
            for lock in ("functions/requirements.txt", "infra/locks/local.txt")
            for line in (ROOT / lock).read_text().splitlines()
            if line.partition("==")[0] in (*NATIVE, "boto3")
        ]
        host = tmp_path / "host"
        subprocess.run([*pip, "--target", str(host), *dict.fromkeys(pinned)], check=True, capture_output=True)
        for name, resource in template()["Resources"].items():
            if resource["Type"] != "AWS::Serverless::Function":
                continue
            module = resource["Properties"]["Handler"].rpartition(".")[0]
            code = IMPORT.format(
                paths=[str(host), str(packages / name)], module=module, then=DRAW if module == "pay.receipts" else ""
            )
            done = subprocess.run([PYTHON, "-I", "-c", code], capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{name}: {done.stderr}"
            cached = [Path(path) for path in json.loads(done.stdout)]
            assert cached
            assert {flags(bytecode) for bytecode in cached} == {UNCHECKED_HASH}
