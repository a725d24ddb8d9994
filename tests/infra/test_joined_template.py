"""The template is joined from files: what is wrong with one is refused, and what reads files gets the whole."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from infra import template
from infra.template import TEMPLATE, TemplateError, loaded, read
from tests.infra.reading import ROOT

FIRST = """
Parameters:
  Mode: {Type: String}
Conditions:
  Open: !Equals [!Ref Mode, "on"]
Resources:
  Work:
    Type: AWS::Serverless::Function
    Properties: {Events: {Job: {Type: SQS, Properties: {Queue: !GetAtt Queue.Arn}}, Ask: {Type: HttpApi}}}
  Queue: {Type: AWS::SQS::Queue}
"""
SECOND = """
Resources:
  Alarm:
    Type: AWS::CloudWatch::Alarm
"""


def joined(folder: Path, first: str = FIRST, second: str = SECOND) -> template.Template:
    """What is read of two files with these texts."""
    files = [folder / "first.yaml", folder / "second.yaml"]
    for file, text in zip(files, (first, second), strict=True):
        file.write_text(text, encoding="utf-8")
    return read(*files)


def test_the_whole_is_all_files() -> None:
    alone, whole = loaded(TEMPLATE), read()
    names = whole["Resources"].keys() - alone["Resources"].keys()
    added = {name: whole["Resources"].pop(name) for name in names}
    assert {resource["Type"] for resource in added.values()} == {
        "AWS::CloudWatch::Alarm",
        "AWS::CloudWatch::Dashboard",
        "AWS::Backup::BackupVault",
        "AWS::Backup::BackupPlan",
        "AWS::Backup::BackupSelection",
        "AWS::IAM::Role",
    }
    assert whole == alone


def test_two_files_are_joined(tmp_path: Path) -> None:
    whole = joined(tmp_path)
    assert list(whole["Resources"]) == ["Work", "Queue", "Alarm"]
    assert whole["Conditions"] == {"Open": {"Fn::Equals": [{"Ref": "Mode"}, "on"]}}


def test_either_file_may_refer_to_the_other(tmp_path: Path) -> None:
    joined(tmp_path, f"{FIRST}Outputs: {{It: {{Value: !Ref Alarm}}}}\n", f"{SECOND}    DependsOn: Queue\n")


# ---------------------------------------------------------------- a name twice


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{FIRST}  Queue: {{Type: AWS::SQS::Queue}}\n", "line 11: Queue"),
        (f"{FIRST}Conditions: {{}}\n", "line 11: Conditions"),
        (FIRST.replace("{Type: HttpApi}", "{Type: HttpApi, Type: SQS}"), "line 9: Type"),
        (FIRST.replace("!Ref Mode", "!Sub ['${A}', {A: x, A: y}]"), "line 5: A"),
    ],
)
def test_a_name_twice_in_one_file_is_caught(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(TemplateError, match=rf"first\.yaml, {said} stands there twice"):
        joined(tmp_path, text)


@pytest.mark.parametrize("name", ["Queue", "Mode"])
def test_a_name_in_both_files_is_caught(tmp_path: Path, name: str) -> None:
    """A parameter and a resource of one name are no less alike: a Ref could mean either."""
    with pytest.raises(TemplateError, match=rf"second\.yaml declares what stands in another file already: {name}$"):
        joined(tmp_path, second=SECOND.replace("Alarm:", f"{name}:", 1))


# ---------------------------------------------------------------- a reference to nothing


@pytest.mark.parametrize(
    "reference",
    [
        "Value: !Ref Gone",
        "Value: !Ref Gone.Version",
        "Value: {Ref: Gone}",
        "Value: !GetAtt Gone.Arn",
        "Value: {'Fn::GetAtt': Gone.Arn}",
        "Value: {'Fn::GetAtt': [Gone, Arn]}",
        "Value: !Sub 'x/${Queue.Arn}/${Gone}'",
        "Value: !Sub ['${Here}/${Gone.Arn}', {Here: x}]",
        "Value: !Sub ['${Here}', {Here: !Ref Gone}]",
        "Value: [{Deep: !If [Open, x, !Ref Gone]}]",
        "DependsOn: Gone",
        "DependsOn: [Queue, Gone]",
    ],
)
def test_a_reference_to_nothing_is_caught(tmp_path: Path, reference: str) -> None:
    with pytest.raises(TemplateError, match=r"second\.yaml .* not there: resource or parameter Gone$"):
        joined(tmp_path, second=f"{SECOND}    {reference}\n")


@pytest.mark.parametrize("reference", ["Condition: Gone", "Value: !If [Gone, x, y]", "Value: !Condition Gone"])
def test_a_condition_that_is_not_there_is_caught(tmp_path: Path, reference: str) -> None:
    with pytest.raises(TemplateError, match=r"second\.yaml .* not there: condition Gone$"):
        joined(tmp_path, second=f"{SECOND}    {reference}\n")


@pytest.mark.parametrize("section", ["Outputs: {It: {Value: !Ref Gone}}", "Globals: {Function: {Role: !Ref Gone}}"])
def test_every_section_is_looked_through(tmp_path: Path, section: str) -> None:
    with pytest.raises(TemplateError, match=r"first\.yaml .* not there: resource or parameter Gone$"):
        joined(tmp_path, f"{FIRST}{section}\n")


@pytest.mark.parametrize(
    "fine",
    [
        "Value: [!Ref Queue, !Ref Mode, !Ref AWS::Region, !GetAtt Queue.Arn]",
        "Value: !Sub '${AWS::StackName}-${Queue.Arn}-${!Gone}'",
        "Value: !Sub ['${Gone}', {Gone: x}]",
        "Value: {Statement: [{Condition: {Bool: {Gone: true}}}]}",
        "Value: [!Ref WorkRole, !Ref WorkJob]",
        "Condition: Open",
        "DependsOn: [Work]",
    ],
)
def test_what_is_there_may_be_referred_to(tmp_path: Path, fine: str) -> None:
    joined(tmp_path, second=f"{SECOND}    {fine}\n")


@pytest.mark.parametrize("made", ["WorkAsk", "QueueRole"])
def test_what_sam_does_not_make_is_not_there(tmp_path: Path, made: str) -> None:
    with pytest.raises(TemplateError, match=f"{made}$"):
        joined(tmp_path, second=f"{SECOND}    Value: !Ref {made}\n")


# ---------------------------------------------------------------- what is no template


@pytest.mark.parametrize(
    ("second", "said"),
    [
        ("", "holds no template"),
        ("- Resources", "holds no template"),
        ("Resources: [", "second.yaml"),
        ("Conditions: {}", "must hold Resources alone"),
        (f"{SECOND}Conditions: {{}}", "must hold Resources alone"),
    ],
)
def test_what_cannot_be_joined_is_refused(tmp_path: Path, second: str, said: str) -> None:
    with pytest.raises(TemplateError, match=re.escape(said)):
        joined(tmp_path, second=second)


# ---------------------------------------------------------------- written for what reads files


def test_the_written_whole_is_what_is_read(tmp_path: Path) -> None:
    file = tmp_path / "made" / "template.yaml"
    assert template.main([str(file)]) == 0
    written, whole = read(file), read()
    code = written["Globals"]["Function"].pop("CodeUri")
    assert (file.parent / code).resolve() == ROOT / whole["Globals"]["Function"].pop("CodeUri").rstrip("/")
    assert written == whole


def test_nothing_is_written_of_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("Resources: {Odd: !Ref Gone}")
    monkeypatch.setattr(template, "PARTS", (broken,))
    assert template.main([str(tmp_path / "whole.yaml")]) == 1
    assert "Gone" in capsys.readouterr().err
    assert not (tmp_path / "whole.yaml").exists()


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize(
    ("target", "tools"), [("check", {"cfn-lint", "sam validate", "checkov"}), ("build", {"sam build"})]
)
def test_what_reads_files_gets_the_whole(target: str, tools: set[str]) -> None:
    """Else it would be checked, or deployed, without its alarms."""
    ran = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", target], cwd=ROOT, capture_output=True, text=True, check=True
    )
    lines = ran.stdout.splitlines()
    (joining,) = (number for number, line in enumerate(lines) if "-m infra.template .aws-sam/template.yaml" in line)
    found = {
        tool
        for line in lines[joining + 1 :]
        for tool in tools
        if re.search(rf"\b{tool} ", line) and re.search(r" \.aws-sam/template\.yaml( |$)", line)
    }
    assert found == tools
    assert not [line for line in lines if re.search(r"[ /]template\.yaml", line.replace(".aws-sam/template.yaml", ""))]
