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
from alignrec.pipeline.stages.finetune.teacher import Teacher

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
