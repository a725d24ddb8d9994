"""What documents say of the template's functions and tables is what the template says."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from infra.docs_tables import ARCHITECTURE, DATA_MODEL, PRIVACY, RUNBOOK, with_tables
from tests.support.aws import template


@pytest.mark.parametrize("path", [ARCHITECTURE, DATA_MODEL, PRIVACY, RUNBOOK], ids=lambda path: path.name)
def test_the_documents_are_as_the_template_is(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert with_tables(text, template()) == text, "run `make docs`"


def test_a_right_a_trigger_or_a_key_that_changes_is_seen() -> None:
    written = "".join(path.read_text(encoding="utf-8") for path in (ARCHITECTURE, DATA_MODEL))
    changes = {
        "a right": lambda r: r["QueryApi"]["Properties"]["Policies"][0]["Statement"][0].update(Action="dynamodb:Scan"),
        "a trigger": lambda r: r["NotifySweep"]["Properties"]["Events"]["EveryMinute"].update(
            Properties={"Schedule": "rate(2 minutes)"}
        ),
        "a filter": lambda r: r["NotifyOnViolation"]["Properties"]["Events"]["Violation"]["Properties"].update(
            FilterCriteria={"Filters": [{"Pattern": "{}"}]}
        ),
        "a function": lambda r: r.update(QueryMore=r["QueryApi"]),
        "a condition": lambda r: r["PayApi"].update(Condition="Tells"),
        "a key": lambda r: r["Files"]["Properties"]["KeySchema"].pop(),
        "an index": lambda r: r["Messages"]["Properties"]["GlobalSecondaryIndexes"].pop(),
        "a stream": lambda r: r["Violations"]["Properties"].pop("StreamSpecification"),
        "a time to live": lambda r: r["Citizens"]["Properties"].pop("TimeToLiveSpecification"),
    }
    for what, change in changes.items():
        changed = copy.deepcopy(template())
        change(changed["Resources"])
        assert with_tables(written, changed) != written, f"{what} changed unseen"


def test_a_document_without_a_generated_part_is_refused() -> None:
    with pytest.raises(LookupError):
        with_tables("# A document\n", template())
