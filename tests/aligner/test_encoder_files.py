"""A saved encoder: what is written is read back, and whatever else a stranger wrote is one kind of error."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field
from safetensors.numpy import save, save_file

from alignrec.aligner.encoder_files import (
    FORMAT,
    MOST_CONFIG,
    MOST_HEADER,
    EncoderFiles,
    SavedConfig,
    write_encoder,
)
from alignrec.aligner.errors import EncoderError

TENSORS = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.ones(2, np.float32)}
SHAPES = {"a": (2, 3), "b": (2,)}


class Config(SavedConfig):
    dim: int
    scale: float = 1.0
    widths: dict[str, tuple[int, int]] = Field(default_factory=dict)


def write(folder: Path, tensors: dict[str, np.ndarray] = TENSORS) -> EncoderFiles:
    config = {"widths": {"text": [4, 2]}, "dim": 8}
    write_encoder(folder, config, lambda path: save_file(tensors, path))
    return EncoderFiles(folder, "aligned encoder")


def with_header(header: bytes, body: bytes = b"", length: int | None = None) -> bytes:
    """A safetensors file of any header."""
    return (len(header) if length is None else length).to_bytes(8, "little") + header + body


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    files = write(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "model.safetensors"]
    assert files.config(Config) == Config(format=FORMAT, dim=8, widths={"text": (4, 2)})
    assert files.shapes == SHAPES
    tensors = files.tensors(SHAPES.items())
    assert {name: values.tobytes() for name, values in tensors.items()} == {
        name: values.tobytes() for name, values in TENSORS.items()
    }


def test_another_format_is_named_with_the_one_that_is_read(tmp_path: Path) -> None:
    files = write(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"format": FORMAT + 1, "of a later": "version"}))
    with pytest.raises(EncoderError, match=f"{tmp_path} .*format {FORMAT + 1}, this version reads {FORMAT}"):
        files.config(Config)


CONFIGS: list[Any] = [
    *([], {}, 1, None, "x", {"format": 1}),
    *({"format": value, "dim": 8} for value in (True, 1.0, "1", None, [], {}, 10**30)),
    *({"format": 1, "dim": value} for value in ("8", 8.5, 8.0, True, None, [8], {"8": 8})),
    *({"format": 1, "dim": 8, "scale": value} for value in ("1", True, None, [])),
    *({"format": 1, "dim": 8, "widths": value} for value in ([], 1, {"a": 1}, {"a": [1]}, {"a": [1, 2, 3]})),
    *({"format": 1, "dim": 8, "widths": value} for value in ({"a": {"0": 1, "1": 2}}, {"a": [[1], 2]}, "ab")),
    {"format": 1, "dim": 8, "unknown": 1},
]


@pytest.mark.parametrize(
    "content",
    [
        *(json.dumps(value).encode() for value in CONFIGS),
        *(b"", b"{", b"\xff", b"[" * 50_000, b'{"a":' * 10_000, b'{"format": 1, "dim": 8, "scale": NaN}'),
        *(b'{"format": 1, "dim": 8, "scale": 1e999}', b'{"format": 1, "dim": ' + b"9" * 5000 + b"}"),
        b" " * MOST_CONFIG + b'{"format": 1, "dim": 8}',
    ],
)
def test_a_config_of_another_form_is_an_error_with_its_place(tmp_path: Path, content: bytes) -> None:
    files = write(tmp_path)
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(EncoderError) as caught:
        files.config(Config)
    assert str(tmp_path) in str(caught.value) and "\n" not in str(caught.value)
    assert len(str(caught.value)) < len(str(tmp_path)) + 600


LISTED = b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}'


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"\0" * 7, b"\xff" * 20),
        with_header(b"{}", length=MOST_HEADER),  # longer than the file
        with_header(b"{}", length=10**9),
        with_header(b"{}", length=2**64 - 1),
        *(with_header(one) for one in (b"", b"{", b"[]", b"1", b"\xff", b"[" * 20_000, b'{"a":' * 20_000)),
        with_header(b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,9]}}', b"\0" * 9),
        with_header(b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}', b"\0" * 8),
        with_header(b'{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}', b"\0" * 8),
        with_header(b'{"a":{"dtype":"F32","shape":"2","data_offsets":[0,8]}}', b"\0" * 8),
        with_header(b'{"a":{"dtype":"F99","shape":[2],"data_offsets":[0,8]}}', b"\0" * 8),
        with_header(b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', b"\0" * 7),
        with_header(b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', b"\0" * 9),
        with_header(b'{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}'),
        with_header(LISTED + b',"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}', b"\0" * 12),
        with_header(LISTED + b',"b":{"dtype":"F32","shape":[2],"data_offsets":[12,20]}}', b"\0" * 20),
        with_header(LISTED + b',"__metadata__":[1]}', b"\0" * 8),
    ],
)
def test_a_header_that_lies_is_an_error_before_anything_is_read(tmp_path: Path, content: bytes) -> None:
    files = write(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(content)
    with pytest.raises(EncoderError, match=r"model\.safetensors: .+") as caught:
        files.shapes  # noqa: B018
    assert len(str(caught.value)) < len(str(tmp_path)) + 600


def test_tensors_are_those_that_the_config_asks_for(tmp_path: Path) -> None:
    files = write(tmp_path)
    for expected, reason in (
        (SHAPES | {"c": (1,)}, r"tensor 'c' is not there; by config\.json it has \[1\]"),
        (SHAPES | {"a": (3, 2)}, r"tensor 'a' has the shape \[2, 3\]; by config\.json it has \[3, 2\]"),
        (SHAPES | {"b": ()}, r"tensor 'b' has the shape \[2\]; by config\.json it has \[\]"),
        ({"a": (2, 3)}, r"by config\.json there is no tensor 'b'"),
    ):
        with pytest.raises(EncoderError, match=reason):
            files.tensors(expected.items())
    endless = ((f"block {number}", (1,)) for number in iter(int, 1))
    with pytest.raises(EncoderError, match="block 0"):
        files.tensors(endless)


@pytest.mark.parametrize("kind", [np.float16, np.float64, np.int32, np.bool_])
def test_other_types_than_float32_are_refused(tmp_path: Path, kind: type[np.generic]) -> None:
    files = write(tmp_path, TENSORS | {"b": np.ones(2, kind)})
    with pytest.raises(EncoderError, match=r"tensor 'b' is \w+, not F32"):
        files.tensors(SHAPES.items())


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_finite_numbers_are_refused(tmp_path: Path, value: float) -> None:
    files = write(tmp_path, TENSORS | {"b": np.array([1, value], np.float32)})
    with pytest.raises(EncoderError, match="tensor 'b' has a value that is no finite number"):
        files.tensors(SHAPES.items())


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_files_that_are_missing_or_no_files_are_named_and_never_waited_for(tmp_path: Path, name: str) -> None:
    for make in (lambda path: None, os.mkfifo, os.mkdir):
        folder = tmp_path / getattr(make, "__name__", "absent")
        folder.mkdir()
        files = write(folder)
        (folder / name).unlink()
        make(folder / name)
        with pytest.raises(EncoderError, match=rf"{name}: it is .+ Expected config\.json and model"):
            files.config(Config)
            files.tensors(SHAPES.items())


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
ENTRIES = st.fixed_dictionaries(
    {},
    optional={
        "dtype": st.sampled_from(["F32", "F16", "BF16", "F4", "I64", "f32"]) | PLAIN,
        "shape": st.lists(st.integers(-1, 4) | st.just(2**63), max_size=3) | PLAIN,
        "data_offsets": st.lists(st.integers(0, 40) | st.just(2**64), min_size=2, max_size=2) | PLAIN,
    },
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.dictionaries(st.sampled_from(["a", "b", "__metadata__", ""]), ENTRIES | PLAIN, max_size=3),
    st.binary(max_size=40),
    st.none() | st.integers(0, 2**64 - 1),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=3),
)
def test_any_header_is_read_or_an_error_of_its_own(
    tmp_path_factory: pytest.TempPathFactory,
    header: dict[str, Any],
    body: bytes,
    length: int | None,
    flips: list[tuple[int, int]],
) -> None:
    folder = tmp_path_factory.getbasetemp()
    for content in (with_header(json.dumps(header).encode(), body, length), save(TENSORS)):
        damaged = bytearray(content)
        for place, value in flips:
            damaged[place % len(damaged)] = value
        (folder / "model.safetensors").write_bytes(damaged)
        files = EncoderFiles(folder, "encoder")
        try:
            tensors = files.tensors({**files.shapes}.items())
        except EncoderError:
            continue
        assert all(np.isfinite(values).all() for values in tensors.values())
