"""Fingerprints of what may be counted or compared but not kept: plates, registration numbers, people; sealed cursors.

An HMAC under a key from Secrets Manager, never a plain hash: plates can be enumerated, and so could their hashes. The
key has versions, of which none is ever taken away. The secret is the first version's text alone, or JSON::

    {"keys": ["the first", "the second"], "registry": [1, 2]}

registry: in which versions the registry's fingerprints may stand (:mod:`shared.stores.registry`), from the oldest that
is still to be looked for to the one in which they are written. A new version is written only once every run knows it:
what one cannot read would end a proof.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from hashlib import shake_256

import orjson

from shared.aws_json import Call


class PlateCrypto:
    """Fingerprints and encryption under one key. The same text has another fingerprint for each purpose.

    Those that are kept for long name their version before a dot, but for the first: ``2.5f0c…``. What the registry
    keeps is wrapped: under each further version the fingerprint of the one before is fingerprinted, so that what stands
    there can be brought to a new version without knowing a plate or a number.
    """

    def __init__(self, *keys: bytes, registry: Sequence[int] = (1, 1)) -> None:
        self._keys = keys
        self._oldest, self._written = registry

    @classmethod
    def from_secret(cls, call: Call, secret_id: str) -> PlateCrypto:
        """Read the key from Secrets Manager. One GetSecretValue."""
        return cls.from_text(call("secretsmanager", "GetSecretValue", {"SecretId": secret_id})["SecretString"])

    @classmethod
    def from_text(cls, secret: str) -> PlateCrypto:
        """Read the key's versions from the secret's text."""
        if not secret.startswith("{"):
            return cls(secret.encode())
        value = orjson.loads(secret)
        return cls(*(key.encode() for key in value["keys"]), registry=value["registry"])

    @property
    def version(self) -> int:
        """The newest version of the key."""
        return len(self._keys)

    def plate_fingerprint(self, plate_key: str) -> str:
        """Fingerprint a plate, as it is counted and audited."""
        return self.plate_fingerprints(plate_key)[-1]

    def plate_fingerprints(self, plate_key: str) -> list[str]:
        """Fingerprint a plate under every version of the key, the oldest first: as it was ever audited."""
        return self._of_all_versions("plate", plate_key)

    def citizen_fingerprint(self, sub: str) -> str:
        """Fingerprint a citizen, where something is kept of them that must outlive what names them."""
        return self.citizen_fingerprints(sub)[-1]

    def citizen_fingerprints(self, sub: str) -> list[str]:
        """Fingerprint a citizen under every version of the key, the oldest first."""
        return self._of_all_versions("citizen", sub)

    def registry_mark(self, plate_key: str) -> str:
        """Fingerprint a plate as the registry's new items are keyed by it."""
        return self.wrap(self._hash(self._keys[0], "plate", plate_key), self._written)

    def registry_marks(self, plate_key: str) -> list[str]:
        """Fingerprint a plate in every form under which it may stand in the registry, the newest first."""
        first = self._hash(self._keys[0], "plate", plate_key)
        return [self.wrap(first, version) for version in range(self.version, self._oldest - 1, -1)]

    def registration_fingerprint(self, plate_key: str, number: str) -> str:
        """Fingerprint the number of a plate's registration card, as it is written."""
        return self.wrap(self._hash(self._keys[0], "registration", plate_key, number), self._written)

    def wrap(self, fingerprint: str, version: int | None = None) -> str:
        """Bring a fingerprint of the registry to a version of the key: to the newest, in which all can be compared.

        One that is newer stays as it is.
        """
        wanted = version or self.version
        if wanted == 1:
            return fingerprint
        reached, _, bare = fingerprint.rpartition(".")
        for key in self._keys[int(reached or 1) : wanted]:
            bare = self._hash(key, "wrapped", bare)
        return _named(max(int(reached or 1), wanted), bare)

    def person_fingerprint(self, *parts: str) -> str:
        """Fingerprint a person in a file, who would be told of it."""
        return self._hash(self._keys[-1], "person", *parts)

    def cursor_fingerprint(self, *parts: str) -> str:
        """Fingerprint a position in a citizen's list, which seals its cursor. It ends with the key's version."""
        return self._hash(self._keys[-1], "cursor", *parts)

    def seal_plate(self, plate_key: str) -> str:
        """Encrypt a plate that must be found again where its fingerprint stands."""
        nonce = self._hash(self._keys[-1], "sealed", plate_key)
        return nonce + _mask(self._keys[-1], plate_key.encode(), nonce.encode()).hex()

    def open_plate(self, sealed: str) -> str:
        """Decrypt a plate, whichever version of the key it was sealed under. Raises ValueError where it was none."""
        nonce, encrypted = sealed[:32], bytes.fromhex(sealed[32:])
        for key in reversed(self._keys):
            plate_key = _mask(key, encrypted, nonce.encode()).decode(errors="replace")
            if hmac.compare_digest(nonce, self._hash(key, "sealed", plate_key)):
                return plate_key
        raise ValueError("sealed under another key")

    def seal(self, text: str, mark: str) -> str:
        """Encrypt what a fingerprint (``mark``) was made of, under the version of the key that it names."""
        return _mask(self._of(mark), text.encode(), mark.encode()).hex()

    def unseal(self, sealed: str, mark: str) -> str:
        """Decrypt what was sealed with a fingerprint."""
        return _mask(self._of(mark), bytes.fromhex(sealed), mark.encode()).decode()

    def _of(self, mark: str) -> bytes:
        return self._keys[int(mark.rpartition(".")[0] or 1) - 1]

    def encrypt(self, text: bytes, nonce: bytes) -> bytes:
        """Encrypt a text.

        nonce: under which no other text is encrypted, such as a fingerprint of this one (RFC 5297's construction).
        """
        return _mask(self._keys[-1], text, nonce)

    def decrypt(self, encrypted: bytes, nonce: bytes) -> bytes:
        """Decrypt what was encrypted under a nonce: the same mask, applied again, takes itself away."""
        return self.encrypt(encrypted, nonce)

    def _of_all_versions(self, *parts: str) -> list[str]:
        return [_named(number, self._hash(key, *parts)) for number, key in enumerate(self._keys, 1)]

    def _hash(self, key: bytes, *parts: str) -> str:
        return hmac.digest(key, "\x1f".join(parts).encode(), "sha256").hex()[:32]


def _mask(key: bytes, text: bytes, nonce: bytes) -> bytes:
    """Put a text under the mask of a key and a nonce, or take it away."""
    stream = shake_256(hmac.digest(key, b"encrypt\x1f" + nonce, "sha256")).digest(len(text))
    return bytes(byte ^ mask for byte, mask in zip(text, stream, strict=True))


def _named(version: int, fingerprint: str) -> str:
    return fingerprint if version == 1 else f"{version}.{fingerprint}"
