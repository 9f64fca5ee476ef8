"""Visual codes of pictures, by a teacher of four tokens a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from alignrec.aligner.errors import FeatureError
from alignrec.aligner.finetune.settings import FinetuneSettings
from alignrec.extractors.contract import Embeddings, Extractor
from alignrec.pipeline.runner.checkpoint import Checkpoint
from alignrec.pipeline.stages.finetune.picture_shards import PictureShards
from alignrec.pipeline.stages.finetune.teacher import Teacher, framed

PICTURES, BROKEN, SIDE = 90, 7, 8
LEVELS = np.array([0, 80, 160, 240])


class Quarters(Extractor):
    """A token is the mean colour of a quarter of the picture."""

    def __init__(self) -> None:
        self.batch_size, self.pictures = 16, 0

    def prepare(self, value: Any) -> NDArray[np.float32]:
        pixels = np.asarray(value, dtype=np.float32)
        return pixels.reshape(2, SIDE // 2, 2, SIDE // 2, 3).mean(axis=(1, 3)).reshape(4, 3)

    def embed(self, prepared: Sequence[Any], tokens: bool = False) -> Embeddings:
        self.pictures += len(prepared)
        stacked = np.stack(prepared)
        return Embeddings(stacked.mean(axis=1), stacked, np.ones(stacked.shape[:2], dtype=np.bool_))


def levels() -> NDArray[np.int64]:
    return np.random.default_rng(0).integers(4, size=(PICTURES, 4))


def pictures() -> PictureShards:
    """Each quarter of a picture has one of four greys."""
    grey = np.repeat(np.repeat(LEVELS[levels()].reshape(-1, 2, 2), SIDE // 2, 1), SIDE // 2, 2)
    pixels = np.repeat(grey[..., None], 3, axis=3).astype(np.uint8)
    cut = [("a", slice(0, 30)), ("b", slice(30, 31)), ("c", slice(31, PICTURES))]
    usable = np.arange(PICTURES) != BROKEN
    return cast(
        "PictureShards",
        SimpleNamespace(pixels=lambda rows: pixels[rows], usable=lambda: usable, shards=cut),
    )


class Middle(Quarters):
    """The same of a picture's middle half."""

    crop = 0.5

    def prepare(self, value: Any) -> NDArray[np.float32]:
        pixels = np.asarray(value, dtype=np.float32)
        around = (len(pixels) - SIDE) // 2
        assert len(pixels) == 2 * SIDE
        return super().prepare(pixels[around : around + SIDE, around : around + SIDE])


def codes(folder: Path, teacher: Quarters, **settings: Any) -> NDArray[np.int32]:
    kept = Checkpoint(folder / "codebook.pt", "x")
    asked = FinetuneSettings.model_validate({"codes": 4} | settings)
    steps: list[int] = []
    found = Teacher(lambda: teacher, pictures(), 2).codes(asked, 1, kept, folder / "codes", steps.append)
    assert steps == [30, 1, 59]
    return found


def test_patches_that_look_alike_share_a_code(tmp_path: Path) -> None:
    (tmp_path / "codes").mkdir()
    found = codes(tmp_path, Quarters())
    assert found.dtype == np.int32 and found.shape == (PICTURES, 4) and not found[BROKEN].any()
    usable = np.arange(PICTURES) != BROKEN
    together = {
        (int(level), int(code)) for level, code in zip(levels()[usable].flat, found[usable].flat, strict=True)
    }
    assert len({level for level, _ in together}) == len(together) == 4


def test_a_teacher_that_crops_looks_at_the_whole_picture_too(tmp_path: Path) -> None:
    (tmp_path / "codes").mkdir()
    (tmp_path / "whole" / "codes").mkdir(parents=True)
    found, whole = codes(tmp_path, Middle()), codes(tmp_path / "whole", Quarters())
    assert np.array_equal(found, whole)


class Own(Quarters):
    """Its codes are greys of its own, of which one is of no picture here."""

    codebook = np.repeat(np.array([[240], [0], [999], [80], [160]], dtype=np.float32), 3, axis=1)


def test_codes_of_the_teachers_own_are_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "codes").mkdir()
    teacher = Own()
    found = codes(tmp_path, teacher, codes=5)
    usable = np.arange(PICTURES) != BROKEN
    assert np.array_equal(found[usable], np.array([1, 3, 4, 0])[levels()[usable]])
    assert teacher.pictures == PICTURES - 1  # no sample is drawn first


def test_another_number_of_codes_than_the_teachers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FeatureError, match=r"has 5 codes of its own: set finetune\.codes to 5"):
        codes(tmp_path, Own())


def test_codes_on_another_grid_than_the_patches_are_refused(tmp_path: Path) -> None:
    kept = Checkpoint(tmp_path / "codebook.pt", "x")
    asked = FinetuneSettings(codes=5)
    with pytest.raises(FeatureError, match="gives 4 codes a picture, and the model cuts one into 9 patches"):
        Teacher(lambda: Own(), pictures(), 3).codes(asked, 1, kept, tmp_path, lambda _: None)


def test_a_frame_is_what_a_crop_takes_away() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (224, 224, 3), dtype=np.uint8)
    assert np.array_equal(np.asarray(framed(pixels, 1.0)), pixels)
    framed_pixels = np.asarray(framed(pixels, 224 / 256))
    assert framed_pixels.shape == (256, 256, 3)
    assert np.array_equal(framed_pixels[16:-16, 16:-16], pixels)
    assert np.array_equal(framed_pixels[:16, 16:-16], np.repeat(pixels[:1], 16, axis=0))


def test_what_is_known_is_not_asked_again(tmp_path: Path) -> None:
    (tmp_path / "codes").mkdir()
    whole = codes(tmp_path, Quarters())
    again = Quarters()
    assert np.array_equal(codes(tmp_path, again), whole) and again.pictures == 0
    (tmp_path / "codes" / "c.codes").unlink()
    assert np.array_equal(codes(tmp_path, again), whole) and again.pictures == 59


def test_too_many_codes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FeatureError, match="at most 8"):
        codes(tmp_path, Quarters(), codes=99)
