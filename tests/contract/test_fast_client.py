"""FastClient's own promises: botocore's signature, TLS by the bundle it is given, and no SDK in the process."""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from hypothesis import given
from hypothesis import strategies as st

from infra.local.config import ROOT
from shared.aws_json import AwsError, Credentials, FastClient, sdk, sign
from tests.support.authority import Authority
from tests.support.aws import REGION, Engine, Tables
from tests.support.fault_server import FaultServer

ASCII = st.characters(min_codepoint=0x21, max_codepoint=0x7E)
NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,20}[a-z0-9]", fullmatch=True)
HOSTS = st.builds("{}:{}".format, st.builds("{}.{}".format, NAMES, NAMES), st.integers(1024, 65535)) | st.builds(
    "{}.amazonaws.com".format, NAMES
)


@given(
    body=st.binary(max_size=200) | st.text().map(str.encode),
    host=HOSTS,
    service=st.sampled_from(["dynamodb", "secretsmanager"]),
    operation=st.from_regex(r"[A-Z][A-Za-z0-9_.]{0,40}", fullmatch=True),
    region=NAMES,
    access_key=st.text(ASCII.filter(lambda letter: letter not in "/,"), min_size=1, max_size=40),
    secret_key=st.text(min_size=1, max_size=60),
    token=st.none() | st.text(ASCII, min_size=1, max_size=400),
    instant=st.datetimes(datetime.datetime(2000, 1, 1), datetime.datetime(2100, 1, 1)),  # noqa: DTZ001 (UTC)
)
def test_the_signature_is_botocores(
    body: bytes,
    host: str,
    service: str,
    operation: str,
    region: str,
    access_key: str,
    secret_key: str,
    token: str | None,
    instant: datetime.datetime,
) -> None:
    content_type = "application/x-amz-json-1.0"
    theirs = AWSRequest(
        "POST", f"https://{host}/", {"content-type": content_type, "x-amz-target": operation}, data=body
    )
    with mock.patch("botocore.auth.get_current_datetime", return_value=instant):
        SigV4Auth(BotocoreCredentials(access_key, secret_key, token), service, region).add_auth(theirs)
    ours = sign(
        body,
        host=host,
        target=operation,
        content_type=content_type,
        service=service,
        region=region,
        credentials=Credentials(access_key, secret_key, token),
        at=instant.timetuple(),
    )
    assert ours.pop("host") == host
    assert ours == {name.lower(): value for name, value in theirs.headers.items()}


def test_it_works_where_the_sdk_cannot_be_imported(engine: Engine, tables: Tables) -> None:
    script = f"""
import sys
from shared.aws_json import FastClient
from shared.stores.violations import Violations
client = FastClient()
assert Violations(client, {tables["Violations"]!r}).of_plate("OLD#11#1") == []
print(sorted(name for name in sys.modules if name.partition(".")[0] in ("boto3", "botocore", "urllib3", "pydantic")))
"""
    environment = {**os.environ, **engine.environment(), "PYTHONPATH": str(ROOT / "functions")}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def test_both_adapters_trust_the_bundle_that_the_environment_names(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.bundle))
    with FaultServer([], authority.server()) as server:
        environment = {**Engine(server.url).environment(), "AWS_CA_BUNDLE": str(authority.bundle)}
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        fast = FastClient(environment)
        for call in (fast, sdk(region_name=REGION)):
            assert call("dynamodb", "GetItem", {"TableName": "t", "Key": {}}) == {"Item": {"pk": {"S": "1"}}}
        fast._forget("dynamodb")
        assert [json.loads(request.body)["TableName"] for request in server.received] == ["t", "t"]


def test_a_certificate_of_an_unknown_authority_is_refused(authority: Authority) -> None:
    with FaultServer([], authority.server()) as server:
        client = FastClient(Engine(server.url).environment(), sleep=lambda _: None)
        with pytest.raises(AwsError, match="SSLCertVerificationError"):
            client("dynamodb", "GetItem", {})
        assert server.received == []
