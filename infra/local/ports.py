"""Ports of this machine."""

import socket


class PortTakenError(Exception):
    """A port that the local cloud needs is in use by something else."""


def require_free(port: int, variable: str) -> None:
    """Check that 127.0.0.1:port can be listened on.

    Raises:
        PortTakenError: it can't; the message names the port and the environment variable that picks another.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise PortTakenError(f"Port {port} is in use. Set {variable} to pick another one.") from error
