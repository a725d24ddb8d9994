"""The AWS side of a local cloud: the emulator with the stack in it, the functions' processes and the streams."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from infra.local.aws.clients import Clients, role_credentials, root_credentials
from infra.local.aws.emulator import Emulator
from infra.local.aws.stack import DeployError, Stack, deploy
from infra.local.config import REGION, STACK_NAME, Config
from infra.local.lambdas.environment import Invocation, Outcome
from infra.local.lambdas.invocations import InvocationServer
from infra.local.lambdas.pool import Functions, FunctionsClosedError
from infra.local.saver import Saver
from infra.local.streams.api import StreamsApi
from infra.local.streams.batch import StreamMapping
from infra.local.streams.poller import StreamPoller, settle
from infra.template import read

SETTLE_WITHIN = 20.0  # seconds for the streams' records, when everything stops
FINISH_WITHIN = 10.0  # seconds for invocations in progress

_RESUME = "resume-at-start"

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Application:
    """What runs in it: a SAM template's files, the folder that its handlers are found in, values of its parameters."""

    template: tuple[Path, ...]
    functions: Path
    parameters: Mapping[str, str]


class Engine:
    """Starts the parts in their order and stops them in the opposite one."""

    def __init__(self, config: Config, application: Application) -> None:
        self._config = config
        self._application = application
        self._emulator = Emulator(config)
        self._pollers: list[StreamPoller] = []
        self._queue_mappings: list[str] = []
        self._started = ExitStack()
        self.clients = Clients(config.aws_endpoint, root_credentials())
        self.stack: Stack
        self.functions: Functions

    @property
    def api_url(self) -> str:
        """Address of the HTTP API, without a slash at its end."""
        (api_id,) = self.stack.of_type("AWS::ApiGatewayV2::Api").values()
        return f"{self._config.aws_endpoint}/_aws/execute-api/{api_id}/$default"

    def is_running(self) -> bool:
        """Whether the emulator still runs; without it nothing works."""
        return self._emulator.is_running()

    @property
    def cut_off(self) -> datetime | None:
        """Where the run before ended hard: when the state was so that this one goes on from, in UTC."""
        return self._emulator.cut_off

    def start(self, progress: Progress) -> None:
        """Bring everything up. What has started is stopped again where a part fails.

        Raises:
            PortTakenError: the AWS port is in use.
            EmulatorError: the emulator does not start.
            DeployError: the stack can't be deployed, or has no such parameters.
        """
        with ExitStack() as started:
            self._start(started, progress)
            self._started = started.pop_all()

    def stop(self) -> None:
        """Handle what is in the streams, let invocations finish, and end everything with the state saved."""
        self._started.close()

    def _start(self, started: ExitStack, progress: Progress) -> None:
        config, application = self._config, self._application
        started.callback(self._emulator.stop)
        started.callback(self.clients.close)
        saver = Saver(self._emulator.save, lambda: self._emulator.saved_at, config.save_seconds, progress)
        started.callback(saver.stop)
        invocations = InvocationServer(config.state / "functions.port")
        started.callback(invocations.close)
        self._emulator.start()
        # Loads while the emulator starts, which takes as long.
        from infra.local.aws.localize import localize

        written = read(*application.template)
        if unknown := config.parameters.keys() - written.get("Parameters", {}).keys():
            raise DeployError(f"GHARAMA_PARAMETERS names what the template does not: {', '.join(sorted(unknown))}")
        template = localize(written, application.parameters, invocations.url)
        self._emulator.wait_until_ready()
        progress(f"AWS endpoint at {config.aws_endpoint}")
        self.stack = deploy(self.clients, STACK_NAME, template, application.parameters)
        progress(f"Stack of {len(self.stack.physical)} resources deployed")
        started.callback(self._join_streams)
        self.functions = Functions(
            self.clients,
            self.stack.of_type("AWS::Lambda::Function"),
            aws_endpoint=config.aws_endpoint,
            task_root=application.functions,
            interpreter=config.functions_interpreter,
            logs=config.function_logs,
        )
        started.callback(self.functions.close)
        invocations.open(self.functions.invoke)
        started.callback(self._finish)
        self._start_streams(started)
        started.callback(self._pause_queues)
        self._queue_mappings = self._enabled_queue_mappings(template)
        self._resume_queues()
        saver.start()
        progress(f"{len(self.functions.pids())} functions, {len(self._pollers)} streams")

    def _start_streams(self, started: ExitStack) -> None:
        logical_ids = {name: logical_id for logical_id, name in self.stack.of_type("AWS::Lambda::Function").items()}
        for description in self._mappings("dynamodb"):
            mapping = StreamMapping.from_api(description)
            name = mapping.function_arn.rpartition(":")[2]
            logical_id = logical_ids[name]
            role = self.clients.get("lambda").get_function_configuration(FunctionName=name)["Role"]
            credentials = role_credentials(partial(self.functions.credentials, role))
            clients = Clients(self._config.aws_endpoint, credentials)
            started.callback(clients.close)
            poller = StreamPoller(
                mapping,
                StreamsApi(self._config.aws_endpoint, REGION, credentials),
                partial(self._invoke_for_stream, logical_id),
                clients.get,
            )
            poller.start()
            self._pollers.append(poller)

    def _invoke_for_stream(self, logical_id: str, event: bytes) -> Outcome:
        try:
            return self.functions.invoke(logical_id, Invocation(event))
        except FunctionsClosedError:
            return Outcome(b"null", failed=True)

    def _finish(self) -> None:
        if self.is_running():
            # What runs may still write to a stream, and a stream's records do not outlive the emulator.
            self.functions.wait_until_idle(FINISH_WITHIN)
            settle(self._pollers, SETTLE_WITHIN)
        for poller in self._pollers:
            poller.stop()
        self.functions.wait_until_idle(FINISH_WITHIN)

    def _join_streams(self) -> None:
        for poller in self._pollers:
            poller.join()
        self._pollers.clear()

    def _mappings(self, service: str) -> list[dict[str, Any]]:
        pages = self.clients.get("lambda").get_paginator("list_event_source_mappings").paginate()
        mappings = [mapping for page in pages for mapping in page["EventSourceMappings"]]
        return [mapping for mapping in mappings if mapping["EventSourceArn"].split(":")[2] == service]

    def _enabled_queue_mappings(self, template: Mapping[str, Any]) -> list[str]:
        """Those of SQS queues that the template does not disable."""
        queues = {mapping["UUID"] for mapping in self._mappings("sqs")}
        return [
            uuid
            for logical_id, uuid in self.stack.of_type("AWS::Lambda::EventSourceMapping").items()
            if uuid in queues and template["Resources"][logical_id]["Properties"].get("Enabled", True)
        ]

    def _pause_queues(self) -> None:
        # A message that is delivered while the functions end would be hidden for its queue's visibility timeout.
        if self.is_running():
            client = self.clients.get("lambda")
            # Those that an operator had switched off stay so: the others bear a mark, which is saved with their state.
            for mapping in self._mappings("sqs"):
                if mapping["UUID"] in self._queue_mappings and mapping["State"] != "Disabled":
                    client.tag_resource(Resource=mapping["EventSourceMappingArn"], Tags={_RESUME: "true"})
                    client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)

    def _resume_queues(self) -> None:
        client = self.clients.get("lambda")
        for mapping in self._mappings("sqs"):
            arn = mapping["EventSourceMappingArn"]
            if _RESUME in client.list_tags(Resource=arn)["Tags"]:
                client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)
                client.untag_resource(Resource=arn, TagKeys=[_RESUME])
