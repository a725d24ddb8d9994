"""A front on a free port, and what stands behind it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from local_servers import SECRET, Client, Local, Upstream

from infra.local.front import Front
from infra.local.gateway.server import Gateway
from infra.local.issuer import Issuer


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    upstream = Upstream()
    server = upstream.start()
    yield upstream
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Issuer:
    return Issuer(tmp_path_factory.mktemp("issuer"), "http://127.0.0.1:8080/_local/issuer")


@pytest.fixture
def local(tmp_path: Path, upstream: Upstream, issuer: Issuer) -> Iterator[Local]:
    gateway = Gateway(tmp_path, "http://127.0.0.1:8080/_local/gateway", lambda: SECRET, retry_delays=[0.01] * 4)
    api_url = [f"{upstream.url}/_aws/execute-api/api/$default"]
    front = Front(0, lambda: api_url[0], upstream.url, issuer, gateway, lambda: b"{}")
    front.start()
    client = Client(front.port)
    yield Local(front, issuer, gateway, client, api_url)
    client.connection.close()
    front.close()
    gateway.close()
