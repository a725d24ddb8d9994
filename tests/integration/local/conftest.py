from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from infra.local.config import Config
from infra.local.engine import Engine
from infra.local.issuer import Issuer
from tests.integration.local.running import application
from tests.support.aws import free_port


@pytest.fixture(scope="session")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Issuer]:
    """An issuer whose keys can be fetched."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = issuer.jwks() if self.path == "/jwks" else issuer.discovery()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(found).encode())

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        issuer = Issuer(tmp_path_factory.mktemp("issuer"), f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield issuer
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def local(issuer: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The sample application, running."""
    config = Config(aws_port=free_port(), state=tmp_path_factory.mktemp("engine"))
    engine = Engine(config, application(issuer.url))
    engine.start(lambda line: None)
    yield engine
    engine.stop()
