"""The whole local cloud, as `make run` starts it and as a test can: AWS, the stack, demo data and the API's front."""

import json
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Self

from infra import help_page
from infra.local.config import ACCESS_KEY_ID, REGION, ROOT, SECRET_ACCESS_KEY, Config
from infra.local.demo.seed import seed
from infra.local.engine import Application, Engine
from infra.local.front import Front
from infra.local.gateway.server import Gateway
from infra.local.issuer import AUDIENCE, Issuer
from infra.local.ports import require_free
from infra.local.untaken import notify_again
from infra.template import PARTS

DEMO_ROWS = 600


def stack_parameters(config: Config) -> dict[str, str]:
    """Values of the template's parameters here, unless other ones are asked for; all others keep their defaults."""
    return {
        "JwtIssuer": _issuer_url(config),
        "JwtAudience": AUDIENCE,
        "PublicUrl": config.origin,
        "CorsOrigins": config.origin,
        "ReturnOrigins": config.origin,
        "Gateways": "sandbox",
        "SandboxGatewayUrl": _gateway_url(config),
        "QuietHours": "off",
        # Short, so that what was cut off is soon tried again, but long enough for a laptop that is busy.
        "FileTimeout": "120",
        "FileVisibility": "120",
        "ChunkTimeout": "60",
        "ChunkVisibility": "60",
        **config.parameters,
    }


class LocalCloud:
    """Everything, from `start` to `stop`; also a context manager.

    Raises, where it can't start: PortTakenError, EmulatorError, DeployError, SeedError.
    """

    def __init__(
        self,
        config: Config,
        *,
        demo_rows: int = DEMO_ROWS,
        progress: Callable[[str], None] = lambda line: None,
    ) -> None:
        """`demo_rows` are loaded at the first start; `progress` is told each step."""
        self._config = config
        self._demo_rows = demo_rows
        self._progress = progress
        self._started = ExitStack()
        application = Application(PARTS, ROOT / "functions", stack_parameters(config))
        self.engine = Engine(config, application)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Bring everything up, so that the first request finds all of it. What has started ends if a part fails."""
        with ExitStack() as started:
            self._start(started)
            self._started = started.pop_all()

    def stop(self) -> None:
        """Take no more requests, finish what was taken, save the state and end every process."""
        self._started.close()

    def is_running(self) -> bool:
        return self.engine.is_running()

    def describe(self) -> dict[str, Any]:
        """What `GET /_local/stack` answers: how to reach the AWS side."""
        stack = self.engine.stack
        return {
            "aws_endpoint": self._config.aws_endpoint,
            "region": REGION,
            "access_key_id": ACCESS_KEY_ID,
            "secret_access_key": SECRET_ACCESS_KEY,
            "upload_bucket": stack.outputs["UploadsBucket"],
            "tables": stack.of_type("AWS::DynamoDB::Table"),
            "queues": stack.of_type("AWS::SQS::Queue"),
        }

    def _start(self, started: ExitStack) -> None:
        config = self._config
        require_free(config.api_port, "GHARAMA_PORT")
        shutil.rmtree(config.logs, ignore_errors=True)
        help_page.write(ROOT / "functions")
        self.engine.start(self._progress)
        started.callback(self.engine.stop)
        self._tell_of_hard_end()
        issuer = Issuer(config.state, _issuer_url(config))
        gateway = Gateway(config.state, _gateway_url(config), self._gateway_secret)
        started.callback(gateway.close)
        front = Front(
            config.api_port, lambda: self.engine.api_url, config.aws_endpoint, issuer, gateway, self._count_figures
        )
        started.callback(front.close)
        front.start()
        self._progress(f"API and console at {config.origin}/")
        if self._demo_rows:
            seed(self.engine.clients, self.engine.stack.outputs["UploadsBucket"], self._demo_rows, self._progress)
        front.ready(self.describe())

    def _tell_of_hard_end(self) -> None:
        if (since := self.engine.cut_off) is None:
            return
        clients, physical = self.engine.clients, self.engine.stack.physical
        queue = clients.get("sqs").get_queue_attributes(QueueUrl=physical["FileQueue"], AttributeNames=["QueueArn"])
        again = notify_again(clients, physical["Uploads"], physical["Files"], queue["Attributes"]["QueueArn"], since)
        self._progress(f"The last run did not end in order: this one goes on from {since.astimezone():%H:%M:%S}")
        self._progress(f"Uploads that nobody had taken, notified again: {again}")

    def _count_figures(self) -> bytes:
        """Let the night's function run now; the newest figures, as they lie in the bucket."""
        clients, stack = self.engine.clients, self.engine.stack
        clients.get("lambda").invoke(FunctionName=stack.physical["StatsOnNight"], Payload=b"{}")
        bucket = stack.outputs["UploadsBucket"]
        s3 = clients.get("s3")
        newest = max(item["Key"] for item in s3.list_objects_v2(Bucket=bucket, Prefix="statistics/")["Contents"])
        figures: bytes = s3.get_object(Bucket=bucket, Key=newest)["Body"].read()
        return figures

    def _gateway_secret(self) -> dict[str, str]:
        name = self.engine.stack.physical["SandboxGatewaySecret"]
        answer = self.engine.clients.get("secretsmanager").get_secret_value(SecretId=name)
        secret: dict[str, str] = json.loads(answer["SecretString"])
        return secret


def _issuer_url(config: Config) -> str:
    return f"{config.origin}/_local/issuer"


def _gateway_url(config: Config) -> str:
    return f"{config.origin}/_local/gateway"
