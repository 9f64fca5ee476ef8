from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from alignrec.pipeline.catalog import tables
from alignrec.pipeline.catalog.formats.parquet import open_parquet
from alignrec.pipeline.errors import CatalogError


def test_types_stay_and_large_values_make_small_batches(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    source = pa.table({"n": list(range(100)), "picture": [bytes([n]) * 2**19 for n in range(100)]})
    pq.write_table(source, path, row_group_size=30)
    table = open_parquet(path)
    batches = list(table.batches(["picture", "n"], 35))
    assert pa.Table.from_batches(batches).equals(source.select(["picture", "n"]).slice(35))
    assert max(batch.nbytes for batch in batches) <= 2 * tables.BATCH_BYTES
    assert [batch.num_rows for batch in table.batches(["n"])] == [100]
    assert list(table.batches(["n"], 100)) == []


def test_text_that_is_not_utf_8_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    text = pa.array([b"ok", b"\xff"]).view(pa.string())
    pq.write_table(pa.table({"id": text}), path)
    with pytest.raises(CatalogError, match=r"a\.parquet cannot be read: .*UTF8"):
        list(open_parquet(path).batches(["id"]))


def test_columns_of_one_name_cannot_be_used_and_others_can(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    columns = [pa.array(["1"]), pa.array(["a"]), pa.array(["b"])]
    pq.write_table(pa.Table.from_arrays(columns, names=["id", "t", "t"]), path)
    table = open_parquet(path)
    assert list(table.rows(table.columns)) == [{"id": "1"}]
    with pytest.raises(
        CatalogError, match=r"a\.parquet has several columns 't', which catalog.items.text names"
    ):
        table.require({"catalog.items.text": "t"})
