"""Tokens of the local issuer, checked with cryptography alone so that one library's mistake cannot hide."""

import base64
import json
import stat
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256

from infra.local.issuer import Issuer

URL = "http://127.0.0.1:8080/_local/issuer"
CLAIMS = {"sub": "ur-1", "phone_number": "+9647700000001", "name": "مواطن", "scope": "directorate"}


def unpadded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def read(token: str, jwks: dict[str, Any]) -> dict[str, Any]:
    """The claims of `token`. Raises InvalidSignature, or StopIteration where its key is unknown."""
    header, payload, signature = token.split(".")
    head = json.loads(unpadded(header))
    assert head["alg"] == "RS256"
    key = next(key for key in jwks["keys"] if key["kid"] == head["kid"])
    modulus, exponent = (int.from_bytes(unpadded(key[name])) for name in ("n", "e"))
    RSAPublicNumbers(exponent, modulus).public_key().verify(
        unpadded(signature), f"{header}.{payload}".encode(), PKCS1v15(), SHA256()
    )
    return dict(json.loads(unpadded(payload)))


def test_token_is_valid_under_the_published_key(tmp_path: Path) -> None:
    issuer = Issuer(tmp_path, URL)
    before = int(time.time())
    claims = read(issuer.token(CLAIMS), issuer.jwks())
    assert CLAIMS.items() <= claims.items()
    assert (claims["iss"], claims["aud"]) == (URL, "gharama-local")
    assert before <= claims["iat"] == claims["nbf"] <= int(time.time())
    assert claims["exp"] == claims["iat"] + 3600


def test_a_changed_token_is_not_valid(tmp_path: Path) -> None:
    issuer = Issuer(tmp_path, URL)
    header, _, signature = issuer.token(CLAIMS).split(".")
    forged = base64.urlsafe_b64encode(json.dumps({"sub": "someone else"}).encode()).decode().rstrip("=")
    with pytest.raises(InvalidSignature):
        read(f"{header}.{forged}.{signature}", issuer.jwks())


def test_asked_claims_cannot_replace_the_issuers(tmp_path: Path) -> None:
    issuer = Issuer(tmp_path, URL)
    claims = read(issuer.token({"sub": "ur-1", "iss": "https://elsewhere.test", "exp": 1}), issuer.jwks())
    assert claims["iss"] == URL
    assert claims["exp"] > time.time()


def test_key_is_published_without_its_private_part(tmp_path: Path) -> None:
    (key,) = Issuer(tmp_path, URL).jwks()["keys"]
    assert set(key) == {"kty", "n", "e", "kid", "use", "alg"}
    assert len(unpadded(key["n"])) == 256


def test_key_is_kept_for_its_owner_alone(tmp_path: Path) -> None:
    state = tmp_path / "state"
    token = Issuer(state, URL).token(CLAIMS)
    assert read(token, Issuer(state, URL).jwks())["sub"] == "ur-1"
    (file,) = state.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_each_installation_has_its_own_key(tmp_path: Path) -> None:
    with pytest.raises(StopIteration):
        read(Issuer(tmp_path / "a", URL).token(CLAIMS), Issuer(tmp_path / "b", URL).jwks())


def test_discovery_leads_to_the_key(tmp_path: Path) -> None:
    document = Issuer(tmp_path, URL).discovery()
    assert document["issuer"] == URL
    assert document["jwks_uri"] == f"{URL}/jwks"
    assert document["id_token_signing_alg_values_supported"] == ["RS256"]
