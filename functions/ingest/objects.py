"""The bucket of files, through boto3's S3 client: file versions are read, reports and rejects written."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from botocore.exceptions import ClientError

from ingest.errors import FileError
from shared.domain.time import to_text

BLOCK: Final = 256 * 1024
AS_OF: Final = "as-of"
"""The metadata that says when what a file says was so."""
_GONE: Final = frozenset(("NoSuchKey", "NoSuchVersion", "MethodNotAllowed"))
_NOT_FOUND: Final = _GONE | {"404"}  # an answer to HEAD has no body to say more


class Opened(NamedTuple):
    """A file version being read. last_modified: a stored text.

    encoding, accept, as_of: what its metadata declares, or None.
    """

    blocks: Iterator[bytes]
    last_modified: str
    size: int
    encoding: str | None
    accept: str | None
    as_of: str | None = None


class Objects:
    """One bucket. s3: a boto3 client."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def require(self, key: str) -> None:
        """Raises FileError where a key was deleted, although the bucket keeps its versions."""
        found = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=key, MaxKeys=1)
        if key not in (stored["Key"] for stored in found.get("Contents", ())):
            raise FileError("object_missing")

    def open(self, key: str, version_id: str) -> Opened:
        """Begin to read a version. Raises FileError where it was deleted."""
        response = self._get(Key=key, VersionId=version_id)
        return Opened(
            response["Body"].iter_chunks(BLOCK),
            to_text(response["LastModified"]),
            response["ContentLength"],
            response["Metadata"].get("encoding"),
            response["Metadata"].get("accept"),
            response["Metadata"].get(AS_OF),
        )

    def part(self, key: str, version_id: str, start: int, end: int) -> bytes:
        """The bytes from start up to end of a version. Raises FileError where it was deleted."""
        response = self._get(Key=key, VersionId=version_id, Range=f"bytes={start}-{end - 1}")
        content: bytes = response["Body"].read()
        # A server may ignore a range and say so by naming none (RFC 9110, section 14.2).
        return content if "ContentRange" in response else content[start:end]

    def read(self, key: str) -> bytes:
        """A small object of our own."""
        content: bytes = self._get(Key=key)["Body"].read()
        return content

    def keep_chunk(self, file_id: str, number: int, content: bytes) -> None:
        """Keep a chunk of a rewritten file until it was loaded; the bucket forgets it after some days."""
        self.put(_chunk_key(file_id, number), content, "text/csv; charset=utf-8")

    def chunk(self, file_id: str, number: int) -> bytes:
        """A chunk that was kept. Raises FileError where the bucket has forgotten it."""
        return self.read(_chunk_key(file_id, number))

    def put(self, key: str, content: bytes, content_type: str, *, edition: str | None = None) -> None:
        """Write a small object. edition: what :meth:`edition` tells of it."""
        kept = {"Metadata": {"edition": edition}} if edition else {}
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=content, ContentType=content_type, **kept)

    def put_pieces(self, key: str, pieces: Iterable[bytes], content_type: str) -> None:
        """Write an object of any size in constant memory."""
        from boto3.s3.transfer import TransferConfig

        self._s3.upload_fileobj(
            io.BufferedReader(_Pieces(pieces), BLOCK),
            self._bucket,
            key,
            ExtraArgs={"ContentType": content_type},
            Config=TransferConfig(use_threads=False),
        )

    def copy(self, key: str, to: str) -> None:
        """Write an object of ours a second time, under another key."""
        self._s3.copy_object(Bucket=self._bucket, Key=to, CopySource={"Bucket": self._bucket, "Key": key})

    def remove(self, key: str) -> None:
        """Take an object of ours away, if it is there."""
        if self._head(key) is not None:
            self._s3.delete_object(Bucket=self._bucket, Key=key)

    def edition(self, key: str) -> str | None:
        """The edition with which an object was put; None where it has none, or is not there."""
        found = self._head(key)
        return found["Metadata"].get("edition") if found is not None else None

    def _head(self, key: str) -> Any:
        """Return what S3 says of an object; None where it is not there."""
        try:
            return self._s3.head_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in _NOT_FOUND:
                return None
            raise

    def _get(self, **request: str) -> Any:
        try:
            return self._s3.get_object(Bucket=self._bucket, **request)
        except ClientError as error:
            if error.response["Error"]["Code"] in _GONE:
                raise FileError("object_missing") from None
            raise


def _chunk_key(file_id: str, number: int) -> str:
    return f"chunks/{file_id}/{number:06d}.csv"


class _Pieces(io.RawIOBase):
    """Pieces of bytes as a file to read from."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = piece
        taken = self._rest[: len(buffer)]
        self._rest = self._rest[len(taken) :]
        buffer[: len(taken)] = taken
        return len(taken)
