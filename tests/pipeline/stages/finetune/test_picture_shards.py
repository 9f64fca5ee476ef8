"""Pictures in shards: decoded once, mapped from disk, and whole or not there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from alignrec.core.files import sha256_file
from alignrec.extractors.identity import ExtractorIdentity
from alignrec.extractors.modality import MODALITIES
from alignrec.pipeline.catalog.inputs import Input
from alignrec.pipeline.config.catalog import ItemsConfig
from alignrec.pipeline.engines.base import Model, Unit
from alignrec.pipeline.runner.shards import Shard
from alignrec.pipeline.stages.finetune.picture_shards import PictureShards
from tests.pipeline.catalogues import picture

SIDE = 8
BROKEN = 3


@pytest.fixture
def shards(tmp_path: Path) -> PictureShards:
    """Seven pictures in three shards, one of which cannot be decoded."""
    inputs = []
    for number in range(7):
        path = tmp_path / f"{number}.png"
        path.write_bytes(picture(number)[: 200 if number == BROKEN else None])
        inputs.append(Input(f"i{number}", number, sha256_file(path), path))
    kind = MODALITIES["image"]
    model = Model("x:y", kind, ExtractorIdentity("x", "y", "image", None, ""))
    cut = [Shard(f"s{n}", tuple(inputs[slice(*at)])) for n, at in enumerate([(0, 2), (2, 6), (6, 7)])]
    items = ItemsConfig(path="none.csv")
    return PictureShards([Unit(one, model, 1, False, items, tmp_path / "out") for one in cut], SIDE)


def prepare(value: Any) -> NDArray[np.uint8]:
    return np.asarray(value.resize((SIDE, SIDE)))


def fill(shards: PictureShards) -> list[int]:
    steps: list[int] = []
    shards.fill(prepare, 2, steps.append)
    return steps


def test_pictures_come_back_in_any_order_and_what_is_none_is_zeros(shards: PictureShards) -> None:
    assert fill(shards) == [0, 2, 4, 1]
    usable = shards.usable()
    assert usable.tolist() == [number != BROKEN for number in range(7)]
    asked = np.array([6, -1, 2, BROKEN, 6, 1])
    found = shards.pixels(asked)
    assert found.dtype == np.uint8 and found.shape == (6, SIDE, SIDE, 3)
    for number, pixels in zip(asked.tolist(), found, strict=True):
        if number in (-1, BROKEN):
            assert not pixels.any()
        else:
            from io import BytesIO

            from PIL import Image

            assert np.array_equal(pixels, prepare(Image.open(BytesIO(picture(number)))))


def test_what_is_there_is_not_decoded_again_and_a_damaged_shard_is(shards: PictureShards) -> None:
    fill(shards)
    size = sum(path.stat().st_size for path in shards.units[0].folder.iterdir())
    assert shards.bytes <= size < shards.bytes + 400
    again = PictureShards(shards.units, SIDE)
    assert fill(again) == [7]
    path = shards.units[0].folder / "s1.pixels"
    damaged = bytearray(path.read_bytes())
    damaged[50] ^= 1
    path.write_bytes(damaged)
    third = PictureShards(shards.units, SIDE)
    assert fill(third) == [3, 4]
    assert np.array_equal(third.pixels(np.arange(7)), again.pixels(np.arange(7)))


def test_shards_say_which_pictures_they_hold(shards: PictureShards) -> None:
    assert shards.shards == [("s0", slice(0, 2)), ("s1", slice(2, 6)), ("s2", slice(6, 7))]
