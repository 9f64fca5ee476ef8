from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alignrec.pipeline.catalog.formats.format import format_of, formats_by_ending, open_table
from alignrec.pipeline.errors import CatalogError

CUT = gzip.compress(
    b"".join(json.dumps({"asin": str(n), "x": "y" * n}).encode() + b"\n" for n in range(4000))
)
IDS = ["0001", "nan", "a/b", "идентификатор", "NULL", "1e5", "2020-01-01", " padded ", "true"]


def _write(folder: Path, form: str, ids: list[str]) -> Path:
    path = folder / f"items.{form}"
    if form in ("csv", "tsv"):
        separator = "," if form == "csv" else "\t"
        path.write_text("id" + separator + "n\n" + "".join(f"{i}{separator}{k}\n" for k, i in enumerate(ids)))
    elif form == "jsonl":
        path.write_text("".join(json.dumps({"id": i, "n": str(k)}) + "\n" for k, i in enumerate(ids)))
    elif form == "jsonl.gz":
        with gzip.open(path, "wt") as file:
            file.writelines(json.dumps({"id": i, "n": str(k)}) + "\n" for k, i in enumerate(ids))
    elif form == "parquet":
        table = pa.table({"id": ids, "n": [str(k) for k in range(len(ids))]})
        pq.write_table(table, path, row_group_size=4)
    else:
        import datasets

        datasets.Dataset.from_dict({"id": ids, "n": [str(k) for k in range(len(ids))]}).save_to_disk(
            str(path)
        )
    return path


@pytest.mark.parametrize("form", ["csv", "tsv", "jsonl", "jsonl.gz", "parquet", "dataset"])
def test_ids_stay_themselves_and_any_range_of_rows_can_be_read(tmp_path: Path, form: str) -> None:
    table = open_table(str(_write(tmp_path, form, IDS)))
    assert set(table.columns) == {"id", "n"}
    assert [row["id"] for row in table.rows(["id"])] == IDS
    for start in range(len(IDS) + 1):
        batches = list(table.batches(["n", "id", "n"], start))
        assert all(batch.schema.names == ["n", "id"] for batch in batches)
        found = [(row["id"], row["n"]) for batch in batches for row in batch.to_pylist()]
        assert found == [(IDS[k], str(k)) for k in range(start, len(IDS))]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1), min_size=1, unique=True)
)
def test_json_lines_give_back_any_text(tmp_path_factory: pytest.TempPathFactory, ids: list[str]) -> None:
    path = _write(tmp_path_factory.mktemp("t"), "jsonl", ids)
    assert [row["id"] for row in open_table(str(path)).rows(["id"])] == ids


def test_enormous_cells_are_read(tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    path.write_text("id,text\n1," + "x" * 500_000 + "\n")
    assert len(next(open_table(str(path)).rows(["text"]))["text"]) == 500_000


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b"id,n\n1,2\n1,2,3\n", "line 3"),
        ("a.csv", "id\nä\n".encode("latin-1"), "not UTF-8"),
        ("a.jsonl", b'{"id": 1}\n{"id": \n', "line 2"),
        ("a.jsonl", b"[1]\n", "line 1: expected a JSON object"),
        ("a.jsonl.gz", gzip.compress(b'{"id": "1"}\n' * 99)[:-9], "cannot be read"),
        ("a.parquet", b"PAR1 no", "cannot be read"),
        ("a.item", b"item_id:token\tt:token\n1\ta\n2\t\xe9\n", "a.item, line 3, is not UTF-8"),
        ("a.csv.gz", CUT[: len(CUT) // 2], r"a\.csv\.gz, after line \d+, cannot be read"),
        ("a.jsonl.gz", CUT[:-2000] + b"\0" * 99 + CUT[-1901:], r"a\.jsonl\.gz, after line \d+, cannot"),
        ("a.xlsx", b"", "is not known"),
        ("a", b"", "is not known"),
    ],
)
def test_a_damaged_table_gives_one_clear_error(
    tmp_path: Path, name: str, content: bytes, expected: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(CatalogError, match=expected):
        table = open_table(str(path))
        list(table.rows(table.columns))


def test_absent_tables_are_named(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="no table at"):
        open_table(str(tmp_path / "none.csv"))
    with pytest.raises(CatalogError, match="save_to_disk"):
        open_table(str(tmp_path))


def test_endings_name_formats() -> None:
    assert {ending: form.name for ending, form in formats_by_ending().items()} == {
        ".csv": "CSV",
        ".tsv": "TSV",
        ".inter": "atomic file",
        ".item": "atomic file",
        ".jsonl": "JSON Lines",
        ".ndjson": "JSON Lines",
        ".parquet": "Parquet",
        ".arrow": "Arrow",
        ".feather": "Arrow",
        ".ipc": "Arrow",
    }
    for name, expected in (("a.CSV", "CSV"), ("a.b.csv.gz", "CSV"), ("a.csv.zip", None), ("csv", None)):
        form = format_of(Path(name))
        assert (form.name if form else None) == expected
