"""An answer of HTTP is read whole or not at all, as Python's own client reads it."""

from __future__ import annotations

import http.client
import io
from typing import Final

import pytest

from shared.aws_json import BrokenAnswerError, read_answer

WHOLE: Final = {
    "a length": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Amz-Crc32: 7\r\n\r\nhello",
    "no body": b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n",
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;a=b\r\nlo\r\n0\r\nx: y\r\n\r\n",
    "no reason": b"HTTP/1.1 200\r\ncontent-length: 2\r\n\r\n{}",
    "to its end": b"HTTP/1.1 200 OK\r\n\r\nhello",
    "the last": b"HTTP/1.1 200 OK\r\nConnection: Close\r\ncontent-length: 1\r\n\r\nx",
    "of 1.0": b"HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\nx",
    "bare line ends": b"HTTP/1.1 200 OK\ncontent-length: 1\n\nx",
}
BROKEN: Final = {
    "nothing": b"",
    "no HTTP": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "no status": b"HTTP/1.1 OK\r\n\r\n",
    "half a head": b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n",
    "half a line": b"HTTP/1.1 200",
    "half a body": b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel",
    "no length": b"HTTP/1.1 200 OK\r\ncontent-length: five\r\n\r\nhello",
    "a negative length": b"HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\nhello",
    "no header": b"HTTP/1.1 200 OK\r\nhello\r\n\r\n",
    "headers without end": b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 101 + b"\r\n",
    "a line without end": b"HTTP/1.1 200 OK\r\na: " + b"b" * 70_000 + b"\r\n\r\n",
    "half a chunk": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhel",
    "no last chunk": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n",
    "no length of a chunk": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nx\r\nhel\r\n0\r\n\r\n",
    "a negative length of a chunk": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n-3\r\nhel\r\n0\r\n\r\n",
}


class Socket:
    """As much of one as Python's client asks for."""

    def __init__(self, sent: bytes) -> None:
        self._sent = sent

    def makefile(self, mode: str) -> io.BytesIO:
        return io.BytesIO(self._sent)


@pytest.mark.parametrize("kind", WHOLE)
def test_a_whole_answer_is_read_as_pythons_client_reads_it(kind: str) -> None:
    status, headers, body, ends = read_answer(io.BytesIO(WHOLE[kind]))
    theirs = http.client.HTTPResponse(Socket(WHOLE[kind]), method="POST")  # type: ignore[arg-type]
    theirs.begin()
    assert headers == {name.lower(): value for name, value in theirs.getheaders()}
    assert (status, ends) == (theirs.status, theirs.will_close)
    assert body == theirs.read()


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_one_is_never_taken(kind: str) -> None:
    with pytest.raises(BrokenAnswerError):
        read_answer(io.BytesIO(BROKEN[kind]))
