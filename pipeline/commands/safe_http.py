"""Fetch what a stranger's URL names, without being led where a stranger should not lead us.

Only http and https; every address that a host resolves to must be public, and the connection goes to one of
the addresses that were checked, the first that answers, so that a second answer of the name server changes
nothing; each redirect is checked like the first URL. Seconds are those of the whole fetch, from the first
name that is resolved to the last byte, whatever a server drips; bytes and redirects are bounded.
"""

from __future__ import annotations

import http.client
import io
import queue
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from functools import cache
from typing import Any, cast
from urllib.parse import quote, urljoin, urlsplit

from alignrec.pipeline.commands.public_addresses import is_public

CHUNK = 1 << 16
MOST_HEADER_BYTES = 1 << 16  # of one answer, all that comes before its body
_IN_URLS = "/%?&=:;,+@!$'()*~[]"
REDIRECTS = frozenset((301, 302, 303, 307, 308))
AGENT = "alignrec (https://pypi.org/project/alignrec)"


class FetchError(Exception):
    """A URL was not fetched.

    Attributes:
        reason: a slug for counting.
        passing: whether a later attempt may succeed.
    """

    def __init__(self, reason: str, detail: str, *, passing: bool = False) -> None:
        """Keep the slug beside the sentence."""
        super().__init__(detail)
        self.reason = reason
        self.passing = passing


@dataclass(frozen=True)
class Limits:
    """What one fetch may take.

    Attributes:
        bytes: the most that a body may have.
        seconds: for the whole of it, redirects included.
        redirects: how many are followed.
        allow_private: also reach loopback, private and link-local addresses.
    """

    bytes: int = 20 * 2**20
    seconds: float = 30.0
    redirects: int = 5
    allow_private: bool = False


def fetch(url: str, limits: Limits) -> bytes:
    """The body that a URL gives.

    Raises:
        FetchError: the URL, its host or a redirect is not allowed, a limit was passed, or the server
            or the network failed.
    """
    deadline = time.monotonic() + limits.seconds
    for _ in range(limits.redirects + 1):
        answer = _request(url, limits, deadline)
        if isinstance(answer, bytes):
            return answer
        url = answer
    raise FetchError("too-many-redirects", f"more than {limits.redirects} redirects")


def _request(url: str, limits: Limits, deadline: float) -> bytes | str:
    """The body, or the URL to go on with."""
    secure, host, port, target = _parts(url)
    addresses = _checked_addresses(host, port, limits, deadline)
    try:
        with _connect_to_first(addresses, port, deadline) as stream:
            if secure:
                stream.encrypt(host)
            connection = http.client.HTTPConnection(f"[{host}]" if ":" in host else host, port)
            connection.default_port = 443 if secure else 80
            connection.sock = cast(socket.socket, stream)
            connection.request("GET", target, headers={"User-Agent": AGENT, "Accept": "image/*,*/*;q=0.5"})
            response = connection.getresponse()
            if response.status in REDIRECTS:
                return _next_url(url, response.headers.get("Location", ""))
            if response.status != 200:
                passing = response.status in (408, 425, 429) or response.status >= 500
                raise FetchError("status", f"the server answered {response.status}", passing=passing)
            return _body(response, stream, limits)
    except TimeoutError:
        raise _too_slow() from None
    except OSError as error:
        raise FetchError("network", f"{type(error).__name__}: {error}", passing=True) from None
    except (http.client.HTTPException, ValueError) as error:
        passing = isinstance(error, http.client.IncompleteRead)
        raise FetchError("bad-answer", f"{type(error).__name__}: {error!s:.200}", passing=passing) from None


def _parts(url: str) -> tuple[bool, str, int, str]:
    """Of a URL: whether the connection is encrypted, the host, the port, and path with query, quoted."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
        target = quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe=_IN_URLS)
    except ValueError as error:
        raise FetchError("bad-url", f"{url[:200]!a}: {error}") from None
    if parts.scheme not in ("http", "https") or not host:
        raise FetchError("bad-url", f"{url[:200]!r}: expected an http or https URL with a host")
    secure = parts.scheme == "https"
    return secure, host, port or (443 if secure else 80), target


def _next_url(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError as error:
        raise FetchError("bad-url", f"redirected to {location[:200]!a}: {error}") from None


def _checked_addresses(host: str, port: int, limits: Limits, deadline: float) -> list[str]:
    """The distinct addresses of the host in the resolver's order, after all of them were found allowed."""
    found = _resolve(host, port, deadline)
    addresses = list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))
    if not addresses:
        raise FetchError("unknown-host", f"{host!r} has no address", passing=True)
    for address in addresses:
        if not limits.allow_private and not is_public(address):
            raise FetchError("private-address", f"{host!r} is {address}, which is not a public address")
    return addresses


