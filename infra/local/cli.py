"""The commands of `python -m infra.local`."""

import argparse
import logging
import signal
import sys
import time
from types import FrameType

from infra.local import instance
from infra.local.config import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY, Config
from infra.local.lambdas import logs
from infra.local.ports import PortTakenError

STOP_WITHIN = 90.0  # seconds

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    """Run the command of the command line; the process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m infra.local", description="The local cloud.")
    parser.add_argument("command", nargs="?", default="up", choices=["up", "stop", "logs", "status"])
    command = parser.parse_args().command
    try:
        config = Config.from_environment()
    except ValueError as error:
        return _fail(error)
    return {"up": _up, "stop": _stop, "logs": _logs, "status": _status}[command](config)


def _up(config: Config) -> int:
    from infra.local.aws.emulator import EmulatorError
    from infra.local.aws.stack import DeployError
    from infra.local.cloud import LocalCloud
    from infra.local.demo.seed import SeedError

    began = time.monotonic()

    def progress(line: str) -> None:
        print(f"[{time.monotonic() - began:5.1f} s] {line}", flush=True)

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    for number in _ENDING:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # as under nohup
            signal.signal(number, _interrupt_once)
    try:
        with instance.sole_instance(config.pid_file), LocalCloud(config, progress=progress) as cloud:
            print(_addresses(config, cloud.describe()["upload_bucket"]), flush=True)
            progress("ready")
            while cloud.is_running():
                time.sleep(1)
            return _fail(f"The AWS emulator has ended. Its log: {config.logs / 'emulator.log'}")
    except KeyboardInterrupt:
        progress("stopped")
        return 0
    except (instance.AlreadyRunningError, PortTakenError, EmulatorError, DeployError, SeedError) as error:
        return _fail(error)


def _interrupt_once(number: int, frame: FrameType | None) -> None:
    # A second Ctrl-C must not interrupt the end, which saves the state.
    for other in _ENDING:
        signal.signal(other, signal.SIG_IGN)
    print("stopping", flush=True)
    raise KeyboardInterrupt


def _addresses(config: Config, bucket: str) -> str:
    return f"""
  Console and API  {config.origin}/
  AWS endpoint     {config.aws_endpoint}
  Upload bucket    {bucket}
  Logs             {config.function_logs} (make logs)

  For an AWS client:
    export AWS_ENDPOINT_URL={config.aws_endpoint} AWS_REGION={REGION} AWS_DEFAULT_REGION={REGION}
    export AWS_ACCESS_KEY_ID={ACCESS_KEY_ID} AWS_SECRET_ACCESS_KEY={SECRET_ACCESS_KEY}
"""


def _stop(config: Config) -> int:
    if instance.running_pid(config.pid_file) is None:
        print("The local cloud is not running.")
        return 0
    if not instance.stop(config.pid_file, STOP_WITHIN):
        return _fail(f"The local cloud has not ended within {STOP_WITHIN:.0f} s")
    print("The local cloud has stopped.")
    return 0


def _logs(config: Config) -> int:
    try:
        logs.follow(config.function_logs, lambda line: print(line, flush=True))
    except (KeyboardInterrupt, BrokenPipeError):
        return 0


def _status(config: Config) -> int:
    pid = instance.running_pid(config.pid_file)
    print("The local cloud is not running." if pid is None else f"The local cloud is running (process {pid}).")
    return 1 if pid is None else 0


def _fail(reason: object) -> int:
    print(reason, file=sys.stderr)
    return 1
