"""samconfig.toml, before it is deployed: what it holds, what was never filled in, and what is to be signed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from infra import cost, regions
from infra.operator.deployment import Deployment
from infra.operator.preflight import configuration, issuer, settings
from infra.operator.preflight.account import Account
from infra.operator.preflight.lines import LOOK, OK, STOP, Line
from infra.operator.preflight.page import page
from infra.operator.preflight.settings import Settings, SettingsError, of_stack
from infra.template import read
from shared.clock import now
from tests.support.stubbed import Answers

PROD = of_stack("gharama-prod")


def given(base: Settings = PROD, **parameters: str) -> Settings:
    return base._replace(parameters={**base.parameters, **parameters})


def account(chosen: Settings, fetch: Callable[[str], tuple[int, bytes]] | None = None) -> Account:
    return Account(Deployment(chosen.stack, Answers(), clock=now), chosen, fetch or _silent)


def _silent(address: str) -> tuple[int, bytes]:
    raise OSError("NewConnectionError")


# ---------------------------------------------------------------- reading


@pytest.mark.parametrize("environment", regions.by_environment())
def test_every_environment_is_read(environment: str) -> None:
    found = of_stack(f"gharama-{environment}")
    assert (found.environment, found.region) == (environment, regions.by_environment()[environment])
    assert found.parameters.keys() == read()["Parameters"].keys()


def test_production_opens_nothing_by_itself() -> None:
    closed = {"Phase": "1", "Gateways": "", "Proof": "optional", "Edge": "off"}
    off = ("SandboxGatewayUrl", "QiCardUrl", "ZainCashUrl", "FibUrl", "UrSmsUrl", "CopyRegion")
    assert {name: PROD.parameters[name] for name in PROD.switches} == closed | dict.fromkeys(off, "")


def test_what_production_says_says_who_may_change_it() -> None:
    text = settings.FILE.read_text(encoding="utf-8")
    section = text.partition("[prod.deploy.parameters]")[2].partition("\n]")[0]
    switches = section.partition("# What opens the platform")[2].splitlines()[1:]
    assert len(switches) == len(PROD.switches)
    assert all(PROD.switches.values())


@pytest.mark.parametrize(
    ("stack", "change", "why"),
    [
        ("gharama-test", ("", ""), "no environment of the stack gharama-test"),
        ("gharama-prod", ("Phase=1", "Stage=1"), "the template has no parameter Stage"),
    ],
)
def test_what_it_does_not_say_is_refused(stack: str, change: tuple[str, str], why: str) -> None:
    text = settings.FILE.read_text(encoding="utf-8").replace(*change)
    with pytest.raises(SettingsError, match=why):
        of_stack(stack, text)


# ---------------------------------------------------------------- placeholders


def one(lines: Any) -> Line:
    (line,) = lines
    assert isinstance(line, Line)
    return line


REAL = given(JwtIssuer="https://sign-in.gov.iq")


def test_samconfig_as_it_is_delivered_has_placeholders() -> None:
    line = one(configuration.placeholders(account(PROD)))
    assert line.state == STOP
    assert "JwtIssuer=https://sign-in.example" in line.why
    assert one(configuration.placeholders(account(REAL))).state == OK


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JwtIssuer", ""),
        ("JwtAudience", ""),
        ("JwtIssuer", "https://sign-in.staging.example/realm"),
        ("JwtIssuer", "http://localhost:9000"),
        ("PublicUrl", "https://<domain>"),
        ("PublicUrl", "https://fines.example.com"),
        ("BudgetEmail", "somebody@mail.test"),
        ("CorsOrigins", "https://tf.ur.gov.iq,https://portal.invalid"),
        ("UrSmsUrl", "https://..."),
        ("QiCardUrl", "https://changeme.iq"),
    ],
)
def test_a_placeholder_stops(name: str, value: str) -> None:
    line = one(configuration.placeholders(account(given(REAL, **{name: value}))))
    assert (line.state, name in line.why) == (STOP, True)
    assert "[prod.deploy.parameters]" in line.way_out


def test_what_only_looks_like_a_placeholder_does_not() -> None:
    names = {"JwtIssuer": "https://example-ministry.gov.iq/sample", "ColumnNames": "a=status; b=ignore"}
    assert one(configuration.placeholders(account(given(REAL, **names)))).state == OK


# ---------------------------------------------------------------- the day's SMS


@pytest.mark.parametrize(
    ("phase", "days", "state"), [("1", 0.1, OK), ("2", 1.49, STOP), ("2", 1.5, OK), ("3", 1.49, STOP), ("3", 2, OK)]
)
def test_from_phase_2_on_a_days_cap_lets_a_day_and_a_half_pass(phase: str, days: float, state: str) -> None:
    cap = str(days * cost.sms_of_a_day(float(PROD.parameters["SmsPartPrice"])))
    line = one(configuration.sms_of_a_day(account(given(Phase=phase, SmsSpendDayCap=cap))))
    assert line.state == state


def test_a_higher_price_needs_a_higher_cap() -> None:
    assert one(configuration.sms_of_a_day(account(given(Phase="2")))).state == OK
    assert one(configuration.sms_of_a_day(account(given(Phase="2", SmsPartPrice="0.3")))).state == STOP


# ---------------------------------------------------------------- who signs citizens in

HOME = "https://sign-in.gov.iq"
KEYS = f"{HOME}/keys"
DISCOVERY = f"{HOME}/.well-known/openid-configuration"
RSA = {"keys": [{"kty": "RSA", "kid": "1"}, {"kty": "EC", "kid": "2"}]}
WEB: dict[str, Any] = {DISCOVERY: {"issuer": HOME, "jwks_uri": KEYS}, KEYS: RSA}


def answering(pages: dict[str, Any]) -> Callable[[str], tuple[int, bytes]]:
    def fetch(address: str) -> tuple[int, bytes]:
        page = pages.get(address, 404)
        if page is None:
            raise OSError("NewConnectionError")
        return (page, b"") if isinstance(page, int) else (200, json.dumps(page).encode())

    return fetch


def test_an_issuer_that_signs_citizens_in() -> None:
    assert one(issuer.sign_in(account(REAL, answering(WEB)))).state == OK


@pytest.mark.parametrize(
    ("web", "why"),
    [
        ({DISCOVERY: None}, "does not answer"),
        ({DISCOVERY: 404}, "answers 404"),
        ({DISCOVERY: [1]}, "no JSON object"),
        ({DISCOVERY: {"issuer": f"{HOME}/", "jwks_uri": KEYS}}, "names itself"),
        ({DISCOVERY: {"issuer": HOME}}, "names no https address of keys"),
        ({DISCOVERY: {"issuer": HOME, "jwks_uri": "http://sign-in.gov.iq/keys"}}, "names no https address of keys"),
        ({KEYS: 500}, "answers 500"),
        ({KEYS: {"keys": []}}, "no key of RSA"),
        ({KEYS: {"keys": [{"kty": "EC"}]}}, "no key of RSA"),
        ({KEYS: {}}, "no key of RSA"),
    ],
)
def test_an_issuer_that_does_not(web: dict[str, Any], why: str) -> None:
    line = one(issuer.sign_in(account(REAL, answering({**WEB, **web}))))
    assert line.state == STOP
    assert why in line.why


def test_an_issuer_without_tls_stops_before_it_is_asked() -> None:
    assert one(issuer.sign_in(account(given(JwtIssuer="http://sign-in.gov.iq")))).state == STOP


@pytest.mark.parametrize(("answer", "state"), [(401, OK), (403, OK), (200, LOOK), (404, LOOK), (None, STOP)])
def test_ur_is_asked_without_a_token(answer: int | None, state: str) -> None:
    by_ur = given(SignIn="ur")
    assert one(issuer.sign_in(account(by_ur, answering({by_ur.parameters["UrUserUrl"]: answer})))).state == state


# ---------------------------------------------------------------- the page


def test_the_page_says_what_is_open_and_where_data_lie() -> None:
    opened = given(Phase="3", Edge="on", CopyRegion="eu-west-1", UrSmsUrl="https://sms.ur.gov.iq")
    said = "\n".join(page(opened))
    for name, who in PROD.switches.items():
        assert f"{name}={opened.parameters[name]}" in said
        assert who in said
    for place in (opened.region, "us-east-1", "eu-west-1", "https://sms.ur.gov.iq"):
        assert place in said.partition("where plates and phones lie")[2]
    assert "us-east-1" not in "\n".join(page(PROD))
    assert list(page(of_stack("gharama-dev"))) == []
