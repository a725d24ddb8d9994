"""Callbacks are proved with keys and tokens made by others' tools, and refused when any byte of them changes."""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from pay.gateways import CallbackError, Delivery, Gateway, Keys, Notice, UntimelyError
from pay.gateways import client as exchanges
from pay.gateways.fib import Fib
from pay.gateways.qicard import QiCard
from pay.gateways.zaincash import ZainCash
from tests.support.gateways import qicard as qi
from tests.support.gateways.merchant import GATEWAYS, Merchant

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
PAYMENT_ID = "f2bb43a8-488a-4281-977b-5b3418fc3c67"
VECTOR = f"{PAYMENT_ID}|256.890|IQD|2024-08-04T15:34:33Z|SUCCESS"
BODY = (
    f'{{"paymentId":"{PAYMENT_ID}","amount":256.890,"currency":"IQD",'
    '"creationDate":"2024-08-04T15:34:33Z","status":"SUCCESS"}'
).encode()
PRINTABLE = st.characters(min_codepoint=0x20, max_codepoint=0x7E)
EXTREME = ["1e99999999999999999999", "-1e-99999999999999999999", "1e999999999999999999", "-1e999999999999999999"]
EVENT = Notice(None, PAYMENT_ID, f"{PAYMENT_ID}:SUCCESS")


def flipped(text: bytes) -> Iterator[bytes]:
    """The text with each bit of each byte changed in turn."""
    for position in range(len(text)):
        for bit in range(8):
            changed = bytearray(text)
            changed[position] ^= 1 << bit
            yield bytes(changed)


def accepted(verify: Callable[[bytes], object], texts: Iterator[bytes]) -> list[bytes]:
    """Those of the texts that are taken for genuine."""
    taken = []
    for text in texts:
        try:
            verify(text)
        except CallbackError:
            continue
        taken.append(text)
    return taken


# ---------------------------------------------------------------- QiCard


def qicard(*public_keys: str) -> QiCard:
    current, previous = [*({"public_key": key} for key in public_keys), None][:2]
    assert current is not None
    return QiCard("https://qicard.example", lambda: Keys(current, previous))


def notified(body: bytes, signature: str) -> Delivery:
    return Delivery({"x-signature": signature}, {}, body)


class OpenSsl:
    """Keys and signatures made by the openssl command."""

    def __init__(self, folder: Path) -> None:
        self._key = folder / "key.pem"
        self._run("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", str(self._key))
        self.public = self._run("pkey", "-in", str(self._key), "-pubout").decode()
        self.public_pkcs1 = self._run("rsa", "-in", str(self._key), "-RSAPublicKey_out").decode()

    def signature(self, text: str) -> str:
        raw = self._run("dgst", "-sha256", "-sign", str(self._key), of=text.encode())
        return base64.b64encode(raw).decode()

    @staticmethod
    def _run(*arguments: str, of: bytes = b"") -> bytes:
        return subprocess.run(["openssl", *arguments], input=of, capture_output=True, check=True, timeout=60).stdout


@pytest.fixture(scope="module")
def openssl(tmp_path_factory: pytest.TempPathFactory) -> OpenSsl:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on PATH")
    return OpenSsl(tmp_path_factory.mktemp("openssl"))


