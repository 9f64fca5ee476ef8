"""Files that strangers write, spoilt in every way that chance finds; the examples are the same in every run.

Each parser is given a sound file with bytes changed, cut, doubled and put in, and, where it is JSON, with any
value in the place of any other. It reads them, or raises one of our errors: a hang, an exhausted memory or an
exception of another library is a fault.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from alignrec.core.errors import AlignRecError

FUZZ = settings(
    max_examples=60,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
# What has meaning in one of the formats, or had in an attack.
TOKENS = [
    *(b'"', b"'", b",", b"\t", b"\n", b"\r\n", b"\0", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe"),
    *(b"{", b"}", b"[", b"]", b"---", b"---\n", b"&a ", b"*a", b"<<: ", b"!!python/object:os.system x"),
    *(b"[" * 3000, b'{"a":' * 3000, b"- " * 2000, b"9" * 5000, b"x," * 2000),
    *(b"1e999", b"NaN", b"-1", b"null", b"true", b"\\ud800", b"2024-99-99", b"PAR1"),
    *(b"../../x", b"/etc/passwd", b"\x1b[2J", b"\xe2\x80\xae"),
    *(b"<!-- alignrec: begin -->", b"<!-- alignrec: end -->"),
]
Edit = tuple[float, str, bytes]
EDITS = st.lists(
    st.tuples(
        st.floats(0, 1, exclude_max=True),
        st.sampled_from(["flip", "cut", "end", "double", "put"]),
        st.sampled_from(TOKENS) | st.binary(min_size=1, max_size=4),
    ),
    max_size=4,
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([10**400, -1, 2**64, "../x", "\x1b[2J", "x" * 5000, "NaN", "9" * 5000, "..", "con"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def edited(data: bytes, edits: list[Edit]) -> bytes:
    """Bytes after a few changes, each at a share of their length."""
    for share, how, token in edits:
        place = int(share * len(data))
        rest = data[place:]
        if how == "flip" and rest:
            rest = bytes([rest[0] ^ (token[0] or 1)]) + rest[1:]
        elif how == "cut":
            rest = rest[len(token) :]
        elif how == "end":
            rest = b""
        elif how == "double":
            rest = rest[:40] + rest
        else:
            rest = token + rest
        data = data[:place] + rest
    return data


def replaced(value: Any, path: list[int], new: Any) -> Any:
    """A JSON value with another one somewhere inside it, or a key more."""
    if not path or not isinstance(value, dict | list) or not value:
        return new
    if isinstance(value, list):
        place = path[0] % len(value)
        return [*value[:place], replaced(value[place], path[1:], new), *value[place + 1 :]]
    key = list(value)[path[0] % len(value)]
    return value | {key: replaced(value[key], path[1:], new)}


PATHS = st.lists(st.integers(0, 20), max_size=5)


def only_ours(parse: Callable[[], object]) -> None:
    """Let a parser read what it can; what it raises is ours, of one reason, and can be printed."""
    with suppress(AlignRecError):
        try:
            parse()
        except AlignRecError as error:
            assert 0 < len(str(error)) < 4_000
            str(error).encode()
            raise


def spoilt_json(sound: bytes) -> st.SearchStrategy[bytes]:
    """A JSON document, its bytes changed or a value of it replaced."""
    value = json.loads(sound)
    other = st.builds(lambda path, new: replaced(value, path, new), PATHS, VALUES)
    return st.builds(edited, st.just(sound), EDITS) | other.map(lambda new: json.dumps(new).encode())
