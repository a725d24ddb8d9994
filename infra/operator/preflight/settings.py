"""What an environment is to be deployed with: samconfig.toml, and for all else the template's defaults."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from typing import Final, NamedTuple

from infra.environments import ROOT
from infra.local.aws.conditions import decide
from infra.template import Template, read

FILE: Final = ROOT / "samconfig.toml"
_SWITCH: Final = re.compile(r"""\s*['"](\w+)=.*['"],\s*# (.+)""")


@cache
def template() -> Template:
    """The template, read once; nobody changes it."""
    return read()


class SettingsError(Exception):
    """samconfig.toml says nothing of an environment, or not so that it can be read; the message says what."""


class Settings(NamedTuple):
    """parameters: every parameter's value as text. switches: what opens the platform, with who may open it."""

    environment: str
    stack: str
    region: str
    parameters: Mapping[str, str]
    switches: Mapping[str, str]

    @property
    def serves(self) -> bool:
        """Whether citizens are served: what a trial may lack stops a deployment there."""
        return self.environment == "prod"

    @property
    def phase(self) -> int:
        """How far the platform is to be open."""
        return int(self.parameters["Phase"])

    def holds(self) -> dict[str, bool]:
        """Whether each of the template's conditions holds."""
        return decide(template()["Conditions"], self.parameters)


def of_stack(stack: str, text: str | None = None) -> Settings:
    """The settings of the environment that is deployed as a stack. text: samconfig.toml's own. Raises SettingsError."""
    text = FILE.read_text(encoding="utf-8") if text is None else text
    defaults = {name: str(one.get("Default", "")) for name, one in template()["Parameters"].items()}
    for environment, parts in tomllib.loads(text).items():
        deploy = parts.get("deploy", {}).get("parameters", {}) if isinstance(parts, dict) else {}
        if deploy.get("stack_name") == stack:
            given = dict(_pair(one) for one in deploy["parameter_overrides"])
            if unknown := given.keys() - defaults.keys():
                raise SettingsError(f"the template has no parameter {', '.join(sorted(unknown))}")
            return Settings(environment, stack, deploy["region"], defaults | given, _switches(text, environment))
    raise SettingsError(f"samconfig.toml has no environment of the stack {stack}")


def _pair(override: str) -> tuple[str, str]:
    name, _, value = override.partition("=")
    return name, value.removeprefix('"').removesuffix('"')


def _switches(text: str, environment: str) -> dict[str, str]:
    """The parameters of an environment that have a remark behind them, which tomllib does not read."""
    _, _, section = text.partition(f"[{environment}.deploy.parameters]")
    lines = section.partition("\n]")[0].splitlines()
    return {found[1]: found[2] for line in lines if (found := _SWITCH.fullmatch(line))}
