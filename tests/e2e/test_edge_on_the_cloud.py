"""Deployed with an edge: what comes by its address is answered, what goes past it to the API's own is refused."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from infra.local.web.messages import Request, Response, message
from infra.local.web.proxy import Proxy
from infra.local.web.server import Server
from shared.edge import HEADER
from tests.e2e import files
from tests.support.cloud import Answer, Cloud, wait_for
from tests.support.cloudfront import refuses_header, refuses_request

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("cloud")]

ONE_PATH_OF_EACH_FUNCTION = [
    ("GET", "/v1/health"),
    ("GET", "/v1/vehicles"),
    ("GET", "/v1/payments"),
    ("GET", "/v1/payments/p/receipt"),
    ("POST", "/v1/callbacks/sandbox"),
    ("GET", "/v1/uploads/u"),
    ("GET", "/v1/no/such/path"),
]


class Edge:
    """Passes requests on as CloudFront does by infra/edge.yaml: its secret takes the place of what a caller gives."""

    def __init__(self) -> None:
        assert not refuses_header(HEADER), "CloudFront does not make such a distribution"
        self.secret = ""
        self.behind = ""
        self._proxy = Proxy(lambda: self.behind)
        self._server = Server(0, self._pass_on)
        self._server.start()
        self.url = f"http://127.0.0.1:{self._server.port}"

    def close(self) -> None:
        self._server.close()
        self._proxy.close()

    def _pass_on(self, request: Request) -> Response:
        if status := refuses_request(request.method, request.target, request.headers.items(), request.body):
            return message(status, "The request could not be satisfied")
        del request.headers[HEADER]
        request.headers[HEADER] = self.secret
        return self._proxy.forward(request)


class Guarded:
    """A cloud behind an edge."""

    def __init__(self, cloud: Cloud, edge: Edge) -> None:
        self.cloud = cloud
        self.edge = edge
        self.token = cloud.token(f"ur-{secrets.token_hex(6)}", files.phone(), scope="directorate")

    def past_the_edge(self, method: str, path: str, **headers: str) -> Answer:
        return self.cloud.request(method, path, token=self.token, headers=headers)

    def by_the_edge(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        return self.cloud.request(method, path, body, token=self.token, headers=headers, url=self.edge.url)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    edge = Edge()
    cloud = Cloud.at(tmp_path_factory.mktemp("edge"), parameters=f"Edge=on PublicUrl={edge.url}").start()
    edge.behind = cloud.url
    secret_id = cloud.outputs()["EdgeSecretArn"]
    edge.secret = cloud.aws("secretsmanager").get_secret_value(SecretId=secret_id)["SecretString"]
    yield Guarded(cloud, edge)
    logged = cloud.logged()
    cloud.stop()
    edge.close()
    assert edge.secret not in logged


@pytest.mark.parametrize(("method", "path"), ONE_PATH_OF_EACH_FUNCTION)
def test_past_the_edge_everything_is_refused(guarded: Guarded, method: str, path: str) -> None:
    for headers in ({}, {HEADER: "guessed"}):
        answer = guarded.past_the_edge(method, path, **headers)
        assert (answer.status, answer.body["code"]) == (403, "not_by_edge")


@pytest.mark.parametrize(("method", "path"), ONE_PATH_OF_EACH_FUNCTION)
def test_by_the_edge_it_is_answered_as_without_one(guarded: Guarded, method: str, path: str) -> None:
    for headers in ({}, {HEADER: "guessed"}):
        assert guarded.by_the_edge(method, path, **headers).status != 403


def test_health_is_asked_by_the_edge(guarded: Guarded) -> None:
    assert guarded.by_the_edge("GET", "/v1/health").status == 200


def test_a_fine_is_asked_for_and_paid_by_the_edge(guarded: Guarded) -> None:
    """The gateway's callback comes by the edge too: its address is made of PublicUrl."""
    cloud, violation = guarded.cloud, files.row(files.plate_number())
    key = f"backlog/{violation['violation_no']}.csv"
    cloud.report(key, cloud.upload(key, files.csv([violation])))
    body = {"plate": f"بغداد ز {violation['plate_number']}", "sms": False}
    (found,) = guarded.by_the_edge("POST", "/v1/queries", body).body["violations"]
    body = {"violations": [found["violation_no"]], "gateway": "sandbox", "return_url": f"{cloud.url}/"}
    started = guarded.by_the_edge("POST", "/v1/payments", body, **{"idempotency-key": secrets.token_hex(8)})
    assert started.status == 201

    assert cloud.request("POST", f"/_local/gateway/{started.body['payment_id']}/pay").status == 200

    def is_paid() -> bool:
        answer = guarded.by_the_edge("GET", f"/v1/payments/{started.body['payment_id']}")
        return bool(answer.body["status"] == "paid")

    wait_for(is_paid, 60, "the callback")
