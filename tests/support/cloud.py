"""A client of a running local cloud: what the directorate, a citizen and a phone do, over HTTP and the AWS API."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import boto3

from shared.domain.time import from_text, to_text
from tests.support.aws import free_port

ROOT = Path(__file__).resolve().parents[2]
Found = TypeVar("Found")

NAME = "زينب الشاهدة"
"""The name in citizens' tokens."""

PERSONAL = re.compile(
    rf"\+?9647\d{{9}}|\b07\d{{9}}\b"  # phones
    rf"|\b(?:DE|OLD|KR|UN)#[12]\d#|بغداد ز"  # plates
    rf"|eyJ[\w-]{{8,}}\.|{NAME}"  # tokens, names
)
"""What no function may log, whatever a test does."""

RIGHTS_USED: set[str] = set()
"""What the roles of all clouds of this run have used: role, action and resource, with tabs between."""


def without_suffixes(text: str) -> str:
    """Physical names without what makes those of one stack differ from another's; a secret has a second suffix."""
    return re.sub(r"-[0-9A-F]{13}\b(?:-[0-9A-Za-z]{6}$)?", "", text)


def wait_for(condition: Callable[[], Found | None], within: float, what: str, *, every: float = 0.1) -> Found:
    """The first true value of a condition, asked ten times a second or so. Fails naming what did not come."""
    deadline = time.monotonic() + within
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {within} s: {what}"
        time.sleep(every)


class Answer(NamedTuple):
    status: int
    body: Any
    headers: Mapping[str, str]


