"""The SAM template, read in one place: `template.yaml`, and `infra/alarms.yaml` and `infra/copies.yaml` joined to it.

`python -m infra.template FILE` writes the whole into one file, which `sam` builds and what checks templates reads.

The files are deployed as one: what undoes a rollout stands among the alarms, and template.yaml refers to it.
"""

import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import yaml
from samtranslator.yaml_helper import intrinsics_multi_constructor

ROOT: Final = Path(__file__).resolve().parents[1]
TEMPLATE: Final = ROOT / "template.yaml"
ALARMS: Final = ROOT / "infra" / "alarms.yaml"
COPIES: Final = ROOT / "infra" / "copies.yaml"
PARTS: Final = (TEMPLATE, ALARMS, COPIES)

Template = dict[str, Any]


class TemplateError(Exception):
    """A template is not to be deployed; the message names the file, what is wrong with it and where."""


class Reference(NamedTuple):
    """What a template refers to. A parameter is told from a resource by its name alone."""

    to: Literal["resource or parameter", "condition"]
    name: str


def read(*files: Path) -> Template:
    """Read a SAM template, with the short forms of intrinsic functions written out.

    Args:
        files: what it is joined from; without any, the platform's own. All but the first hold resources alone.

    Raises:
        TemplateError: a name stands twice in one place of a file, or in two files; a file refers to what is in none;
            it is no YAML, or not what can be joined.
    """
    first, *others = files or PARTS
    whole = loaded(first)
    parts = [(first, {**whole})]
    for file in others:
        added = loaded(file)
        parts.append((file, added))
        if added.keys() != {"Resources"}:
            raise TemplateError(f"{file} is joined to another, so it must hold Resources alone")
        if twice := added["Resources"].keys() & _declared(whole):
            raise TemplateError(f"{file} declares what stands in another file already: {_listed(twice)}")
        whole["Resources"] = whole["Resources"] | added["Resources"]
    for file, part in parts:
        _check_references(part, whole, file)
    return whole


def write(file: Path) -> None:
    """Write the whole template into one file. Paths in it begin at its own folder, as SAM reads them.

    Raises:
        TemplateError: as `read` does.
    """
    whole = read()
    common = whole["Globals"]["Function"]
    common["CodeUri"] = os.path.relpath(ROOT / common["CodeUri"], file.parent)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump(whole, sort_keys=False, allow_unicode=True), encoding="utf-8")


def transformed(values: Mapping[str, str], region: str, *files: Path) -> Template:
    """Transform a template as CloudFormation does with SAM's; its conditions are left open.

    Args:
        values: parameters that differ from their defaults.
        region: for which it is made.
        files: as `read` takes them.
    """
    import boto3
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.translator import Translator

    template = read(*files)
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://bucket/key"
    parameters = {name: str(one.get("Default", "")) for name, one in template["Parameters"].items()}
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name=region))
    result: Template = translator.translate(template, parameter_values={**parameters, **values})
    return result


def references(value: Any) -> Iterator[Reference]:
    """Find what a part of a template refers to, by Ref, GetAtt, Sub, DependsOn, Condition or If."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _of_pair(key, inner)


def main(arguments: Sequence[str]) -> int:
    """Write the whole template into the named file; returns the exit code."""
    try:
        write(Path(*arguments))
    except TemplateError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


# ---------------------------------------------------------------- YAML


class _Loader(yaml.CSafeLoader):
    """SAM's YAML, in which nothing stands twice: of two equal keys YAML itself takes the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                mark = key.start_mark
                raise TemplateError(f"{mark.name}, line {mark.line + 1}: {key.value} stands there twice")
            seen.add(key.value)
        return super().construct_mapping(node, deep)


_Loader.add_multi_constructor("!", intrinsics_multi_constructor)


def loaded(file: Path) -> Template:
    """Read one file as :func:`read` does, whatever it refers to. Raises TemplateError."""
    with file.open("rb") as stream:
        try:
            template: Template = yaml.load(stream, _Loader)  # noqa: S506  a safe loader
        except yaml.YAMLError as error:
            raise TemplateError(str(error)) from error
    if not isinstance(template, dict):
        raise TemplateError(f"{file} holds no template")
    return template


# ---------------------------------------------------------------- names


def _of_pair(key: str, value: Any) -> Iterator[Reference]:
    match key, value:
        case "Ref", str(name):
            yield _resource(name)
        case "Fn::GetAtt", [str(name), *_] | str(name):
            yield _resource(name)
        case "Fn::Sub", str(text):
            yield from map(_resource, _substituted(text))
        case "Fn::Sub", [str(text), dict(variables)]:
            yield from map(_resource, _substituted(text) - variables.keys())
            yield from references(variables)
        case "DependsOn", str(name):
            yield _resource(name)
        case "DependsOn", list(names):
            yield from map(_resource, names)
        case "Condition", str(name):
            yield Reference("condition", name)
        case "Fn::If", [str(name), *branches]:
            yield Reference("condition", name)
            yield from references(branches)
        case _:
            yield from references(value)


def _resource(name: str) -> Reference:
    """Of a resource or one of its attributes."""
    return Reference("resource or parameter", name.partition(".")[0])


def _substituted(text: str) -> set[str]:
    """The names that a text takes values of; `${!Name}` stays as it is."""
    return set(re.findall(r"\$\{([^!{}][^{}]*)\}", text))


def _declared(template: Template) -> set[str]:
    return {*template.get("Parameters", {}), *template.get("Resources", {})}


def _made_by_sam(template: Template) -> Iterator[str]:
    """Resources that SAM makes of functions, as it names them."""
    for name, resource in template.get("Resources", {}).items():
        if resource.get("Type") == "AWS::Serverless::Function":
            yield f"{name}Role"
            yield f"{name}Aliaslive"
            events = resource["Properties"].get("Events", {})
            yield from (f"{name}{event}" for event, one in events.items() if one.get("Type") in ("DynamoDB", "SQS"))


def _check_references(template: Template, whole: Template, file: Path) -> None:
    known = {
        "resource or parameter": _declared(whole) | set(_made_by_sam(whole)),
        "condition": whole.get("Conditions", {}).keys(),
    }
    missing = {
        f"{reference.to} {reference.name}"
        for reference in references(template)
        if reference.name not in known[reference.to] and not reference.name.startswith("AWS::")
    }
    if missing:
        raise TemplateError(f"{file} refers to what is not there: {_listed(missing)}")


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
