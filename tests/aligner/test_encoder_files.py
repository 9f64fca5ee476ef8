"""A saved encoder: what is written is read back, and what cannot be read is said with its place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alignrec.aligner.encoder_files import FORMAT, reading, write_encoder
from alignrec.aligner.errors import EncoderError

CONFIG = {"widths": {"text": [4, 2]}, "dim": 8}


def write(folder: Path) -> None:
    write_encoder(folder, CONFIG, lambda path: path.write_bytes(b"tensors") and None)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    write(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "model.safetensors"]
    assert json.loads((tmp_path / "config.json").read_bytes()) == CONFIG | {"format": FORMAT}
    with reading(tmp_path, "encoder") as (config, tensors):
        assert config == CONFIG | {"format": FORMAT}
        assert tensors == tmp_path / "model.safetensors" and tensors.read_bytes() == b"tensors"


def test_another_format_is_named_with_the_one_that_is_read(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(CONFIG | {"format": FORMAT + 1}))
    with (
        pytest.raises(EncoderError, match=f"{tmp_path} .*format {FORMAT + 1}, this version reads {FORMAT}"),
        reading(tmp_path, "encoder"),
    ):
        pass


@pytest.mark.parametrize("content", [None, b"", b"{", b"{}", b"[]", b"\xff"])
def test_a_config_that_cannot_be_read_is_said_with_its_place(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "config.json").write_bytes(content)
    with (
        pytest.raises(EncoderError, match=f"{tmp_path} .*aligned encoder"),
        reading(tmp_path, "aligned encoder"),
    ):
        pass


def test_what_fails_inside_is_an_error_of_the_encoder(tmp_path: Path) -> None:
    write(tmp_path)
    with pytest.raises(EncoderError, match="no key 'gate'"), reading(tmp_path, "encoder"):
        raise KeyError("no key 'gate'")
    own = EncoderError("of its own")
    with pytest.raises(EncoderError) as caught, reading(tmp_path, "encoder"):
        raise own
    assert caught.value is own
