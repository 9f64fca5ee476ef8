"""What rows give of any number of modalities: several pictures, several texts, some of them unusable."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pyarrow as pa
import pytest

from alignrec.extractors.inputs.audio import decode_audio
from alignrec.extractors.modality import AUDIO
from alignrec.pipeline.catalog.contents import MOST_PARTS, source_columns
from alignrec.pipeline.catalog.file_hashes import FileHashes
from alignrec.pipeline.catalog.items import Catalogue, read_catalogue
from alignrec.pipeline.config.catalog import CatalogConfig, ItemsConfig, ModalityConfig
from alignrec.pipeline.errors import CatalogError, ConfigError
from tests.pipeline.catalogues import picture, sound, write_items


def _read(path: Path, modalities: dict[str, Any], **items: Any) -> Catalogue:
    config = CatalogConfig.model_validate({"items": {"path": str(path), **items}, "modalities": modalities})
    return read_catalogue(config.items, FileHashes(), config.modalities)


def _pictures(folder: Path, count: int) -> list[str]:
    for number in range(count):
        (folder / f"{number}.png").write_bytes(picture(number))
    return [sha256(picture(number)).hexdigest() for number in range(count)]


def test_every_picture_of_every_column_is_an_input_and_an_unusable_one_is_counted(tmp_path: Path) -> None:
    digests = _pictures(tmp_path, 3)
    rows = [
        {"item_id": "both", "front": "0.png", "back": "1.png|2.png"},
        {"item_id": "half", "front": "absent.png", "back": ["1.png"]},
        {"item_id": "none", "front": None, "back": ""},
        {"item_id": "bad", "front": "absent.png", "back": None},
    ]
    photo = {"type": "image", "columns": ["front", "back"]}
    catalogue = _read(write_items(tmp_path, rows), {"photo": photo})
    found = [(one.item_id, one.part, one.digest) for one in catalogue.inputs["photo"]]
    assert found == [*(("both", n, digests[n]) for n in range(3)), ("half", 1, digests[1])]
    rejected = [(one.item_id, one.modality, one.reason) for one in catalogue.rejections]
    assert rejected == [
        ("half", "photo", "not-found"),
        ("none", "photo", "missing"),
        ("bad", "photo", "not-found"),
    ]
    assert list(catalogue.inputs) == ["photo"], "no other modality by default"


def test_the_first_so_many_pictures_are_read_and_a_note_says_so(tmp_path: Path) -> None:
    _pictures(tmp_path, 1)
    rows = [{"item_id": "a", "photos": ["0.png"] * (MOST_PARTS + 1)}, {"item_id": "b", "photos": "0.png"}]
    catalogue = _read(write_items(tmp_path, rows), {"photo": {"type": "image", "columns": "photos"}})
    assert len(catalogue.inputs["photo"]) == MOST_PARTS + 1
    [note] = catalogue.notes
    assert note.startswith("1 items name more than 16 pictures in 'photos'")


def test_an_empty_text_of_several_is_no_rejection(tmp_path: Path) -> None:
    rows = [
        {"item_id": "a", "title": "A", "plot": "Long."},
        {"item_id": "b", "title": "B", "plot": None},
        {"item_id": "c", "title": "", "plot": ""},
    ]
    words = {"type": "text", "template": ["{title}", "{plot}"]}
    catalogue = _read(write_items(tmp_path, rows), {"words": words}, text="{title}")
    values = [(one.item_id, one.part, one.value) for one in catalogue.inputs["words"]]
    assert values == [("a", 0, "A"), ("a", 1, "Long."), ("b", 0, "B")]
    rejected = [(one.item_id, one.modality) for one in catalogue.rejections]
    assert rejected == [("c", "text"), ("c", "words")]
    assert [one.value for one in catalogue.inputs["text"]] == ["A", "B"], (
        "the short form, where it is written"
    )


def test_what_is_wrong_is_said_by_the_key_that_says_where(tmp_path: Path) -> None:
    path = write_items(tmp_path, [{"item_id": "a", "title": "A", "plot": None}])
    for modality, expected, error in (
        ({"type": "text", "template": "{tilte}"}, r"catalog\.modalities\.words \({tilte}\)", CatalogError),
        ({"type": "text", "template": "{plot}"}, r"Check catalog\.modalities\.words, or take", CatalogError),
        ({"type": "text", "template": "{plot"}, r"catalog\.modalities\.words: ", ConfigError),
        ({"type": "image", "columns": ["title", "x"]}, r"catalog\.modalities\.words \(x\)", CatalogError),
    ):
        with pytest.raises(error, match=expected):
            _read(path, {"words": modality})


def test_a_modality_knows_the_columns_that_it_is_made_of() -> None:
    text = ModalityConfig(type="text", template=("{title} ({year})", "{title}. {plot}"))
    assert source_columns(text) == ("title", "year", "plot")
    assert source_columns(ModalityConfig(type="image", columns=("front", "back"))) == ("front", "back")
    short = CatalogConfig(items=ItemsConfig(path="x", text="{title}"))
    assert {name: source_columns(one) for name, one in short.located.items()} == {
        "image": ("image",),
        "text": ("title",),
    }


def test_sounds_are_files_too_each_with_the_hash_of_its_bytes(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.mp3").write_bytes(sound(number))  # what it is called does not matter
    rows = [
        {"item_id": "path", "jingle": "0.mp3"},
        {"item_id": "bare", "jingle": "1"},  # without its ending
        {"item_id": "many", "jingle": ["1.mp3", "2.mp3"]},
        {"item_id": "base64", "jingle": b64encode(sound(3)).decode()},
        {"item_id": "none", "jingle": None},
        {"item_id": "lost", "jingle": "9.mp3"},
        {"item_id": "out", "jingle": "../9.mp3"},
        {"item_id": "number", "jingle": 7},
    ]
    catalogue = _read(write_items(tmp_path, rows), {"jingle": {"type": "audio", "columns": "jingle"}})
    digests = [sha256(sound(number)).hexdigest() for number in range(4)]
    found = [(one.item_id, one.digest, one.value is None) for one in catalogue.inputs["jingle"]]
    assert found == [
        ("path", digests[0], False),
        ("bare", digests[1], False),
        ("many", digests[1], False),
        ("many", digests[2], False),
        ("base64", digests[3], True),
    ]
    rejected = [(one.item_id, one.reason, one.detail) for one in catalogue.rejections]
    assert [(item, reason) for item, reason, _ in rejected] == [
        ("none", "missing"),
        ("lost", "not-found"),
        ("out", "outside-root"),
        ("number", "not-a-path"),
    ]
    assert rejected[0][2] == "the item names no audio"
    assert rejected[3][2] == "expected a path, a URL or a sound, got int 7"
    assert list(catalogue.embedded(["jingle"], 3, 4, AUDIO)) == [(3, 0, sound(3))]


@pytest.mark.parametrize("saved", ["parquet", "folder"])
def test_sounds_as_datasets_store_them(tmp_path: Path, saved: str) -> None:
    """Embedded, by path, and as a waveform; none of them is decoded to be read."""
    (tmp_path / "2.wav").write_bytes(sound(2))
    stored = [{"bytes": sound(1), "path": "x.wav"}, {"bytes": None, "path": str(tmp_path / "2.wav")}, None]
    wave = np.sin(np.arange(4_000) / 9).astype(np.float32)
    arrays = [{"array": [], "sampling_rate": 8_000}, None, {"array": wave.tolist(), "sampling_rate": 8_000}]
    table = pa.table(
        {
            "item_id": ["a", "b", "c"],
            "audio": pa.array(stored, pa.struct({"bytes": pa.binary(), "path": pa.string()})),
            "wave": pa.array(
                arrays, pa.struct({"array": pa.list_(pa.float32()), "sampling_rate": pa.int64()})
            ),
        }
    )
    features = datasets.Features.from_arrow_schema(table.schema) | {"audio": datasets.Audio()}
    dataset = datasets.Dataset(table.cast(datasets.Features(features).arrow_schema))
    path = tmp_path / ("items.parquet" if saved == "parquet" else "saved")
    (dataset.to_parquet if saved == "parquet" else dataset.save_to_disk)(str(path))
    heard = {name: {"type": "audio", "columns": name} for name in ("audio", "wave")}
    catalogue = _read(path, heard, image_root=str(tmp_path))
    digests = {one.item_id: one.digest for one in catalogue.inputs["audio"]}
    assert digests == {"a": sha256(sound(1)).hexdigest(), "b": sha256(sound(2)).hexdigest()}
    [(row, part, data)] = catalogue.embedded(["wave"], 2, 3, AUDIO)
    assert [one.digest for one in catalogue.inputs["wave"]][-1] == sha256(data).hexdigest()
    decoded = decode_audio(data)
    assert (row, part, decoded.rate) == (2, 0, 8_000)
    np.testing.assert_array_equal(decoded.samples, wave)


def test_an_array_that_is_no_waveform(tmp_path: Path) -> None:
    waves = [["loud", 1], [[[1]]], None, {"a": 1}]
    rows = [{"item_id": str(n), "a": {"array": one, "sampling_rate": 8}} for n, one in enumerate(waves)]
    rows += [{"item_id": "slow", "a": {"array": [0.5], "sampling_rate": "often"}}, {"item_id": "t", "a": "2"}]
    (tmp_path / "2").write_bytes(sound(2))
    catalogue = _read(write_items(tmp_path, rows), {"a": {"type": "audio", "columns": "a"}})
    assert [(one.item_id, one.reason) for one in catalogue.rejections] == [
        ("0", "not-a-waveform"),
        ("1", "not-a-waveform"),
        ("2", "not-a-path"),
        ("3", "not-a-waveform"),
        ("slow", "not-a-waveform"),
    ]


PAIR = {"both": {"type": "pair", "columns": "photo", "template": "{title}"}}


def test_a_pair_is_a_picture_with_a_text_or_the_one_that_there_is(tmp_path: Path) -> None:
    digests = _pictures(tmp_path, 2)
    rows = [
        {"item_id": "whole", "photo": "0.png|1.png", "title": "Red"},
        {"item_id": "other", "photo": "0.png", "title": "Blue"},
        {"item_id": "seen", "photo": "1.png", "title": " "},
        {"item_id": "read", "photo": None, "title": "Red"},
        {"item_id": "lost", "photo": "absent.png", "title": "Red"},
        {"item_id": "none", "photo": "", "title": None},
        {"item_id": "bad", "photo": "absent.png", "title": None},
    ]
    catalogue = _read(write_items(tmp_path, rows), PAIR)
    text = sha256(b"Red").hexdigest()
    found = catalogue.inputs["both"]
    assert [(one.item_id, one.digest, one.text) for one in found] == [
        ("whole", digests[0], "Red"),
        ("other", digests[0], "Blue"),
        ("seen", digests[1], None),
        ("read", text, None),
        ("lost", text, None),
    ]
    assert [one.value for one in found[2:]] == [tmp_path / "1.png", "Red", "Red"]
    assert len({one.content for one in found}) == 4 and found[3].content == found[4].content == text
    rejected = [(one.item_id, one.reason) for one in catalogue.rejections]
    assert rejected == [("lost", "not-found"), ("none", "missing"), ("bad", "not-found")]
    [note] = catalogue.notes
    assert note == "1 items name several pictures in 'photo': the first of each is read."


def test_a_pair_takes_no_rows_of_features(tmp_path: Path) -> None:
    path = write_items(tmp_path, [{"item_id": "a", "photo": {"row": 3}, "title": "Red"}])
    with pytest.raises(ConfigError, match=r"^catalog\.modalities\.both: a pair needs pictures"):
        _read(path, PAIR)
