from __future__ import annotations

from pathlib import Path

import pytest

from infra.local.cloud import stack_parameters
from infra.local.config import ROOT, Config


def test_everything_has_a_default() -> None:
    assert Config.from_environment({}) == Config(8080, 4566, ROOT / ".local")


def test_ports_and_folder_come_from_the_environment(tmp_path: Path) -> None:
    environment = {"GHARAMA_PORT": "18000", "GHARAMA_AWS_PORT": "18001", "GHARAMA_STATE": str(tmp_path)}

    config = Config.from_environment(environment)

    assert (config.origin, config.aws_endpoint) == ("http://127.0.0.1:18000", "http://127.0.0.1:18001")
    assert config.function_logs == tmp_path / "logs" / "functions"


def test_other_values_of_the_templates_parameters_come_from_the_environment() -> None:
    config = Config.from_environment({"GHARAMA_PARAMETERS": "Proof=registration  UrUserUrl='http://127.0.0.1:9/?a=b'"})

    assert config.parameters == {"Proof": "registration", "UrUserUrl": "http://127.0.0.1:9/?a=b"}
    assert stack_parameters(config)["Proof"] == "registration"


def test_a_parameter_without_a_value_is_named() -> None:
    with pytest.raises(ValueError, match="GHARAMA_PARAMETERS must be of the form Name=value, not 'Proof'"):
        Config.from_environment({"GHARAMA_PARAMETERS": "Proof"})


@pytest.mark.parametrize("port", ["http", "0", "65536", "-1", "٨٠٨٠x", "80.5"])
def test_a_bad_port_is_named(port: str) -> None:
    with pytest.raises(ValueError, match="GHARAMA_AWS_PORT must be a port"):
        Config.from_environment({"GHARAMA_AWS_PORT": port})


def test_the_two_ports_differ() -> None:
    with pytest.raises(ValueError, match="both 4566"):
        Config.from_environment({"GHARAMA_PORT": "4566"})
