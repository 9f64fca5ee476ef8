"""Inputs are read from where they refer to, in the units' order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from alignrec.extractors.errors import ImageRejectedError
from alignrec.extractors.identity import ExtractorIdentity
from alignrec.extractors.inputs.images import decode_image
from alignrec.extractors.modality import MODALITIES
from alignrec.pipeline.catalog.items import Input
from alignrec.pipeline.config.settings import ItemsConfig
from alignrec.pipeline.engines.base import Model, Unit
from alignrec.pipeline.engines.inputs import InputReader
from alignrec.pipeline.runner.shards import Shard
from tests.pipeline.catalogues import picture


def test_texts_files_and_cells_of_the_table_are_read(tmp_path: Path) -> None:
    (tmp_path / "file.png").write_bytes(picture(9))
    cells = pa.array([picture(n) for n in range(4)], pa.binary())
    pq.write_table(pa.table({"item_id": list("abcd"), "image": cells}), tmp_path / "items.parquet")
    items = ItemsConfig(path=str(tmp_path / "items.parquet"))
    model = Model("a:b", MODALITIES["image"], ExtractorIdentity("a", "b", "image", None, "0" * 64))
    shards = [
        Shard("0", (Input("b", 1, "", None), Input("x", 9, "", "7"))),
        Shard("1", (Input("y", 8, "", tmp_path / "file.png"), Input("d", 3, "", None))),
        Shard("2", (Input("z", 7, "", tmp_path / "absent.png"),)),
    ]
    units = [Unit(shard, model, 2, False, items, tmp_path) for shard in shards]
    read = InputReader(units)
    loads = [load for unit in units for load in read(unit)]
    values = [load() for load in loads[:4]]
    assert values[1] == "7"
    for value, seed in ((values[0], 1), (values[2], 9), (values[3], 3)):
        assert np.array_equal(np.asarray(value), np.asarray(decode_image(picture(seed))))
    with pytest.raises(ImageRejectedError, match=r"unreadable: absent\.png"):
        loads[4]()
