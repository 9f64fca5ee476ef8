"""The list of withdrawn versions is read as it was written."""

from __future__ import annotations

import json

import pytest

from alignrec.export.errors import VerificationError
from alignrec.export.hub.withdrawn import Withdrawal, parse_withdrawn, withdrawn_bytes

LISTED = {
    "1.1.0": Withdrawal("wrong images", "2026-01-02", "a" * 40),
    "1.0.0": Withdrawal("ж", "2026-01-01", "b" * 40),
}


def test_what_is_written_is_read_in_order() -> None:
    data = withdrawn_bytes(LISTED)
    assert parse_withdrawn(data) == LISTED
    assert list(parse_withdrawn(data)) == ["1.0.0", "1.1.0"] and "ж" in data.decode()
    assert parse_withdrawn(None) == {}


def _listed(version: str = "1.0.0", **changed: object) -> bytes:
    entry = {"reason": "x", "date": "2026-01-02", "commit": "a" * 40} | changed
    return json.dumps({version: entry}).encode()


@pytest.mark.parametrize(
    "data",
    [
        *(b"{", b"[1]", b"\xff", b"[" * 100_000, b'{"a":' * 100_000, b'{"1.0.0": {"reason": "x"}}'),
        *(b'{"1.0.0": 1}', _listed("latest"), _listed("9" * 5000 + ".0.0"), _listed(commit="../../x")),
        *(_listed(date="today\n# A heading"), _listed(reason=7), _listed(reason="x" * 100_000)),
        _listed(more="x"),
    ],
    ids=range(14),
)
def test_another_file_is_refused(data: bytes) -> None:
    with pytest.raises(VerificationError, match=r"withdrawn\.json is not a list of withdrawn ver") as caught:
        parse_withdrawn(data)
    assert len(str(caught.value)) < 600