@dataclass
class Cloud:
    """A local cloud that this test run started by the README's own command, from the tree at ``root``."""

    state: Path
    port: int
    aws_port: int
    root: Path = ROOT
    parameters: str = ""
    process: subprocess.Popen[bytes] | None = None
    stack: dict[str, Any] | None = None

    @classmethod
    def at(cls, state: Path, root: Path = ROOT, *, parameters: str = "") -> Cloud:
        """root: the tree to run. parameters: other values of the template's, as GHARAMA_PARAMETERS has them."""
        return cls(state, free_port(), free_port(), root, parameters)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Cloud:
        self.state.mkdir(parents=True, exist_ok=True)
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
            "GHARAMA_PORT": str(self.port),
            "GHARAMA_AWS_PORT": str(self.aws_port),
            "GHARAMA_STATE": str(self.state),
            "GHARAMA_PARAMETERS": self.parameters,
        }
        with (self.state / "up.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "infra.local", "up"],
                cwd=self.root,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )
        self.stack = wait_for(self._ready, 120, "the local cloud is ready")
        return self

    def _ready(self) -> dict[str, Any] | None:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError((self.state / "up.log").read_text())
        try:
            answer = self.request("GET", "/_local/stack")
        except OSError:
            return None
        return answer.body if answer.status == 200 else None

    def note_rights(self) -> None:
        """Add the rights that this cloud's functions have used to those of the whole run."""
        used = self.state / "logs" / "rights.tsv"
        if used.exists():
            RIGHTS_USED.update(map(without_suffixes, used.read_text().splitlines()))

    def stop(self) -> None:
        self.note_rights()
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        process, self.process = self.process, None
        assert process.wait(60) == 0, (self.state / "up.log").read_text()[-2000:]
        # Not what was found: it would stand in another log.
        found = [match.start() for match in PERSONAL.finditer(self.logged())]
        assert not found, f"something personal is in the functions' logs of {self.state}, at {found}"

    def aws_environment(self) -> dict[str, str]:
        """The environment in which any AWS client finds this cloud."""
        assert self.stack is not None
        return {
            "AWS_ENDPOINT_URL": self.stack["aws_endpoint"],
            "AWS_REGION": self.stack["region"],
            "AWS_DEFAULT_REGION": self.stack["region"],
            "AWS_ACCESS_KEY_ID": self.stack["access_key_id"],
            "AWS_SECRET_ACCESS_KEY": self.stack["secret_access_key"],
        }

    def operate(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a command of make as the operator does, with the credentials that `make run` prints."""
        return subprocess.run(
            [*shlex.split(command), "--no-print-directory", "STACK=gharama", f"PYTHON={sys.executable}"],
            cwd=ROOT,
            env={**os.environ, **self.aws_environment()},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def outputs(self) -> dict[str, str]:
        """The stack's outputs."""
        (stack,) = self.aws("cloudformation").describe_stacks(StackName="gharama")["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def aws(self, service: str) -> Any:
        assert self.stack is not None
        return boto3.client(
            service,
            endpoint_url=self.stack["aws_endpoint"],
            region_name=self.stack["region"],
            aws_access_key_id=self.stack["access_key_id"],
            aws_secret_access_key=self.stack["secret_access_key"],
        )

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        headers: dict[str, str] | None = None,
        url: str | None = None,
    ) -> Answer:
        """url: another address than the API's own."""
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        request = urllib.request.Request((url or self.url) + path, data=data, method=method)  # noqa: S310 (our own address)
        request.add_header("content-type", "application/json")
        if token:
            request.add_header("authorization", f"Bearer {token}")
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
                status, raw, fields = response.status, response.read(), response.headers
        except urllib.error.HTTPError as error:
            status, raw, fields = error.code, error.read(), error.headers
        found = {name.lower(): value for name, value in fields.items()}
        try:
            return Answer(status, json.loads(raw), found)
        except ValueError:
            return Answer(status, raw, found)

    # ------------------------------------------------------------------ people

    def token(self, sub: str, phone: str, **claims: str) -> str:
        answer = self.request(
            "POST", "/_local/token", {"sub": sub, "phone": phone, "name": NAME, "scope": "", **claims}
        )
        token: str = answer.body["token"]
        return token

    def upload(self, key: str, content: bytes) -> str:
        """Put a file as the directorate does; returns its version."""
        assert self.stack is not None
        bucket = self.stack["upload_bucket"]
        version: str = self.aws("s3").put_object(Bucket=bucket, Key=key, Body=content)["VersionId"]
        return version

    def read_object(self, key: str) -> bytes | None:
        assert self.stack is not None
        s3 = self.aws("s3")
        try:
            content: bytes = s3.get_object(Bucket=self.stack["upload_bucket"], Key=key)["Body"].read()
        except s3.exceptions.NoSuchKey:
            return None
        return content

    def report(self, key: str, version: str, within: float = 60) -> dict[str, Any]:
        """The report of a file's version, once it is there."""
        raw = wait_for(lambda: self.read_object(f"reports/{key}.{version}.json"), within, f"the report of {key}")
        report: dict[str, Any] = json.loads(raw)
        return report

    def sms(self, phone: str) -> list[str]:
        """The texts that a phone has received, oldest first."""
        answer = self.request("GET", f"/_local/sms?phone={phone.replace('+', '%2B')}")
        return [message["text"] for message in answer.body]

    def all_sms(self) -> dict[str, list[str]]:
        """The texts that each phone has received."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for message in self.request("GET", "/_local/sms").body:
            found[message["phone"]].append(message["text"])
        return found

    # ------------------------------------------------------------------ inside

    def backdate(self, payment_id: str, minutes: int) -> None:
        """Have a payment, and the asking for its money back, begun so long ago."""
        assert self.stack is not None
        dynamodb, table = self.aws("dynamodb"), self.stack["tables"]["Payments"]
        asked = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": payment_id}}}
        for item in dynamodb.query(TableName=table, ConsistentRead=True, **asked)["Items"]:
            if item["sk"]["S"] == "PAYMENT" or item["sk"]["S"].startswith("RETURN#"):
                for name in {"created_at", "expires_at", "closing_since", "ended_at", "refunding_until"} & item.keys():
                    item[name]["S"] = to_text(from_text(item[name]["S"]) - timedelta(minutes=minutes))
                dynamodb.put_item(TableName=table, Item=item)

    def function(self, handler: str) -> dict[str, Any]:
        """What Lambda says of the function of a handler."""
        found: list[dict[str, Any]] = self.aws("lambda").list_functions()["Functions"]
        return next(one for one in found if one["Handler"] == handler)

    def invoke(self, handler: str, event: Mapping[str, Any] | None = None) -> None:
        """Run a function to its end, as its schedule does."""
        name, payload = self.function(handler)["FunctionName"], json.dumps(event or {}).encode()
        answer = self.aws("lambda").invoke(FunctionName=name, Payload=payload)
        assert "FunctionError" not in answer, answer["Payload"].read()

    @contextmanager
    def denied(self, handler: str, action: str) -> Iterator[None]:
        """A function without a right that it needs."""
        role = self.function(handler)["Role"].rpartition("/")[2]
        iam, poison = self.aws("iam"), {"RoleName": role, "PolicyName": "poison"}
        statement = {"Effect": "Deny", "Action": action, "Resource": "*"}
        iam.put_role_policy(**poison, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
        try:
            yield
        finally:
            iam.delete_role_policy(**poison)

    def logged(self) -> str:
        """Everything that the functions have logged since the start."""
        logs = (self.state / "logs" / "functions").glob("*.log")
        return "".join(log.read_text(errors="replace") for log in logs)

    def function_processes(self, handler: str) -> list[int]:
        """The processes of this cloud that run a handler."""
        assert self.process is not None
        found = []
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit():
                continue
            try:
                command = (folder / "cmdline").read_bytes().split(b"\0")
                parent = re.search(r"PPid:\t(\d+)", (folder / "status").read_text())
            except OSError:
                continue
            if handler.encode() in command and parent and int(parent[1]) == self.process.pid:
                found.append(int(folder.name))
        return found
