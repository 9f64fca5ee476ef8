"""The downloader against a server that behaves as the worst of the web does."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from alignrec.pipeline.catalog.image_refs import downloaded_name
from alignrec.pipeline.commands.download import download
from alignrec.pipeline.commands.safe_http import FetchError, Limits, fetch
from alignrec.pipeline.config.settings import ItemsConfig
from alignrec.pipeline.runner.console import Console
from tests.pipeline.catalogues import write_items

LOCAL = Limits(bytes=1000, seconds=2.0, allow_private=True)


class Handler(BaseHTTPRequestHandler):
    seen: Counter[str]

    def do_GET(self) -> None:
        self.seen[self.path] += 1
        name = self.path.partition("?")[0].strip("/")
        if name == "loop":
            self._answer(302, {"Location": "/loop"})
        elif name == "away":
            self._answer(302, {"Location": "http://evil.example/x"})
        elif name == "file":
            self._answer(302, {"Location": "file:///etc/passwd"})
        elif name == "moved":
            self._answer(301, {"Location": "/good"})
        elif name == "gone":
            self._answer(404)
        elif name == "flaky" and self.seen[self.path] < 3:
            self._answer(503)
        elif name == "cut":
            self._answer(200, {"Content-Length": "50"}, b"short")
        elif name == "large":
            self._answer(200, {"Content-Length": "5000"}, b"x" * 5000)
        elif name == "endless":
            self._answer(200, {}, b"x" * 5000)
        elif name == "slow":
            self.send_response(200)
            self.end_headers()
            for _ in range(100):
                self.wfile.write(b"x")
                time.sleep(0.05)
        else:
            body = f"picture {self.path}".encode()
            self._answer(200, {"Content-Length": str(len(body))}, body)

    def _answer(self, status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        self.send_response(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    handler = type("Own", (Handler,), {"seen": Counter()})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as made:
        made.daemon_threads = True
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()


def _url(server: ThreadingHTTPServer, path: str) -> str:
    return f"http://127.0.0.1:{server.server_port}/{path}"


def _fails(url: str, limits: Limits = LOCAL) -> str:
    with pytest.raises(FetchError) as caught:
        fetch(url, limits)
    return caught.value.reason


def test_it_follows_redirects_and_reads_odd_paths(server: ThreadingHTTPServer) -> None:
    assert fetch(_url(server, "good?x=1"), LOCAL) == b"picture /good?x=1"
    assert fetch(_url(server, "moved"), LOCAL) == b"picture /good"
    assert fetch(_url(server, "a b%20é.jpg"), LOCAL) == b"picture /a%20b%20%C3%A9.jpg"


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
    assert _fails(_url(server, path)) == reason


def test_a_trickle_is_cut_off(server: ThreadingHTTPServer) -> None:
    started = time.monotonic()
    assert _fails(_url(server, "slow"), Limits(seconds=0.5, allow_private=True)) in ("too-slow", "network")
    assert time.monotonic() - started < 3


@pytest.mark.parametrize(
    "url", ["ftp://x/y", "http://", "file:///etc/passwd", "http://[::1", "http://x:99999/"]
)
def test_other_schemes_and_broken_urls_are_refused(url: str) -> None:
    assert _fails(url) == "bad-url"


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.5.5", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
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
    assert _fails(_url(server, "good"), Limits()) == "private-address"
    assert _fails(f"http://2130706433:{server.server_port}/", Limits()) in ("private-address", "unknown-host")


def test_a_redirect_is_checked_like_the_first_url(
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
        "alignrec.pipeline.commands.safe_http._is_public", lambda address: "evil.example" not in asked
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


def test_a_catalogues_pictures_come_once_and_land_where_it_looks(
    server: ThreadingHTTPServer, tmp_path: Path
) -> None:
    urls = [_url(server, path) for path in ("a.jpg", "b.jpg", "gone", "flaky")]
    rows = [{"item_id": str(n), "image": url} for n, url in enumerate([*urls, urls[0], "local.jpg", None])]
    items = ItemsConfig(path=str(write_items(tmp_path, rows)), text=None)
    pauses: list[float] = []
    done = download(items, Console(quiet=True), LOCAL, sleep=pauses.append)
    assert (done.fetched, done.there, list(done.failed)) == (3, 0, [urls[2]])
    assert dict(done.reasons) == {"status": 1} and pauses == [1.0, 4.0]
    assert (tmp_path / downloaded_name(urls[0])).read_bytes() == b"picture /a.jpg"
    again = download(items, Console(quiet=True), LOCAL, sleep=pauses.append)
    assert (again.fetched, again.there, len(again.failed)) == (0, 3, 1)
    assert {p.name for p in tmp_path.iterdir()} == {"items.jsonl", *map(downloaded_name, urls[:2] + urls[3:])}
