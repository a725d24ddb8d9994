"""Runs the sample application in an engine until it is killed: the process that a test kills.

usage: python running.py STATE AWS_PORT ISSUER
"""

import sys
import time
from pathlib import Path

from infra.local.config import Config
from infra.local.engine import Application, Engine

APP = Path(__file__).parent / "app"


def application(issuer: str) -> Application:
    return Application((APP / "template.yaml",), APP / "functions", {"Issuer": issuer, "NotDeclared": "x"})


if __name__ == "__main__":
    state, port, issuer = sys.argv[1:]
    engine = Engine(Config(aws_port=int(port), state=Path(state)), application(issuer))
    engine.start(lambda line: None)
    print("running", flush=True)
    time.sleep(600)
