"""Where one local cloud lives: its ports, its folders and the AWS identity that it pretends to have."""

import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

STACK_NAME = "gharama"
REGION = "me-south-1"
ACCOUNT = "000000000000"
ACCESS_KEY_ID = "gharama-local"
SECRET_ACCESS_KEY = "gharama-local-secret"  # noqa: S105  opens nothing but this machine's emulator


@dataclass(frozen=True)
class Config:
    """One local cloud. Two of them can run side by side when ports and state differ.

    parameters: values of the template's parameters that go before the local ones. save_seconds: how often the state is
    saved, which is what a hard end may cost.
    """

    api_port: int = 8080
    aws_port: int = 4566
    state: Path = ROOT / ".local"
    parameters: Mapping[str, str] = field(default_factory=dict)
    save_seconds: int = 10

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Config":
        """Read GHARAMA_PORT, GHARAMA_AWS_PORT, GHARAMA_STATE, GHARAMA_PARAMETERS and GHARAMA_SAVE_SECONDS.

        Raises:
            ValueError: a port is not a number from 1 to 65535, or both are the same; a parameter has no value; the
                seconds are not a number from 1 to 3600.
        """
        config = cls(
            api_port=_port(environment, "GHARAMA_PORT", cls.api_port),
            aws_port=_port(environment, "GHARAMA_AWS_PORT", cls.aws_port),
            state=Path(environment.get("GHARAMA_STATE") or cls.state).resolve(),
            parameters=_parameters(environment.get("GHARAMA_PARAMETERS", "")),
            save_seconds=_number(environment, "GHARAMA_SAVE_SECONDS", cls.save_seconds, 3600, "a number of seconds"),
        )
        if config.api_port == config.aws_port:
            raise ValueError(f"GHARAMA_PORT and GHARAMA_AWS_PORT are both {config.api_port}; they must differ")
        return config

    @property
    def origin(self) -> str:
        """Address of the API and the console, without a slash at its end."""
        return f"http://127.0.0.1:{self.api_port}"

    @property
    def aws_endpoint(self) -> str:
        return f"http://127.0.0.1:{self.aws_port}"

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    @property
    def function_logs(self) -> Path:
        return self.logs / "functions"

    @property
    def rights_used(self) -> Path:
        """Where the emulator notes which role used which right."""
        return self.logs / "rights.tsv"

    @property
    def pid_file(self) -> Path:
        return self.state / "local.pid"

    @property
    def functions_interpreter(self) -> str:
        return sys.executable

    @property
    def emulator_interpreter(self) -> Path:
        return ROOT / ".venv" / "emulator" / "bin" / "python"


def _parameters(text: str) -> dict[str, str]:
    """Parameters as `sam deploy --parameter-overrides` takes them: Name=value, by spaces."""
    pairs = [pair.partition("=") for pair in shlex.split(text)]
    for name, equals, _ in pairs:
        if not (name and equals):
            raise ValueError(f"GHARAMA_PARAMETERS must be of the form Name=value, not {name!r}")
    return {name: value for name, _, value in pairs}


def _port(environment: Mapping[str, str], name: str, default: int) -> int:
    return _number(environment, name, default, 65535, "a port")


def _number(environment: Mapping[str, str], name: str, default: int, highest: int, what: str) -> int:
    text = environment.get(name) or str(default)
    if not text.isdecimal() or not 1 <= int(text) <= highest:
        raise ValueError(f"{name} must be {what} from 1 to {highest}, not {text!r}")
    return int(text)
