"""An object store on loopback that speaks as much of S3's protocol as reading takes.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html and API_GetObject.html.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR
from threading import Barrier, Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

import pytest

from alignrec.pipeline.catalog import object_stores

KEY = "AKIAONLYFORTESTS"
SECRET = "only-for-tests"


class ObjectStore(ThreadingHTTPServer):
    """Buckets of objects; who shows another key than `KEY`, or reads what is in `forbidden`, is refused.

    Attributes:
        buckets: by name, the bytes of each key and the second since 1970 when they changed.
        forbidden: keys that nobody may read.
        read: the keys that were read, in order.
        away: whether it hangs up on whoever calls.
        closed_after: how many objects may be read before it is away.
        meeting: where each request for an object waits for others.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.buckets: dict[str, dict[str, tuple[bytes, int]]] = {}
        self.forbidden: set[str] = set()
        self.read: list[str] = []
        self.away = False
        self.closed_after: int | None = None
        self.meeting: Barrier | None = None
        self._connections: set[Any] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """A client keeps its connection, and with it a thread here, long after a test is over."""
        for connection in tuple(self._connections):
            with suppress(OSError):
                connection.shutdown(SHUT_RDWR)

    def put(self, bucket: str, key: str, data: bytes, changed: int = 1_600_000_000) -> None:
        self.buckets.setdefault(bucket, {})[key] = (data, changed)


@contextmanager
def object_store() -> Iterator[ObjectStore]:
    """A store, to which the environment leads as long as the block runs."""
    with ObjectStore() as store, pytest.MonkeyPatch.context() as patch:
        Thread(target=store.serve_forever, daemon=True).start()
        patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{store.server_port}")
        patch.setenv("AWS_ACCESS_KEY_ID", KEY)
        patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        object_stores._opened.cache_clear()
        yield store
        store.shutdown()
        store.hang_up()


class _Handler(BaseHTTPRequestHandler):
    server: ObjectStore
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        if self.server.away:
            self.close_connection = True
            return
        parts = urlsplit(self.path)
        name, _, key = unquote(parts.path).lstrip("/").partition("/")
        bucket, query = self.server.buckets.get(name), parse_qs(parts.query)
        if f"Credential={KEY}/" not in self.headers.get("Authorization", "") or key in self.server.forbidden:
            self._refuse(403, "AccessDenied")
        elif bucket is None:
            self._refuse(404, "NoSuchBucket")
        elif not key:
            self._list(bucket, query.get("prefix", [""])[0], query.get("delimiter", [""])[0])
        elif key not in bucket:
            self._refuse(404, "NoSuchKey")
        else:
            self._give(key, *bucket[key])

    def _list(self, bucket: dict[str, tuple[bytes, int]], prefix: str, delimiter: str) -> None:
        found, folders = "", dict[str, None]()
        for key, (data, changed) in sorted(bucket.items()):
            rest = key.removeprefix(prefix)
            if not key.startswith(prefix):
                continue
            if delimiter and delimiter in rest:
                folders[prefix + rest.partition(delimiter)[0] + delimiter] = None
                continue
            found += (
                f"<Contents><Key>{escape(key)}</Key><Size>{len(data)}</Size>"
                f"<LastModified>{_iso(changed)}</LastModified></Contents>"
            )
        for folder in folders:
            found += f"<CommonPrefixes><Prefix>{escape(folder)}</Prefix></CommonPrefixes>"
        self._answer(
            200,
            f"<ListBucketResult><IsTruncated>false</IsTruncated>{found}</ListBucketResult>".encode(),
            {"Content-Type": "application/xml"},
        )

    def _give(self, key: str, data: bytes, changed: int) -> None:
        headers = {"Last-Modified": formatdate(changed, usegmt=True), "ETag": '"x"'}
        asked = self.headers.get("Range")
        if self.command == "GET":
            if self.server.meeting is not None:
                self.server.meeting.wait()
            self.server.read.append(key)
            self.server.away |= len(self.server.read) == self.server.closed_after
        if asked is None:
            self._answer(200, data, headers)
            return
        first, last = (int(one) for one in asked.removeprefix("bytes=").split("-"))
        last = min(last, len(data) - 1)
        headers["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
        self._answer(206, data[first : last + 1], headers)

    def _refuse(self, status: int, code: str) -> None:
        body = f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode()
        self._answer(status, body, {"Content-Type": "application/xml"})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: a test's output is its own."""


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
