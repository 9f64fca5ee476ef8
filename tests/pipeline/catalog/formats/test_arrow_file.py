"""Arrow files and streams: any rows of any columns, in small batches, and damage named."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.feather
import pytest

from alignrec.pipeline.catalog import tables
from alignrec.pipeline.catalog.formats.arrow_file import open_arrow
from alignrec.pipeline.errors import CatalogError


def write(table: pa.Table, path: Path, form: str, rows: int = 30) -> Path:
    writers = {"file": pa.ipc.new_file, "stream": pa.ipc.new_stream}
    if form == "feather":
        pyarrow.feather.write_feather(table, path, chunksize=rows)
    else:
        with writers[form](str(path), table.schema) as writer:
            writer.write_table(table, max_chunksize=rows)
    return path


@pytest.mark.parametrize("form", ["file", "stream", "feather"])
def test_types_stay_and_large_values_make_small_batches(tmp_path: Path, form: str) -> None:
    source = pa.table({"n": list(range(100)), "picture": [bytes([n]) * 2**19 for n in range(100)]})
    table = open_arrow(write(source, tmp_path / "a.arrow", form))
    assert table.columns == ("n", "picture")
    batches = list(table.batches(["picture", "n"], 35))
    assert pa.Table.from_batches(batches).equals(source.select(["picture", "n"]).slice(35))
    assert max(batch.nbytes for batch in batches) <= 2 * tables.BATCH_BYTES
    for start in (0, 29, 30, 99):
        assert [row["n"] for row in table.rows(["n"], start)] == list(range(start, 100))
    assert list(table.batches(["n"], 100)) == []


@pytest.mark.parametrize("form", ["file", "stream", "feather"])
def test_a_table_without_rows_has_columns(tmp_path: Path, form: str) -> None:
    table = open_arrow(write(pa.table({"id": pa.array([], pa.string())}), tmp_path / "a.arrow", form))
    assert table.columns == ("id",) and list(table.rows(["id"])) == []


def test_columns_of_one_name_cannot_be_used_and_others_can(tmp_path: Path) -> None:
    columns = [pa.array(["1"]), pa.array(["a"]), pa.array(["b"])]
    source = pa.Table.from_arrays(columns, names=["id", "t", "t"])
    table = open_arrow(write(source, tmp_path / "a.arrow", "file"))
    assert list(table.rows(table.columns)) == [{"id": "1"}] and table.repeated == {"t"}


@pytest.mark.parametrize("form", ["file", "stream"])
def test_damage_is_named(tmp_path: Path, form: str) -> None:
    text = pa.array([b"ok", b"\xff"]).view(pa.string())
    path = write(pa.table({"id": text}), tmp_path / "a.arrow", form)
    with pytest.raises(CatalogError, match=r"a\.arrow cannot be read: .*UTF8"):
        list(open_arrow(path).batches(["id"]))
    whole = path.read_bytes()
    for cut in (0, 5, 12, 100, len(whole) // 2, len(whole) - 20):
        path.write_bytes(whole[:cut])
        with pytest.raises(CatalogError, match=r"a\.arrow cannot be read"):
            list(open_arrow(path).batches(["id"]))


def test_what_is_no_arrow_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.feather").write_bytes(b"FEA1\0\0\0\0")
    with pytest.raises(CatalogError, match="Feather file of version 1: write it as Parquet"):
        open_arrow(tmp_path / "a.feather")
    (tmp_path / "a.arrow").write_bytes(b"id,title\n1,a\n")
    with pytest.raises(CatalogError, match=r"a\.arrow cannot be read"):
        open_arrow(tmp_path / "a.arrow")