def _resolve(host: str, port: int, deadline: float) -> list[Any]:
    """What the resolver knows of a host; it has no time limit of its own, so it is asked in a thread."""
    answers: queue.SimpleQueue[list[Any] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, ValueError) as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=_left(deadline))
    except queue.Empty:
        raise _too_slow() from None
    if isinstance(answer, Exception):
        raise FetchError("unknown-host", f"{host!r} does not resolve: {answer}", passing=True)
    return answer


def _connect_to_first(addresses: list[str], port: int, deadline: float) -> _Stream:
    """A connection to the first address that answers; the time left is shared among those not yet tried."""
    *earlier, last = addresses
    for number, address in enumerate(earlier):
        try:
            return _Stream.connect((address, port), _left(deadline) / (len(addresses) - number), deadline)
        except OSError:
            continue  # the last one's error is the one that is shown
    return _Stream.connect((last, port), _left(deadline), deadline)


class _Stream:
    """A connection whose every call gets the time that is left of a fetch, and which reads so many bytes.

    It has what `http.client` needs of a socket. A server that drips bytes cannot outlive the deadline, as a
    timeout of the socket's own would let it, which is of one call.

    Attributes:
        left: bytes that may still be read.
    """

    def __init__(self, connected: socket.socket, deadline: float) -> None:
        self._socket, self._deadline = connected, deadline
        self.left = MOST_HEADER_BYTES

    @classmethod
    def connect(cls, address: tuple[str, int], seconds: float, deadline: float) -> _Stream:
        """Connect within some seconds."""
        return cls(socket.create_connection(address, timeout=seconds), deadline)

    def encrypt(self, host: str) -> None:
        """Go on in TLS, with a peer that proves to be the host."""
        self._socket = _certificates().wrap_socket(
            self._socket, server_hostname=host, do_handshake_on_connect=False
        )
        self._timed().do_handshake()

    def sendall(self, data: Any) -> None:
        """Send all of it."""
        rest = memoryview(data)
        while rest:
            rest = rest[self._timed().send(rest) :]

    def makefile(self, mode: str) -> io.BufferedReader:  # noqa: ARG002
        """What an answer is read from."""
        return io.BufferedReader(_Answer(self))

    def receive(self, buffer: Any) -> int:
        """Read some bytes."""
        if self.left <= 0:
            raise http.client.HTTPException("the answer is longer than allowed")
        count: int = self._timed().recv_into(buffer)
        self.left -= count
        return count

    def close(self) -> None:
        """Nothing: `http.client` calls this before the body is read."""

    def __enter__(self) -> _Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _timed(self) -> Any:
        self._socket.settimeout(_left(self._deadline))
        return self._socket


class _Answer(io.RawIOBase):
    """The reading side of a stream."""

    def __init__(self, stream: _Stream) -> None:
        super().__init__()
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._stream.receive(buffer)


@cache
def _certificates() -> ssl.SSLContext:
    return ssl.create_default_context()


def _body(response: http.client.HTTPResponse, stream: _Stream, limits: Limits) -> bytes:
    announced = response.length
    if announced is not None and announced > limits.bytes:
        raise FetchError("too-large", f"{announced} bytes, allowed are {limits.bytes}")
    # Chunks have a line of their own each; no more of that than of what they hold.
    stream.left = 2 * limits.bytes + MOST_HEADER_BYTES
    body = bytearray()
    while chunk := response.read1(CHUNK):
        body += chunk
        if len(body) > limits.bytes:
            raise FetchError("too-large", f"more than the allowed {limits.bytes} bytes")
    if announced is not None and len(body) != announced:
        raise FetchError("cut-short", f"{len(body)} of {announced} bytes came", passing=True)
    return bytes(body)


def _left(deadline: float) -> float:
    """Seconds left; raises where there are none."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise _too_slow()
    return left


def _too_slow() -> FetchError:
    return FetchError("too-slow", "it took too long", passing=True)
