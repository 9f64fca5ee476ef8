"""The local Hub on a loopback port: `python -m tests.hub.server --port 8765`, or `HubServer()` in a test."""

from __future__ import annotations

import argparse
import re
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

from tests.hub.api import HubApi
from tests.hub.messages import Answer, Request
from tests.hub.store import Blob, Commit, Repository


@dataclass
class Fault:
    """What goes wrong with the next `times` requests that match, after `skip` that do not suffer.

    Attributes:
        method: a regular expression of the whole method.
        path: a regular expression searched in the request's path.
        before: called before the request is handled (a rival at work).
        request: changes the request's body on its way in.
        answer: changes the answer's body on its way out.
        status: answer with this status; the request has its effect only if `applied`.
        headers: sent with `status`.
        cut: announce the whole answer, send this many bytes and hang up; 0 answers nothing at all.
        applied: whether the request has its effect when `status` replaces its answer.
    """

    method: str
    path: str
    times: int = 1
    skip: int = 0
    before: Callable[[], object] | None = None
    request: Callable[[bytes], bytes] | None = None
    answer: Callable[[bytes], bytes] | None = None
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    applied: bool = False

    def strikes(self, method: str, path: str) -> bool:
        """Count this request; say whether it suffers."""
        if not re.fullmatch(self.method, method) or not re.search(self.path, path) or self.times == 0:
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        return True


@dataclass(frozen=True)
class Logged:
    """One request as the server saw it: the size is that of its body."""

    method: str
    path: str
    status: int
    size: int
    authorized: bool


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Listener

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = bytearray()
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return bytes(body)

    def _serve(self) -> None:
        hub = self.server.hub
        body = self._body()
        headers = {name.lower(): value for name, value in self.headers.items()}
        fault = hub.fault_for(self.command, self.path)
        if fault and fault.before:
            fault.before()
        if fault and fault.request:
            body = fault.request(body)
        if fault and fault.status and not fault.applied:
            answer = Answer(fault.status)
        else:
            answer = hub.api.answer(Request.parse(self.command, self.path, headers, body))
        if fault and fault.status:
            answer = Answer(fault.status, b"{}", fault.headers)
        if fault and fault.answer:
            answer = Answer(answer.status, fault.answer(answer.body), answer.headers)
        hub.log.append(Logged(self.command, self.path, answer.status, len(body), "authorization" in headers))
        self._send(answer, fault.cut if fault else None)

    def _send(self, answer: Answer, cut: int | None) -> None:
        if cut == 0:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body[:cut])
        self.close_connection = self.close_connection or cut is not None

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 - the names http.server calls

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing: the log is kept, not printed."""


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    hub: HubServer

    def __init__(self, port: int) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    def process_request(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override]
        self._open.add(request)
        super().process_request(request, client_address)  # type: ignore[arg-type]

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hung up is part of the tests."""

    def hang_up(self) -> None:
        """Close the connections that clients keep open."""
        for connection in list(self._open):
            self.shutdown_request(connection)


class HubServer:
    """A running Hub: `url`, the request `log`, `faults` to come, and what it stores."""

    def __init__(self, port: int = 0) -> None:
        self.api = HubApi()
        self.log: list[Logged] = []
        self.faults: list[Fault] = []
        self._guard = threading.Lock()
        self._listener = _Listener(port)
        self._listener.hub = self
        self.url = self.api.url = f"http://127.0.0.1:{self._listener.server_address[1]}"
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def __enter__(self) -> HubServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop listening and hang up: the Hub is down."""
        self._listener.shutdown()
        self._listener.server_close()
        self._listener.hang_up()
        self._thread.join()

    def fault_for(self, method: str, path: str) -> Fault | None:
        """The first fault that strikes this request."""
        with self._guard:
            return next((fault for fault in self.faults if fault.strikes(method, path)), None)

    def repository(self, name: str) -> Repository:
        """What the Hub stores under a name."""
        return self.api.repositories[name]

    def add(self, name: str, path: str, data: bytes, title: str = "a rival's commit") -> Commit:
        """Commit one regular file past every client: what a rival does."""
        return self.repository(name).commit(title, None, {path: Blob(data, False)}, [])

    def requests(self, method: str, path: str) -> list[Logged]:
        """Logged requests of a method whose path matches a regular expression."""
        return [line for line in self.log if line.method == method and re.search(path, line.path)]


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    arguments = parser.parse_args()
    with HubServer(arguments.port) as server:
        print(server.url, flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print("stopped", flush=True)


if __name__ == "__main__":
    main()
