"""Whether a Ray cluster answers at an address: Ray itself asks one that never answers for many minutes."""

from __future__ import annotations

import os
import socket
from urllib.parse import urlsplit

PATIENCE = 10.0  # seconds
# gRPC speaks HTTP/2, which a client begins with these bytes, and each side with settings (RFC 9113, 3.4).
_SETTINGS = 4
_BEGINNING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, _SETTINGS, 0, 0, 0, 0, 0])
_FRAME_TYPE = 3  # the byte that has it
# What is no address but a word for Ray.
_WORDS = ("auto", "local")


def check_address(address: str | None, patience: float = PATIENCE) -> None:
    """Return if a server that speaks Ray's protocol answers at an address, or if it is for Ray to find one.

    Args:
        address: HOST:PORT of a cluster's head; None, `auto`, `local` and `ray://…` are for Ray to look at.
        patience: seconds that the server has to answer.

    Raises:
        ValueError: it is no address.
        OSError: nothing answers there, or something else than Ray does.
    """
    if not address or address in _WORDS or "://" in address:
        return
    parts = urlsplit(f"//{address}")
    if not parts.hostname or parts.port is None:
        raise ValueError("expected HOST:PORT, such as head:6379")
    with socket.create_connection((parts.hostname, parts.port), timeout=patience) as connection:
        if os.environ.get("RAY_USE_TLS") == "1":
            return
        connection.sendall(_BEGINNING)
        answer = connection.recv(_FRAME_TYPE + 1)
    if len(answer) <= _FRAME_TYPE or answer[_FRAME_TYPE] != _SETTINGS:
        raise ConnectionError("what answers there is no Ray cluster")
