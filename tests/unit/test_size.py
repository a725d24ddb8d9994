"""The figures of ``make size``, and the bounds that hold what a newcomer has to read."""

from __future__ import annotations

import subprocess
from pathlib import Path

from infra.size import figures
from infra.template import ROOT

MAX_README_LINES = 150
MAX_TEMPLATE_LINES = 2_050
MAX_PARAMETERS = 60


def test_figures_are_of_what_git_knows(tmp_path: Path) -> None:
    files = {
        "functions/pay/api.py": "a\nb\n",
        "functions/requirements.txt": "x\n",
        "infra/cost.py": "a\n",
        "infra/locks/test.txt": "a\n",
        "infra/alarms.yaml": "Resources: {}\n",
        "template.yaml": "Parameters:\n  Phase: {Type: Number}\nResources: {}\n",
        "Makefile": "run: ## start\n\ttrue\nhidden:\n\ttrue\n",
        "tests/support/aws.py": "a\n",
        "tests/unit/test_a.py": "a\nb\nc\n",
        "tests/conftest.py": "a\n",
        "README.md": "a\n",
        "docs/files.md": "a\nb\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "docs" / "unknown.md").write_text("a\n")
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "--", *files], cwd=tmp_path, check=True)
    assert dict(figures(tmp_path)) == {
        "functions": 2,
        "infra": 8,
        "tests": 5,
        "docs": 3,
        "parameters": 1,
        "targets": 1,
        "helpers": 1,
    }


def test_what_a_newcomer_reads_stays_short() -> None:
    assert (ROOT / "README.md").read_bytes().count(b"\n") <= MAX_README_LINES
    assert (ROOT / "template.yaml").read_bytes().count(b"\n") <= MAX_TEMPLATE_LINES
    assert dict(figures(ROOT))["parameters"] <= MAX_PARAMETERS
