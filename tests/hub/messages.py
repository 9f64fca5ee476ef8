"""One request to the local Hub and one answer, free of sockets."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.hub.store import RefusalError

TOKENS = {"hf_test": "write", "hf_read": "read"}


@dataclass(frozen=True)
class Request:
    """One request, with header names in lower case."""

    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    query: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def parse(cls, method: str, target: str, headers: dict[str, str], body: bytes) -> Request:
        parts = urlsplit(target)
        return cls(method, parts.path, headers, body, parse_qs(parts.query))

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def role(self) -> str | None:
        """`write`, `read`, or None without a token; an unknown token is refused."""
        header = self.headers.get("authorization")
        if header is None:
            return None
        token = header.removeprefix("Bearer ")
        if token not in TOKENS:
            raise RefusalError(401, "Invalid credentials in Authorization header")
        return TOKENS[token]


@dataclass(frozen=True)
class Answer:
    """One answer; the length header is the server's work."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def json_answer(value: Any, status: int = 200) -> Answer:
    return Answer(status, json.dumps(value).encode(), {"Content-Type": "application/json"})
