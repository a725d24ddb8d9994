"""`make docs`: write the parts of the documents that are made of template.yaml: its functions and its tables; the
kinds of items that hold a person; and the alarms that wake somebody.

Each stands between two comments that name it. A test holds that what stands there is what this writes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from infra.alarms import objectives, section
from infra.template import ROOT, Template, read
from shared.stores.privacy.kept import KINDS

ARCHITECTURE: Final = ROOT / "docs" / "architecture.md"
DATA_MODEL: Final = ROOT / "docs" / "data-model.md"
PRIVACY: Final = ROOT / "docs" / "privacy.md"
RUNBOOK: Final = ROOT / "docs" / "runbook.md"

_PROJECTIONS: Final = {"ALL": "all attributes", "KEYS_ONLY": "keys only"}
_IMAGES: Final = {"NEW_AND_OLD_IMAGES": "the item before and after", "NEW_IMAGE": "the item after"}
_TABLES: Final = "dynamodb:"
_NONE: Final = "–"


def with_tables(text: str, template: Template) -> str:
    """A document whose generated parts are as the template has them.

    Raises:
        LookupError: the document has no such part.
    """
    parts = {f"<!-- {name} -->": (f"<!-- /{name} -->", rows) for name, rows in _PARTS.items()}
    there = [begin for begin in parts if begin in text]
    if not there:
        raise LookupError("no part of the document is generated")
    for begin in there:
        end, rows = parts[begin]
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = "\n".join([f"{before}{begin}", "", *rows(template), "", f"{end}{after}"])
    return text


def main() -> None:
    """Write them into the documents."""
    template = read()
    for path in (ARCHITECTURE, DATA_MODEL, PRIVACY, RUNBOOK):
        path.write_text(with_tables(path.read_text(encoding="utf-8"), template), encoding="utf-8")


# ---------------------------------------------------------------- functions


def _functions(template: Template) -> Iterator[str]:
    """A row for each function: what runs, whether it is always made, what calls it and what it may do."""
    yield "| function | made | called by | may do to tables | may do besides |"
    yield "| --- | --- | --- | --- | --- |"
    for name, function in _of_type(template, "AWS::Serverless::Function").items():
        rights = _rights(template, name)
        of_tables = [granted for granted in rights if _TABLES in granted]
        besides = [granted for granted in rights if _TABLES not in granted]
        cells = (
            f"`{name}`<br>`{function['Handler'].rpartition('.')[0].replace('.', '/')}`",
            _condition(template["Resources"][name]),
            "<br>".join(_callers(template, name)),
            "<br>".join(of_tables).replace(_TABLES, "") or _NONE,
            "<br>".join(besides) or _NONE,
        )
        yield f"| {' | '.join(cells)} |"


def _condition(resource: Mapping[str, Any]) -> str:
    return f"if `{resource['Condition']}`" if "Condition" in resource else "always"


def _callers(template: Template, name: str) -> Iterator[str]:
    """What calls a function, in the order of the template."""
    for event in _of_type(template, "AWS::Serverless::Function")[name].get("Events", {}).values():
        yield _event(event["Type"], event["Properties"])
    for permission in _of_type(template, "AWS::Lambda::Permission").values():
        if _named(permission["FunctionName"]) == f"`{name}`":
            yield f"`{permission['Principal']}`, by {_named(permission['SourceArn'])}"


def _event(kind: str, properties: Mapping[str, Any]) -> str:
    match kind:
        case "HttpApi":
            return f"`{properties['Method']} {properties['Path']}`" if "Path" in properties else "any other path"
        case "Schedule":
            schedule = properties["Schedule"]
            return f"schedule {_named(schedule)}" if isinstance(schedule, dict) else f"`{schedule}`"
        case "SQS":
            return f"queue {_named(properties['Queue'])}"
        case "DynamoDB":
            patterns = [f"`{each['Pattern']}`" for each in properties["FilterCriteria"]["Filters"]]
            return f"stream of {_named(properties['Stream'])} where {' or '.join(patterns)}"
        case "CloudWatchLogs":
            return f"log group {_named(properties['LogGroupName'])}"
    raise ValueError(f"an event of another kind: {kind}")


def _rights(template: Template, name: str) -> list[str]:
    """What a function's role allows: on what, and which actions. What allows the same stands together."""
    actions: dict[str, set[str]] = {}
    for statement in _statements(template, name):
        for resource in _listed(statement["Resource"]):
            what = f"{'never ' if statement['Effect'] == 'Deny' else ''}{_named(resource)}"
            actions.setdefault(what, set()).update(_listed(statement["Action"]))
    together: dict[str, list[str]] = {}
    for what in sorted(actions):
        together.setdefault(", ".join(sorted(actions[what])), []).append(what)
    return [f"{', '.join(what)}: {granted}" for granted, what in together.items()]


