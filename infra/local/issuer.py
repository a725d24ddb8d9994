"""The OIDC issuer that stands in for the portal's sign-in.

The API's own JWT authorizer checks its tokens against the published key, as it does the portal's in production.
"""

import json
import os
import time
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey

AUDIENCE = "gharama-local"
LIFETIME = 3600  # seconds
ALGORITHM = "RS256"


class Issuer:
    """Signs tokens with a key that is made once and kept in `state_dir`, so that tokens outlive a restart.

    `url` is the issuer's identifier: discovery lies below it at `/.well-known/openid-configuration` and the
    public key at `/jwks`.
    """

    def __init__(self, state_dir: Path, url: str) -> None:
        self.url = url
        self._key = _kept_key(state_dir / "issuer-key.json")

    def discovery(self) -> dict[str, Any]:
        """The OpenID Connect discovery document."""
        return {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/jwks",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
        }

    def jwks(self) -> dict[str, Any]:
        """The public key as a JSON Web Key Set."""
        return {"keys": [{**self._key.as_dict(private=False), "use": "sig", "alg": ALGORITHM}]}

    def token(self, claims: dict[str, Any]) -> str:
        """A signed token that says `claims` (`sub`, `phone_number`, `name`, `scope`) for an hour from now."""
        now = int(time.time())
        header = {"alg": ALGORITHM, "typ": "JWT", "kid": self._key.kid}
        standard = {"iss": self.url, "aud": AUDIENCE, "iat": now, "nbf": now, "exp": now + LIFETIME}
        token: str = jwt.encode(header, {**claims, **standard}, self._key)
        return token


def _kept_key(path: Path) -> RSAKey:
    if not path.exists():
        key = RSAKey.generate_key(2048, auto_kid=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".new")
        unfinished.unlink(missing_ok=True)
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(key.as_dict(private=True), file)
        unfinished.replace(path)
    return RSAKey.import_key(json.loads(path.read_text()))
