"""Fingerprints of what may be counted or compared but not kept: plates and registration numbers.

An HMAC under a key from Secrets Manager, never a plain hash: plates can be enumerated, and so could their hashes.
"""

from __future__ import annotations

import hmac
from hashlib import shake_256

from shared.aws_json import Call


class Keyed:
    """Fingerprints under one key. The same text has another fingerprint for each purpose."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def from_secret(cls, call: Call, secret_id: str) -> Keyed:
        """The key as Secrets Manager holds it. One GetSecretValue."""
        secret = call("secretsmanager", "GetSecretValue", {"SecretId": secret_id})["SecretString"]
        return cls(secret.encode())

    def plate(self, plate_key: str) -> str:
        """What a plate is counted and audited under."""
        return self._of("plate", plate_key)

    def registration(self, plate_key: str, number: str) -> str:
        """What the number of a plate's registration card is kept as."""
        return self._of("registration", plate_key, number)

    def cursor(self, *parts: str) -> str:
        """What seals a position in a citizen's list."""
        return self._of("cursor", *parts)

    def veiled(self, text: bytes, under: bytes) -> bytes:
        """A text that nobody without the key can read; veiled again, it is readable.

        under: what no other text is veiled under, such as a fingerprint of this one (RFC 5297's construction).
        """
        seed = hmac.digest(self._key, b"veil\x1f" + under, "sha256")
        stream = shake_256(seed).digest(len(text))
        return bytes(byte ^ mask for byte, mask in zip(text, stream, strict=True))

    def _of(self, *parts: str) -> str:
        return hmac.digest(self._key, "\x1f".join(parts).encode(), "sha256").hex()[:32]
