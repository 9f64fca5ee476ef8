"""What extractors are given: how it is held, and what is checked as it is read."""

from __future__ import annotations

import hashlib
import os
import pickle
from pathlib import Path

import pytest

from alignrec.pipeline.catalog.inputs import Input, InputList
from alignrec.pipeline.catalog.object_stores import RemoteFile
from alignrec.pipeline.errors import InputsChangedError

SHA = hashlib.sha256(b"content").hexdigest()
KINDS = [
    Input("text", 0, SHA, "a wörd"),
    Input("row of a matrix", 1, SHA, "17"),
    Input("file", 2, SHA, Path("/a/pïcture.jpg"), 3),
    Input("file whose name is not Unicode", 2**40, SHA, Path(os.fsdecode(b"/a/\xff.jpg"))),
    Input("in the table", 4, SHA, None, 1),
    Input("in a store", 5, SHA, RemoteFile("s3://bucket/é", "a/b.jpg", 2**33, None)),
    Input(
        "in a store that knows times",
        6,
        SHA,
        RemoteFile("s3://bucket", "c.jpg", 1, 1_700_000_000_000_000_001),
    ),
    Input("a pair", 7, SHA, Path("relative.jpg"), text="with words"),
    Input("", 8, SHA, ""),
]


def test_every_kind_of_input_comes_back_as_it_was() -> None:
    held = InputList(KINDS)
    assert list(held) == KINDS
    assert list(pickle.loads(pickle.dumps(held[2:7]))) == KINDS[2:7]  # noqa: S301


def test_the_text_of_middle_length_is_among_all_texts() -> None:
    texts = ["four", "a", "twelve signs", "äöü", "äöü"]
    held = InputList(Input(str(row), row, SHA, text) for row, text in enumerate(texts))
    assert held.middle_text() == sorted(texts, key=len)[len(texts) // 2] == "äöü"
    pairs = InputList([KINDS[2], KINDS[7], KINDS[4]])
    assert pairs.middle_text() == "with words"
    assert InputList([KINDS[2], KINDS[5]]).middle_text() is InputList().middle_text() is None


def test_a_file_that_is_another_by_now_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"content")
    item = Input("a", 0, SHA, path)
    assert item.file_bytes() == b"content"
    path.write_bytes(b"other")
    with pytest.raises(InputsChangedError, match="changed while the run went on"):
        item.file_bytes()
    path.unlink()
    with pytest.raises(InputsChangedError, match="cannot be read any more"):
        item.file_bytes()
    with pytest.raises(InputsChangedError, match="row 4 of the items table"):
        KINDS[4].checked(None)


def test_a_pairs_text_is_part_of_its_content() -> None:
    assert KINDS[0].content == SHA
    assert KINDS[7].content not in (SHA, Input("", 0, SHA, None, text="other words").content)
