"""Inputs are read from where they refer to, in the units' order."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from alignrec.extractors.identity import ExtractorIdentity
from alignrec.extractors.inputs.images import decode_image
from alignrec.extractors.inputs.pair import Pair
from alignrec.extractors.modality import IMAGE, MODALITIES, PAIR
from alignrec.pipeline.catalog.inputs import Input
from alignrec.pipeline.config.catalog import ItemsConfig
from alignrec.pipeline.engines.base import Model, Unit
from alignrec.pipeline.engines.inputs import InputReader
from alignrec.pipeline.errors import InputsChangedError
from alignrec.pipeline.runner.shards import Shard
from tests.pipeline.catalogues import picture


def test_texts_files_and_cells_of_the_table_are_read(tmp_path: Path) -> None:
    (tmp_path / "file.png").write_bytes(picture(9))
    cells = pa.array([picture(n) for n in range(4)], pa.binary())
    pq.write_table(pa.table({"item_id": list("abcd"), "image": cells}), tmp_path / "items.parquet")
    items = ItemsConfig(path=str(tmp_path / "items.parquet"))
    model = Model("a:b", MODALITIES["image"], ExtractorIdentity("a", "b", "image", None, "0" * 64))
    (tmp_path / "changed.png").write_bytes(picture(8))
    shards = [
        Shard("0", (_input("b", 1, 1, None), Input("x", 9, "", "7"))),
        Shard("1", (_input("y", 8, 9, tmp_path / "file.png"), _input("d", 3, 3, None))),
        Shard("2", (_input("z", 7, 9, tmp_path / "absent.png"), _input("w", 6, 9, tmp_path / "changed.png"))),
    ]
    units = [Unit(shard, model, 2, False, items, tmp_path, ("image",)) for shard in shards]
    read = InputReader(units)
    loads = [load for unit in units for load in read(unit)]
    values = [load() for load in loads[:4]]
    assert values[1] == "7"
    for value, seed in ((values[0], 1), (values[2], 9), (values[3], 3)):
        assert np.array_equal(np.asarray(value), np.asarray(decode_image(picture(seed))))
    with pytest.raises(InputsChangedError, match=r"absent\.png cannot be read any more \(No such file"):
        loads[4]()
    with pytest.raises(InputsChangedError, match=r"changed\.png changed while the run went on"):
        loads[5]()


def test_a_cell_that_changed_or_went_is_no_input_any_more(tmp_path: Path) -> None:
    pq.write_table(pa.table({"item_id": ["a", "b"], "image": [picture(0), None]}), tmp_path / "items.parquet")
    items = ItemsConfig(path=str(tmp_path / "items.parquet"))
    model = Model("a:b", MODALITIES[IMAGE.name], ExtractorIdentity("a", "b", IMAGE.name, None, "0" * 64))
    shard = Shard("0", (_input("a", 0, 1, None), _input("b", 1, 1, None)))
    for load in InputReader([unit := Unit(shard, model, 2, False, items, tmp_path, ("image",))])(unit):
        with pytest.raises(InputsChangedError, match=r"what is in row \d of the items table changed"):
            load()


def test_pairs_are_a_picture_with_a_text_or_one_of_them(tmp_path: Path) -> None:
    (tmp_path / "file.png").write_bytes(picture(9))
    items = ItemsConfig(path=str(tmp_path / "absent.csv"))
    model = Model("a:b", MODALITIES[PAIR.name], ExtractorIdentity("a", "b", PAIR.name, None, "0" * 64))
    alone = _input("a", 0, 9, tmp_path / "file.png")
    shard = Shard("0", (replace(alone, text="red"), alone, Input("b", 1, "", "blue")))
    unit = Unit(shard, model, 2, False, items, tmp_path, ("image",))
    whole, seen, read = (load() for load in InputReader([unit])(unit))
    assert isinstance(whole, Pair) and whole.text == "red" and whole.picture is not None
    assert np.array_equal(np.asarray(whole.picture), np.asarray(seen)) and read == "blue"


def _input(item_id: str, row: int, seed: int, path: Path | None) -> Input:
    return Input(item_id, row, hashlib.sha256(picture(seed)).hexdigest(), path)
