"""Fetching, from a server that behaves as the worst of the web does."""

from __future__ import annotations

import socket
import time
from http.server import ThreadingHTTPServer
from typing import Any

import pytest

from alignrec.pipeline.commands.safe_http import FetchError, Limits, fetch
from tests.pipeline.commands.web import DRIPS, FLOODS, url_of, web_server

server = web_server
LOCAL = Limits(bytes=1000, seconds=2.0, allow_private=True)


def _fails(url: str, limits: Limits = LOCAL) -> str:
    with pytest.raises(FetchError) as caught:
        fetch(url, limits)
    return caught.value.reason


def test_it_follows_redirects_and_reads_odd_paths(server: ThreadingHTTPServer) -> None:
    assert fetch(url_of(server, "good?x=1"), LOCAL) == b"picture /good?x=1"
    assert fetch(url_of(server, "moved"), LOCAL) == b"picture /good"
    assert fetch(url_of(server, "a b%20é.jpg"), LOCAL) == b"picture /a%20b%20%C3%A9.jpg"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("loop", "too-many-redirects"),
        ("file", "bad-url"),
        ("gone", "status"),
        ("cut", "cut-short"),
        ("large", "too-large"),
        ("endless", "too-large"),
    ],
)
def test_bounds(server: ThreadingHTTPServer, path: str, reason: str) -> None:
    assert _fails(url_of(server, path)) == reason


def test_a_trickle_is_cut_off(server: ThreadingHTTPServer) -> None:
    started = time.monotonic()
    assert _fails(url_of(server, "slow"), Limits(seconds=0.5, allow_private=True)) in ("too-slow", "network")
    assert time.monotonic() - started < 3


@pytest.mark.parametrize("path", DRIPS)
def test_no_part_of_an_answer_outlives_the_deadline(server: ThreadingHTTPServer, path: str) -> None:
    started = time.monotonic()
    assert _fails(url_of(server, path), Limits(seconds=0.4, allow_private=True)) == "too-slow"
    assert time.monotonic() - started < 1


@pytest.mark.parametrize("path", FLOODS)
def test_what_is_not_the_body_is_bounded_too(server: ThreadingHTTPServer, path: str) -> None:
    assert _fails(url_of(server, path), Limits(bytes=1000, allow_private=True)) == "bad-answer"


def test_a_redirect_or_a_handshake_does_not_begin_the_time_anew(server: ThreadingHTTPServer) -> None:
    limits = Limits(seconds=0.4, redirects=10**6, allow_private=True)
    for url in (url_of(server, "loop"), url_of(server, "x").replace("http:", "https:")):
        started = time.monotonic()
        with socket.create_server(("127.0.0.1", 0)) as silent:
            if url.startswith("https"):
                url = f"https://127.0.0.1:{silent.getsockname()[1]}/"
            assert _fails(url, limits) == "too-slow"
        assert time.monotonic() - started < 1


def test_a_resolver_has_the_same_deadline_and_may_know_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    _resolve_to(monkeypatch, [])
    assert _fails("http://nobody.example/x") == "unknown-host"
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(2))
    started = time.monotonic()
    assert _fails("http://slow.example/x", Limits(seconds=0.2)) == "too-slow"
    assert time.monotonic() - started < 1


@pytest.mark.parametrize("url", ["http://a\0b.example/", "http://x.example/\ud800", "http://\ud800.example/"])
def test_what_no_url_can_hold_is_refused(url: str) -> None:
    assert _fails(url) in ("bad-url", "unknown-host")


@pytest.mark.parametrize(
    "url", ["ftp://x/y", "http://", "file:///etc/passwd", "http://[::1", "http://x:99999/"]
)
def test_other_schemes_and_broken_urls_are_refused(url: str) -> None:
    assert _fails(url) == "bad-url"


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.5.5", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
        *("192.0.0.192", "64:ff9b:1::8.8.8.8", "fec0::1", "::127.0.0.1", "::ffff:0:127.0.0.1"),
        *("::1", "fe80::1", "fd00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "224.0.0.1"),
    ],
)
def test_addresses_that_are_not_public_are_refused(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    _resolve_to(monkeypatch, ["93.184.215.14", address])
    assert _fails("http://innocent.example/x", Limits()) == "private-address"
    assert _fails("https://innocent.example/x", Limits()) == "private-address"


def _resolve_to(monkeypatch: pytest.MonkeyPatch, addresses: list[str]) -> None:
    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


def test_a_literal_loopback_address_is_refused(server: ThreadingHTTPServer) -> None:
    assert _fails(url_of(server, "good"), Limits()) == "private-address"
    assert _fails(f"http://2130706433:{server.server_port}/", Limits()) in ("private-address", "unknown-host")


def test_a_redirect_is_checked_like_the_firsturl_of(
    server: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.getaddrinfo
    asked = []

    def resolve(host: str, port: int, *rest: Any, **more: Any) -> list[Any]:
        if host != "127.0.0.1":
            asked.append(host)
        return real("127.0.0.1", port, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(
        "alignrec.pipeline.commands.safe_http.is_public", lambda address: "evil.example" not in asked
    )
    url = f"http://nice.example:{server.server_port}/away"
    assert _fails(url, Limits(seconds=2)) == "private-address"
    assert asked == ["nice.example", "evil.example"]


def test_the_connection_goes_to_the_address_that_was_checked(
    server: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, answers = socket.getaddrinfo, iter(["127.0.0.1", "10.0.0.1"])

    def resolve(host: str, port: int, *rest: Any, **more: Any) -> list[Any]:
        return real(next(answers) if host == "rebind.example" else host, port, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert fetch(f"http://rebind.example:{server.server_port}/good", LOCAL) == b"picture /good"


def test_where_an_address_does_not_answer_the_next_is_tried(
    server: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[tuple[str, float]] = []

    def connect(address: tuple[str, int], timeout: float) -> socket.socket:
        tried.append((address[0], timeout))
        if address[0] != "127.0.0.1":
            raise ConnectionRefusedError(f"nobody listens at {address[0]}")
        connected = socket.socket()
        connected.connect(address)
        return connected

    monkeypatch.setattr(socket, "create_connection", connect)
    _resolve_to(monkeypatch, ["127.0.0.9", "127.0.0.9", "127.0.0.1", "127.0.0.8"])
    url = f"http://several.example:{server.server_port}/good"
    assert fetch(url, LOCAL) == b"picture /good"
    assert [address for address, _ in tried] == ["127.0.0.9", "127.0.0.1"]
    assert tried[0][1] <= LOCAL.seconds / 3 and tried[1][1] <= LOCAL.seconds / 2
    _resolve_to(monkeypatch, ["127.0.0.9", "127.0.0.8"])
    with pytest.raises(FetchError, match=r"nobody listens at 127\.0\.0\.8") as caught:
        fetch(url, LOCAL)
    assert (caught.value.reason, caught.value.passing, len(tried)) == ("network", True, 4)
