"""Fetch what a stranger's URL names, without being led where a stranger should not lead us.

Only http and https; every address that a host resolves to must be public, and the connection goes to one of
the addresses that were checked, the first that answers, so that a second answer of the name server changes
nothing; each redirect is checked like the first URL; bytes, seconds and redirects are bounded.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
from dataclasses import dataclass
from functools import cache
from urllib.parse import quote, urljoin, urlsplit

CHUNK = 1 << 16
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
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise FetchError("bad-url", f"{url[:200]!r}: {error}") from None
    if parts.scheme not in ("http", "https") or not host:
        raise FetchError("bad-url", f"{url[:200]!r}: expected an http or https URL with a host")
    port = port or (443 if parts.scheme == "https" else 80)
    addresses = _checked_addresses(host, port, limits)
    try:
        connection = _connect_to_first(addresses, port, host, parts.scheme == "https", deadline)
        try:
            target = quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe=_IN_URLS)
            connection.sock.settimeout(_left(deadline))
            connection.request("GET", target, headers={"User-Agent": AGENT, "Accept": "image/*,*/*;q=0.5"})
            response = connection.getresponse()
            if response.status in REDIRECTS:
                return urljoin(url, response.headers.get("Location", ""))
            if response.status != 200:
                passing = response.status in (408, 425, 429) or response.status >= 500
                raise FetchError("status", f"the server answered {response.status}", passing=passing)
            return _body(response, connection, limits, deadline)
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise FetchError("network", f"{type(error).__name__}: {error}", passing=True) from None


def _checked_addresses(host: str, port: int, limits: Limits) -> list[str]:
    """The distinct addresses of the host in the resolver's order, after all of them were found allowed."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise FetchError("unknown-host", f"{host!r} does not resolve: {error}", passing=True) from None
    addresses = list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))
    for address in addresses:
        if not limits.allow_private and not _is_public(address):
            raise FetchError("private-address", f"{host!r} is {address}, which is not a public address")
    return addresses


def _is_public(address: str) -> bool:
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        embedded = ip.ipv4_mapped or ip.sixtofour or (ip.teredo or (None, None))[1]
        if embedded is not None and not embedded.is_global:
            return False
        # 64:ff9b::/96 carries an IPv4 address in its last 32 bits.
        if ip in ipaddress.ip_network("64:ff9b::/96"):
            return _is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
    return ip.is_global and not ip.is_multicast


def _connect_to_first(
    addresses: list[str], port: int, host: str, secure: bool, deadline: float
) -> http.client.HTTPConnection:
    """A connection to the first address that answers; the time left is shared among those not yet tried."""
    *earlier, last = addresses
    for number, address in enumerate(earlier):
        try:
            return _connect((address, port), host, secure, _left(deadline) / (len(addresses) - number))
        except OSError:
            continue  # the last one's error is the one that is told
    return _connect((last, port), host, secure, _left(deadline))


def _connect(address: tuple[str, int], host: str, secure: bool, seconds: float) -> http.client.HTTPConnection:
    """A connection to a checked address that believes it speaks to the host."""
    raw = socket.create_connection(address, timeout=seconds)
    try:
        if secure:
            raw = _certificates().wrap_socket(raw, server_hostname=host)
    except BaseException:
        raw.close()
        raise
    connection = http.client.HTTPConnection(f"[{host}]" if ":" in host else host, address[1])
    connection.default_port = 443 if secure else 80
    connection.sock = raw
    return connection


@cache
def _certificates() -> ssl.SSLContext:
    return ssl.create_default_context()


def _body(
    response: http.client.HTTPResponse,
    connection: http.client.HTTPConnection,
    limits: Limits,
    deadline: float,
) -> bytes:
    announced = response.length
    if announced is not None and announced > limits.bytes:
        raise FetchError("too-large", f"{announced} bytes, allowed are {limits.bytes}")
    body = bytearray()
    while True:
        if connection.sock is not None:
            connection.sock.settimeout(_left(deadline))
        _left(deadline)
        chunk = response.read1(CHUNK)
        if not chunk:
            break
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
        raise FetchError("too-slow", "it took too long", passing=True)
    return left
