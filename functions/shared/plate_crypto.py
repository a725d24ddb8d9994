"""Fingerprints of what may be counted or compared but not kept, plates and registration numbers; and sealed cursors.

An HMAC under a key from Secrets Manager, never a plain hash: plates can be enumerated, and so could their hashes.
"""

from __future__ import annotations

import hmac
from hashlib import shake_256

from shared.aws_json import Call


class PlateCrypto:
    """Fingerprints and encryption under one key. The same text has another fingerprint for each purpose."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def from_secret(cls, call: Call, secret_id: str) -> PlateCrypto:
        """Read the key from Secrets Manager. One GetSecretValue."""
        secret = call("secretsmanager", "GetSecretValue", {"SecretId": secret_id})["SecretString"]
        return cls(secret.encode())

    def plate_fingerprint(self, plate_key: str) -> str:
        """Fingerprint a plate, as it is counted and audited."""
        return self._fingerprint("plate", plate_key)

    def registration_fingerprint(self, plate_key: str, number: str) -> str:
        """Fingerprint the number of a plate's registration card, as it is kept."""
        return self._fingerprint("registration", plate_key, number)

    def person_fingerprint(self, *parts: str) -> str:
        """Fingerprint a person in a file, who would be told of it."""
        return self._fingerprint("person", *parts)

    def citizen_fingerprint(self, sub: str) -> str:
        """Fingerprint a citizen, where something is kept of them that must outlive what names them."""
        return self._fingerprint("citizen", sub)

    def cursor_fingerprint(self, *parts: str) -> str:
        """Fingerprint a position in a citizen's list, which seals its cursor."""
        return self._fingerprint("cursor", *parts)

    def seal_plate(self, plate_key: str) -> str:
        """Encrypt a plate that must be found again where its fingerprint stands."""
        nonce = self._fingerprint("sealed", plate_key)
        return nonce + self.encrypt(plate_key.encode(), nonce.encode()).hex()

    def open_plate(self, sealed: str) -> str:
        """Decrypt a plate. Raises ValueError where it was sealed under another key."""
        nonce = sealed[:32]
        plate_key = self.decrypt(bytes.fromhex(sealed[32:]), nonce.encode()).decode()
        if not hmac.compare_digest(nonce, self._fingerprint("sealed", plate_key)):
            raise ValueError("sealed under another key")
        return plate_key

    def encrypt(self, text: bytes, nonce: bytes) -> bytes:
        """Encrypt a text.

        nonce: under which no other text is encrypted, such as a fingerprint of this one (RFC 5297's construction).
        """
        seed = hmac.digest(self._key, b"encrypt\x1f" + nonce, "sha256")
        stream = shake_256(seed).digest(len(text))
        return bytes(byte ^ mask for byte, mask in zip(text, stream, strict=True))

    def decrypt(self, encrypted: bytes, nonce: bytes) -> bytes:
        """Decrypt what was encrypted under a nonce: the same mask, applied again, takes itself away."""
        return self.encrypt(encrypted, nonce)

    def _fingerprint(self, *parts: str) -> str:
        return hmac.digest(self._key, "\x1f".join(parts).encode(), "sha256").hex()[:32]