class TestQiCard:
    def test_the_documents_string_under_a_key_of_openssls(self, openssl: OpenSsl) -> None:
        signature = openssl.signature(VECTOR)
        assert qicard(openssl.public).callback(notified(BODY, signature), NOW) == EVENT
        assert qicard(openssl.public_pkcs1).callback(notified(BODY, signature), NOW) == EVENT

    def test_no_bit_of_what_is_signed_may_change(self, openssl: OpenSsl) -> None:
        gateway, signature = qicard(openssl.public), openssl.signature(VECTOR)
        taken = accepted(lambda body: gateway.callback(notified(body, signature), NOW), flipped(BODY))
        # One change in a thousand writes the same number otherwise: "256.890" and "256.89 ".
        assert [body for body in taken if json.loads(body) != json.loads(BODY)] == []

    def test_no_bit_of_the_signature_may_change(self, openssl: OpenSsl) -> None:
        gateway, signature = qicard(openssl.public), openssl.signature(VECTOR)

        def verify(text: bytes) -> Notice:
            return gateway.callback(notified(BODY, text.decode("latin-1")), NOW)

        assert accepted(verify, flipped(signature.encode())) == []
        assert (
            accepted(verify, iter([f"{signature}\n".encode(), f" {signature}".encode(), signature[:-1].encode()])) == []
        )

    @pytest.mark.parametrize("text", ["256.89", "256.890", "256.8900", "2.5689e2"])
    def test_an_amount_has_three_decimals_however_it_is_written(self, text: str) -> None:
        body = BODY.replace(b"256.890", text.encode())
        assert qicard(qi.pem(1)).callback(notified(body, qi.signed(1, VECTOR)), NOW) == EVENT

    @pytest.mark.parametrize("text", ["256.8904", "256.8896", "256.8900001", "256.890e1", "-256.890"])
    def test_an_amount_that_is_not_quite_the_signed_one_is_refused(self, text: str) -> None:
        body = BODY.replace(b"256.890", text.encode())
        with pytest.raises(CallbackError, match="bad signature"):
            qicard(qi.pem(1)).callback(notified(body, qi.signed(1, VECTOR)), NOW)

    @pytest.mark.parametrize("text", EXTREME)
    def test_an_amount_that_no_arithmetic_bears_is_refused(self, text: str) -> None:
        """Anybody can send one: it is read before the signature can be checked."""
        with pytest.raises(CallbackError):
            qicard(qi.pem(1)).callback(notified(BODY.replace(b"256.890", text.encode()), qi.signed(1, VECTOR)), NOW)

    @given(amount=st.integers(1, 10**11), places=st.integers(0, 3))
    def test_every_amount_in_dinars(self, amount: int, places: int) -> None:
        body = BODY.replace(b"256.890", f"{amount}.{'0' * places}".rstrip(".").encode())
        signature = qi.signed(1, VECTOR.replace("256.890", f"{amount}.000"))
        assert qicard(qi.pem(1)).callback(notified(body, signature), NOW) == EVENT

    @pytest.mark.parametrize("name", ["currency", "creationDate"])
    @pytest.mark.parametrize("null", [True, False])
    def test_what_is_missing_or_null_is_signed_as_a_dash(self, name: str, null: bool) -> None:
        told = {**json.loads(BODY), name: None}
        if not null:
            del told[name]
        text = "|".join(
            part if key != name else "-"
            for key, part in zip(
                ("paymentId", "amount", "currency", "creationDate", "status"), VECTOR.split("|"), strict=True
            )
        )
        body = json.dumps(told).encode()
        assert qicard(qi.pem(1)).callback(notified(body, qi.signed(1, text)), NOW) == EVENT

    def test_two_decimals_are_taken_and_logged_without_a_word_of_what_they_sign(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        body = BODY.replace(b"256.890", b"3000")
        signature = qi.signed(1, VECTOR.replace("256.890", "3000.00"))
        assert qicard(qi.pem(1)).callback(notified(body, signature), NOW) == EVENT
        (record,) = caplog.records
        assert record.getMessage() == "signed with two decimals"
        assert not [part for part in (PAYMENT_ID, "3000", signature) if part in str(vars(record))]

    @pytest.mark.parametrize("changes", [{"requestId": "another"}, {"canceled": True}, {"confirmedAmount": 1}])
    def test_what_the_signature_leaves_out_changes_nothing(self, changes: Mapping[str, Any]) -> None:
        body = json.dumps({**json.loads(BODY), **changes}).encode()
        assert qicard(qi.pem(1)).callback(notified(body, qi.signed(1, VECTOR)), NOW) == EVENT

    def test_two_keys_are_valid_at_once_and_a_third_is_not(self) -> None:
        for number in (1, 2):
            delivery = notified(BODY, qi.signed(number, VECTOR))
            assert qicard(qi.pem(1), qi.pem(2)).callback(delivery, NOW) == EVENT
        with pytest.raises(CallbackError, match="bad signature"):
            qicard(qi.pem(1), qi.pem(2)).callback(notified(BODY, qi.signed(3, VECTOR)), NOW)

    @pytest.mark.parametrize(
        "body",
        [
            BODY.replace(b"256.890", b"256.8905"),
            BODY.replace(b"256.890", b'"256.890"'),
            BODY.replace(b"256.890", b"true"),
            BODY.replace(f'"{PAYMENT_ID}"'.encode(), b"5"),
            BODY.replace(PAYMENT_ID.encode(), b""),
            BODY.replace(PAYMENT_ID.encode(), b"x" * 65),
            BODY.replace(b'"SUCCESS"', b"null"),
            BODY.replace(b'"SUCCESS"', b'"\\ud800"'),
        ],
    )
    def test_signed_or_not_a_body_that_is_none_is_refused(self, body: bytes) -> None:
        told = json.loads(body)
        names = ("paymentId", "amount", "currency", "creationDate", "status")
        text = "|".join("-" if told[name] is None else str(told[name]) for name in names)
        with pytest.raises(CallbackError):
            qicard(qi.pem(1)).callback(notified(body, qi.signed(1, text.encode("utf-8", "replace").decode())), NOW)

    @pytest.mark.parametrize("make", [lambda: ec.generate_private_key(ec.SECP256R1())])
    def test_a_key_that_is_no_rsa_key_is_said_to_be_none(self, make: Callable[[], ec.EllipticCurvePrivateKey]) -> None:
        pem = make().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        with pytest.raises(ValueError, match="not an RSA key"):
            qicard(pem).callback(notified(BODY, qi.signed(1, VECTOR)), NOW)


# ---------------------------------------------------------------- ZainCash

KEY = "an API key of ZainCash's, as long as it needs to be"
REFERENCE = UUID("0f9b1c52-6a3e-4a55-9a0e-2b6c1d4e8f70")
PUBLIC_CLIENTS: dict[str, dict[str, Any]] = {
    "zaincash_payment on pub.dev": {
        "transactionId": "6fc49988-c618-4ee4-880b-d5a169693296",
        "customerMsisdn": "9647802999569",
        "orderId": REFERENCE.hex,
        "serviceType": "Delivery",
        "errorMessage": None,
        "previousStatus": "PENDING",
        "currentStatus": "SUCCESS",
        "amount": {"currency": "IQD", "value": 5000, "feeValue": 0},
    },
    "parakit": {
        "transactionId": "6fc49988-c618-4ee4-880b-d5a169693296",
        "orderId": REFERENCE.hex,
        "previousStatus": "OTP_SENT",
        "currentStatus": "FAILED",
        "amount": {"currency": "IQD", "value": "5000"},
    },
}
"""The data of tokens as these clients' own fixtures have them, under an order of ours: none names our reference."""


def zaincash(*callback_keys: str) -> ZainCash:
    current, previous = [*({"callback_key": key} for key in callback_keys or (KEY,)), None][:2]
    assert current is not None
    return ZainCash("https://zaincash.example", lambda: Keys(current, previous))


def claims(**changes: Any) -> dict[str, Any]:
    data = {
        "transactionId": "t-1",
        "orderId": REFERENCE.hex,
        "merchantReferenceId": str(REFERENCE),
        "currentStatus": "SUCCESS",
        "previousStatus": "PENDING",
        "amount": {"value": "75000", "currency": "IQD"},
    }
    return {"eventId": "e-1", "eventType": "STATUS_CHANGED", "timestamp": NOW.isoformat(), "data": data, **changes}


def told_of(token: str | bytes) -> tuple[Delivery, Delivery]:
    """The browser and the webhook that bring a token."""
    text = token.decode("latin-1") if isinstance(token, bytes) else token
    return Delivery({}, {"token": text}, b""), Delivery({}, {}, json.dumps({"webhook_token": text}).encode())


def token(made: Mapping[str, Any] | None = None, key: Any = KEY, algorithm: str = "HS256", **headers: Any) -> str:
    return jwt.encode(dict(claims() if made is None else made), key, algorithm, headers or None)


class TestZainCash:
    def test_a_token_made_by_another_library(self) -> None:
        for delivery in told_of(token()):
            assert zaincash().callback(delivery, NOW) == Notice(REFERENCE.hex, "t-1", "e-1")

    @pytest.mark.parametrize("brought_by", [0, 1], ids=["the browser", "the webhook"])
    def test_no_bit_of_it_may_change(self, brought_by: int) -> None:
        gateway = zaincash()
        texts = flipped(token().encode())
        assert accepted(lambda text: gateway.callback(told_of(text)[brought_by], NOW), texts) == []

    @pytest.mark.parametrize("change", ["{}=", "{}\n", " {}", "{}.", "{}.{}", "", "..", "a.b.c", "{}A"])
    def test_it_has_one_spelling(self, change: str) -> None:
        for delivery in told_of(change.replace("{}", token())):
            with pytest.raises(CallbackError):
                zaincash().callback(delivery, NOW)

    @given(
        key=st.text(min_size=32, max_size=80), reference=st.uuids(), event=st.text(PRINTABLE, min_size=1, max_size=64)
    )
    def test_every_token_under_the_key_and_none_under_another(self, key: str, reference: UUID, event: str) -> None:
        data = {**claims()["data"], "orderId": reference.hex, "merchantReferenceId": str(reference)}
        delivery = told_of(token(claims(data=data, eventId=event), key))[0]
        assert zaincash(key).callback(delivery, NOW) == Notice(reference.hex, "t-1", event)
        with pytest.raises(CallbackError, match="bad signature"):
            zaincash(f"{key}.").callback(delivery, NOW)

    @pytest.mark.parametrize("text", EXTREME)
    def test_a_number_that_no_arithmetic_bears_is_no_token(self, text: str) -> None:
        with pytest.raises(CallbackError):
            zaincash().callback(Delivery({}, {}, f'{{"webhook_token": {text}}}'.encode()), NOW)

    def test_two_keys_are_valid_at_once_and_a_third_is_not(self) -> None:
        second, third = secrets.token_hex(32), secrets.token_hex(32)
        for key in (KEY, second):
            assert zaincash(KEY, second).callback(told_of(token(key=key))[1], NOW)
        with pytest.raises(CallbackError, match="bad signature"):
            zaincash(KEY, second).callback(told_of(token(key=third))[1], NOW)

    def test_no_algorithm_but_one(self) -> None:
        private = rsa.generate_private_key(65537, 2048)
        unsigned = jwt.encode(claims(), None, "none")
        long = f"{KEY}, and longer still for the longer algorithms"
        forged = [
            unsigned,
            unsigned + token().rpartition(".")[2],
            token(key=private, algorithm="RS256"),
            token(key=KEY, algorithm="HS384"),
            token(key=long, algorithm="HS512"),
            f"{token()}.x.y",
        ]
        for text in forged:
            for delivery in told_of(text):
                with pytest.raises(CallbackError):
                    zaincash(long if text == forged[4] else KEY).callback(delivery, NOW)

    @pytest.mark.parametrize("header", ["5", "[]", "{}", '{"alg": 5}', '{"alg": "HS256", "crit": 5}', "[" * 2_900])
    def test_a_header_of_any_shape_is_refused(self, header: str) -> None:
        """Anybody can send one: it is read before the signature can be checked."""
        first = base64.urlsafe_b64encode(header.encode()).decode().rstrip("=")
        for delivery in told_of(f"{first}.{token().partition('.')[2]}"):
            with pytest.raises(CallbackError):
                zaincash().callback(delivery, NOW)

    @pytest.mark.parametrize("headers", [{"crit": ["exp"], "exp": 1}, {"jwk": {"kty": "oct", "k": "AAAA"}}])
    def test_a_header_cannot_bring_its_own_key(self, headers: Mapping[str, Any]) -> None:
        with pytest.raises(CallbackError):
            zaincash().callback(told_of(token(key="attacker's own key, of thirty-two bytes", **headers))[0], NOW)

    @pytest.mark.parametrize(
        "time",
        [
            {"timestamp": NOW.isoformat()},
            {"timestamp": "2026-11-20T12:00:00.123+03:00"},
            {"timestamp": "2026-11-20T09:00:00Z"},
            {"timestamp": int(NOW.timestamp())},
            {"timestamp": int(NOW.timestamp() * 1000)},
            {"timestamp": NOW.timestamp() + 0.5},
            {"iat": int(NOW.timestamp()), "exp": int(NOW.timestamp()) + 60},
            {"exp": int(NOW.timestamp()) + 60},
            {"timestamp": (NOW - timedelta(hours=23)).isoformat()},
            {"timestamp": (NOW + timedelta(minutes=4)).isoformat()},
        ],
    )
    def test_a_token_of_now(self, time: dict[str, Any]) -> None:
        made = {name: value for name, value in claims().items() if name != "timestamp"} | time
        assert zaincash().callback(told_of(token(made))[0], NOW)

    @pytest.mark.parametrize(
        ("time", "reason"),
        [
            ({}, "no time"),
            ({"timestamp": (NOW - timedelta(hours=25)).isoformat()}, "out of bounds"),
            ({"timestamp": (NOW + timedelta(minutes=6)).isoformat()}, "out of bounds"),
            ({"timestamp": int((NOW - timedelta(hours=25)).timestamp() * 1000)}, "out of bounds"),
            ({"timestamp": NOW.isoformat(), "iat": int((NOW - timedelta(hours=25)).timestamp())}, "out of bounds"),
            ({"timestamp": NOW.isoformat(), "iat": int((NOW + timedelta(hours=1)).timestamp())}, "out of bounds"),
            ({"timestamp": NOW.isoformat(), "exp": int(NOW.timestamp())}, "out of bounds"),
            ({"timestamp": NOW.isoformat(), "exp": 5}, "out of bounds"),
            ({"timestamp": "2026-11-20T12:00:00"}, "not understood"),
            ({"timestamp": "yesterday"}, "not understood"),
            ({"timestamp": None}, "not understood"),
            ({"timestamp": True}, "not understood"),
            ({"timestamp": 10**400}, "not understood"),
            ({"timestamp": NOW.isoformat(), "iat": [1]}, "not understood"),
        ],
    )
    def test_a_token_of_another_time(self, time: dict[str, Any], reason: str) -> None:
        made = {name: value for name, value in claims().items() if name != "timestamp"} | time
        with pytest.raises(CallbackError, match=reason):
            zaincash().callback(told_of(token_of(made))[0], NOW)

    @pytest.mark.parametrize(
        "data",
        [
            None,
            [],
            "x",
            {},
            {"transactionId": 5, "merchantReferenceId": str(REFERENCE), "currentStatus": "SUCCESS"},
            {"transactionId": "", "merchantReferenceId": str(REFERENCE), "currentStatus": "SUCCESS"},
            {"transactionId": "x" * 65, "merchantReferenceId": str(REFERENCE), "currentStatus": "SUCCESS"},
            {"transactionId": "t", "merchantReferenceId": "another system's", "currentStatus": "SUCCESS"},
            {"transactionId": "t", "orderId": "another system's", "currentStatus": "SUCCESS"},
            {"transactionId": "t", "orderId": "0" * 32, "merchantReferenceId": str(REFERENCE), "currentStatus": "F"},
            {"transactionId": None, "merchantReferenceId": None, "orderId": None, "currentStatus": "SUCCESS"},
            {"transactionId": "t", "orderId": REFERENCE.hex},
        ],
    )
    def test_claims_that_are_not_of_an_order_of_ours(self, data: object) -> None:
        with pytest.raises(CallbackError, match="not a callback's claims"):
            zaincash().callback(told_of(token(claims(data=data)))[0], NOW)

    @pytest.mark.parametrize("ours", [{}, {"orderId": REFERENCE.hex}, {"merchantReferenceId": str(REFERENCE)}])
    @pytest.mark.parametrize("theirs", [{}, {"transactionId": "t-1"}, {"transactionId": "t-1", "amount": None}])
    def test_one_of_its_ids_is_enough(self, ours: dict[str, str], theirs: dict[str, Any]) -> None:
        made = claims(data={**ours, **theirs, "currentStatus": "SUCCESS"})
        expected = Notice(REFERENCE.hex if ours else None, "t-1" if theirs else None, "e-1")
        for delivery in told_of(token(made)):
            if ours or theirs:
                assert zaincash().callback(delivery, NOW) == expected
            else:
                with pytest.raises(CallbackError, match="not a callback's claims"):
                    zaincash().callback(delivery, NOW)

    @pytest.mark.parametrize("data", PUBLIC_CLIENTS.values(), ids=PUBLIC_CLIENTS)
    def test_the_tokens_of_public_clients(self, data: dict[str, Any]) -> None:
        made = {
            "eventType": "STATUS_CHANGED",
            "eventId": "812691e6-b433-4ffc-888c-d11e21c14994",
            "timestamp": "2026-11-20T08:59:30.000+00:00",
            "data": data,
        }
        for delivery in told_of(token(made)):
            notice = zaincash().callback(delivery, NOW)
            assert notice == Notice(data["orderId"], data["transactionId"], made["eventId"])

    def test_one_of_another_time_says_whom_it_is_about(self) -> None:
        old = claims(timestamp=(NOW - timedelta(hours=25)).isoformat())
        with pytest.raises(UntimelyError) as raised:
            zaincash().callback(told_of(token(old))[0], NOW)
        assert raised.value.notice == Notice(REFERENCE.hex, "t-1", "e-1")

    @pytest.mark.parametrize("changed", ["another key's", {}])
    def test_but_not_one_whose_signature_or_claims_are_none(self, changed: Any) -> None:
        old = claims(timestamp=(NOW - timedelta(hours=25)).isoformat())
        made = token(old, key=f"{changed}, of thirty-two bytes at least") if changed else token({**old, "data": {}})
        with pytest.raises(CallbackError) as raised:
            zaincash().callback(told_of(made)[0], NOW)
        assert not isinstance(raised.value, UntimelyError)

    def test_without_an_event_id_an_order_and_its_status_are_one(self) -> None:
        made = claims()
        del made["eventId"]
        assert zaincash().callback(told_of(token(made))[0], NOW).event == "t-1:SUCCESS"


def token_of(made: Mapping[str, Any]) -> str:
    """A signed token whatever its claims are: PyJWT itself refuses to make some of them."""
    return jwt.PyJWS().encode(json.dumps(made).encode(), KEY, "HS256")


# ---------------------------------------------------------------- all of them

ODD = [
    *(b'"' + text.encode() + b'"' for text in (r"\ud800", r"\udfff\u0000", r"\u0000", r"\u2028", "", "x" * 65)),
    *(b"[" * 60_000, b'{"a":' * 20_000, b"5", b"null", b"[]", b"{}", b"1e999999999", b"NaN", b"true"),
]
FIELDS = {
    "qicard": ("paymentId", "status", "currency", "creationDate"),
    "zaincash": ("transactionId", "orderId", "currentStatus", "eventId", "data"),
    "fib": ("id", "status"),
    "sandbox": ("reference", "id", "status"),
}


def adapter(name: str) -> Gateway:
    secret = {"api_key": "a", "callback_key": KEY, "client_id": "c", "client_secret": "s", "public_key": qi.pem(1)}
    return GATEWAYS[name][1]("https://gateway.example", lambda: Keys(secret))


def signed_by(name: str, body: bytes) -> Delivery:
    """A body as a gateway would send it: signed, or under a genuine address."""
    if name == "sandbox":
        stamp = f"{NOW.timestamp():.0f}"
        mark = hmac.digest(KEY.encode(), f"{stamp}.".encode() + body, "sha256").hex()
        return Delivery({"x-sandbox-signature": f"t={stamp},v1={mark}"}, {}, body)
    if name == "fib":
        proof = hmac.digest(b"s", b"callback of p", "sha256").hex()
        return Delivery({}, {"payment": "p", "proof": proof}, body)
    if name == "zaincash":
        return told_of(jwt.PyJWS().encode(body, KEY, "HS256"))[1]
    told = exchanges.parse(body) or {}
    names = ("paymentId", "amount", "currency", "creationDate", "status")
    text = "|".join("-" if told.get(each) is None else str(told[each]) for each in names)
    signature = qi.key(1).sign(text.encode("utf-8", "surrogatepass"), padding.PKCS1v15(), hashes.SHA256())
    return Delivery({"x-signature": base64.b64encode(signature).decode()}, {}, body)


@pytest.mark.parametrize("name", GATEWAYS)
@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_a_genuine_body_of_any_shape_is_refused_or_can_be_kept(name: str, odd: bytes) -> None:
    """Never an error of ours: what is told of an event has to be text that a table takes."""
    good = {"reference": "p", "id": "g", "paymentId": "g", "status": "paid", "eventId": "e"}
    data = {"transactionId": "g", "orderId": REFERENCE.hex, "currentStatus": "SUCCESS"}
    told = {**good, "timestamp": NOW.isoformat(), "data": data}
    bodies = [odd]
    for field in FIELDS[name]:
        made = {**told, "data": {**data, field: "@"}} if field in data else {**told, field: "@"}
        bodies.append(json.dumps(made).encode().replace(b'"@"', odd))
    for body in bodies:
        try:
            notice = adapter(name).callback(signed_by(name, body), NOW)
        except CallbackError:
            continue
        assert "".join(filter(None, notice)).isprintable()
        assert max(len(value or "") for value in notice) <= 200


# ---------------------------------------------------------------- FIB


class TestFib:
    def test_no_byte_of_the_address_may_change(self) -> None:
        merchant = Merchant("fib")
        with merchant.gateway:
            order, gateway_id = merchant.placed("paid")
        genuine = merchant.gateway.owed[-1].delivery()
        assert merchant.adapter.callback(genuine, NOW) == Notice(order.payment_id, gateway_id, f"{gateway_id}:PAID")
        for name in ("payment", "proof"):

            def verify(text: bytes, name: str = name) -> Notice:
                query = {**genuine.query, name: text.decode("latin-1")}
                return merchant.adapter.callback(genuine._replace(query=query), NOW)

            assert accepted(verify, flipped(genuine.query[name].encode())) == []

    def test_a_proof_is_one_payments(self) -> None:
        secret = {"client_id": "c", "client_secret": "s"}
        gateway = Fib("https://fib.example", lambda: Keys(secret))
        body = json.dumps({"id": str(uuid4()), "status": "PAID"}).encode()
        for proof in ("", "0" * 64, secrets.token_hex(32)):
            with pytest.raises(CallbackError, match="proof"):
                gateway.callback(Delivery({}, {"payment": secrets.token_hex(16), "proof": proof}, body), NOW)
