"""A web server that behaves as the worst of the web does."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
# What a server says at first, and then a little of, again and again.
DRIPS = {
    "drip-nothing": (b"", b""),
    "drip-status": (b"HTTP/1.1 200 ", b"O"),
    "drip-header": (OK + b"X-Long: ", b"x"),
    "drip-headers": (OK, b"X: y\r\n"),
    "drip-continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "drip-chunk-size": (CHUNKED, b"0"),
    "drip-chunk-extension": (CHUNKED + b"5;", b"x"),
    "drip-chunks": (CHUNKED, b"1\r\nx\r\n"),
    "drip-trailer": (CHUNKED + b"0\r\n", b"X: y\r\n"),
}
FLOODS = {
    "flood-headers": (OK, b"X: y\r\n"),
    "flood-header": (OK + b"X-Long: ", b"x" * 100),
    "flood-status": (b"HTTP/1.1 200 ", b"x" * 100),
    "flood-continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "flood-continue-headers": (b"", b"HTTP/1.1 100 Continue\r\nX: y\r\n\r\n"),
    "flood-trailer": (CHUNKED + b"0\r\n", b"X: y\r\n" * 100),
}


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
        elif name in DRIPS:
            beginning, repeated = DRIPS[name]
            self.wfile.write(beginning)
            for _ in range(200):
                self.wfile.write(repeated)
                time.sleep(0.05)
        elif name in FLOODS:
            beginning, repeated = FLOODS[name]
            self.wfile.write(beginning + repeated * 5000)
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
def web_server() -> Iterator[ThreadingHTTPServer]:
    handler = type("Own", (Handler,), {"seen": Counter()})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def url_of(server: ThreadingHTTPServer, path: str) -> str:
    return f"http://127.0.0.1:{server.server_port}/{path}"