def _statements(template: Template, name: str) -> Iterator[Mapping[str, Any]]:
    for policy in _of_type(template, "AWS::Serverless::Function")[name].get("Policies", []):
        yield from policy["Statement"]
    for policy in _of_type(template, "AWS::IAM::ManagedPolicy").values():
        if f"{name}Role" in str(policy.get("Roles")):
            yield from policy["PolicyDocument"]["Statement"]


# ---------------------------------------------------------------- tables


def _tables(template: Template) -> Iterator[str]:
    """A row for each table and each of its indexes."""
    yield "| table | key | index: its key, and what it holds | stream | forgets by |"
    yield "| --- | --- | --- | --- | --- |"
    for name, table in _of_type(template, "AWS::DynamoDB::Table").items():
        stream = table.get("StreamSpecification", {}).get("StreamViewType")
        cells = (
            f"`{name}`",
            _key(table),
            "<br>".join(map(_index, table.get("GlobalSecondaryIndexes", []))) or _NONE,
            _IMAGES[stream] if stream else _NONE,
            f"`{table['TimeToLiveSpecification']['AttributeName']}`" if "TimeToLiveSpecification" in table else _NONE,
        )
        yield f"| {' | '.join(cells)} |"


def _index(index: Mapping[str, Any]) -> str:
    return f"`{index['IndexName']}`: {_key(index)}; {_PROJECTIONS[index['Projection']['ProjectionType']]}"


def _key(table_or_index: Mapping[str, Any]) -> str:
    return ", ".join(f"`{part['AttributeName']}`" for part in table_or_index["KeySchema"])


# ---------------------------------------------------------------- persons


def _persons(_: Template) -> Iterator[str]:
    """A row for each kind of item that holds a person."""
    yield "| table | item | in the export as | after an erasure |"
    yield "| --- | --- | --- | --- |"
    for kind in KINDS:
        fate = f"{kind.fate}: {kind.why}" if kind.why else kind.fate
        yield f"| `{kind.table}` | `{kind.key}` | {f'`{kind.told}`' if kind.told else _NONE} | {fate} |"


# ---------------------------------------------------------------- the template


def _wake(_: Template) -> Iterator[str]:
    """A row for each objective whose alarms wake somebody."""
    yield "| alarm | it rings when | why it cannot wait |"
    yield "| --- | --- | --- |"
    for name, objective in objectives().items():
        if why := objective.get("wake"):
            yield f"| [{name}](#{section(name)}) | {objective['says']} | {why} |"


def _of_type(template: Template, kind: str) -> dict[str, Any]:
    """The properties of all resources of a type, by logical id."""
    return {
        name: resource["Properties"] for name, resource in template["Resources"].items() if resource["Type"] == kind
    }


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _named(value: Any) -> str:
    """What a reference, or a part of what it refers to, is called in a table."""
    match value:
        case "*":
            return "anything"
        case {"Ref": str(name)}:
            return f"`{name.removesuffix('Aliaslive').removesuffix('.Version')}`"
        case {"Fn::GetAtt": [str(name), *_]}:
            return f"`{name}`"
        case {"Fn::Sub": str(text)}:
            return _of_text(text)
        case {"Fn::If": [_, chosen, _]}:
            return _named(chosen)
    raise ValueError(f"not a reference: {value}")


def _of_text(text: str) -> str:
    """The same of a substituted text: an index, objects of a bucket, or an address of AWS's."""
    if found := re.fullmatch(r"\$\{(\w+)\.Arn\}/index/(\w+)", text):
        return f"`{found[2]}` of `{found[1]}`"
    if found := re.fullmatch(r"\$\{(\w+)\.Arn\}/(.+)", text):
        return f"`{found[2]}` in `{found[1]}`"
    address = re.sub(r"\$\{(?:AWS::)?(.+?)\}", r"<\1>", text)
    return f"`{address}`"


_PARTS: Final[dict[str, Callable[[Template], Iterator[str]]]] = {
    "functions": _functions,
    "tables": _tables,
    "persons": _persons,
    "wake": _wake,
}
"""What is generated, by the name in its comments."""


if __name__ == "__main__":
    main()
