"""Interactions up to checked Arrow columns, and every row that cannot be used with its reason."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from alignrec.export.release.parquet import REJECTED_SCHEMA
from alignrec.pipeline.catalog.interactions import SCHEMA, Interactions, read_interactions
from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.config.settings import InteractionsConfig
from alignrec.pipeline.errors import CatalogError
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.stages.chain import run
from tests.pipeline.catalogues import write_catalogue

NAN = math.nan
Pair = tuple[Any, Any]


def _write(folder: Path, form: str, pairs: Sequence[Pair], **columns: list[Any]) -> Path:
    path = folder / f"log.{form}"
    table = {"user_id": [user for user, _ in pairs], "item_id": [item for _, item in pairs], **columns}
    if form == "parquet":
        pq.write_table(pa.table(table), path, row_group_size=2)
    elif form == "jsonl":
        rows = (dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True))
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        lines = [",".join(table), *(",".join(map(str, row)) for row in zip(*table.values(), strict=True))]
        path.write_text("\n".join(lines) + "\n")
    return path


def _read(path: Path, item_ids: Sequence[str] = ("a", "b", "7"), **settings: Any) -> Interactions:
    return read_interactions(InteractionsConfig(path=str(path), **settings), item_ids)


def _pairs(interactions: Interactions) -> list[Pair]:
    assert interactions.table.schema == SCHEMA
    return list(zip(*(interactions.table[name].to_pylist() for name in ("user_id", "item_id")), strict=True))


def _rejected(interactions: Interactions) -> list[tuple[Any, ...]]:
    """The rows as `rejected.parquet` has them."""
    schema = REJECTED_SCHEMA.append(pa.field("detail", pa.string()))
    table = pa.Table.from_pylist([r.as_row() for r in interactions.rejections], schema=schema)
    columns = ["source", "row", "item_id", "user_id", "modality", "stage", "reason", "detail"]
    assert sorted(table.column_names) == sorted(columns)
    return [tuple(row[column] for column in columns) for row in table.to_pylist()]


def _row(row: int, user: str | None, item: str | None, reason: str, raw: Pair) -> tuple[Any, ...]:
    detail = str(dict(zip(("user_id", "item_id"), raw, strict=True)))
    return ("interactions", row, item, user, None, "extract", reason, detail)


ABSENT = [("csv", ""), ("jsonl", ""), ("jsonl", None), ("jsonl", NAN), ("parquet", ""), ("parquet", None)]


@pytest.mark.parametrize(("form", "absent"), ABSENT)
def test_a_row_without_user_or_item_is_listed(tmp_path: Path, form: str, absent: Any) -> None:
    pairs = [("u", "a"), (absent, "b"), ("v", absent), (absent, absent), ("nan", "b")]
    read = _read(_write(tmp_path, form, pairs))
    assert (_pairs(read), read.rows) == ([("u", "a"), ("nan", "b")], 5)
    assert _rejected(read) == [
        _row(1, None, "b", "no-user", pairs[1]),
        _row(2, "v", None, "no-item", pairs[2]),
        _row(3, None, None, "no-user", pairs[3]),
    ]


@pytest.mark.parametrize("side", [0, 1])
def test_a_missing_number_among_numbers_is_listed(tmp_path: Path, side: int) -> None:
    for kind, text in ((pa.float64(), "7.0"), (pa.int64(), "7")):
        numbers = pa.array([7, None, 7], kind)
        texts = pa.array(["7.0", "7.0", "7.0"])
        columns = {"user_id": texts, "item_id": texts}
        columns[list(columns)[side]] = numbers
        path = tmp_path / "log.parquet"
        pq.write_table(pa.table(columns), path)
        read = _read(path, ["7.0", "7"])
        assert [pair[side] for pair in _pairs(read)] == [text] * 2
        raw = ("7.0", None) if side else (None, "7.0")
        assert _rejected(read) == [_row(1, *raw, ("no-user", "no-item")[side], raw)]


def test_not_a_number_in_a_column_of_numbers_is_listed(tmp_path: Path) -> None:
    path = tmp_path / "log.parquet"
    pq.write_table(pa.table({"user_id": [1.0, NAN], "item_id": ["a", "a"]}), path)
    read = _read(path)
    assert _pairs(read) == [("1.0", "a")]
    assert _rejected(read) == [_row(1, None, "a", "no-user", (NAN, "a"))]


def test_ids_of_any_type_are_texts(tmp_path: Path) -> None:
    pairs = [(1, "7"), ("1", 7), (1.5, "7"), (2**70, "a"), (True, "b"), ([1, "x"], "b"), ("\ud800", "b")]
    read = _read(_write(tmp_path, "jsonl", pairs))
    expected = [("1", "7"), ("1", "7"), ("1.5", "7"), (str(2**70), "a"), ("True", "b"), ("[1, 'x']", "b")]
    assert _pairs(read) == expected
    assert _rejected(read) == [_row(6, None, "b", "no-user", pairs[6])]


def test_a_run_goes_on_without_the_rows_that_name_nobody(tmp_path: Path) -> None:
    config = write_catalogue(tmp_path)
    log = tmp_path / "interactions.csv"
    log.write_text(log.read_text() + ",i0,5\nu1,,5\n")
    row = len(log.read_text().splitlines()) - 3
    run(load_config(config, ["export.sets=[image]"]), until="extract", console=Console(quiet=True))
    folder = tmp_path / "run" / "extract"
    rejected = pq.read_table(folder / "rejected.parquet").to_pylist()
    shared = {"source": "interactions", "stage": "extract", "modality": None}
    assert [r for r in rejected if r["source"] == "interactions"] == [
        shared
        | {"row": row, "user_id": None, "item_id": "i0", "reason": "no-user"}
        | {"detail": "{'user_id': '', 'item_id': 'i0', 'rating': '5'}"},
        shared
        | {"row": row + 1, "user_id": "u1", "item_id": None, "reason": "no-item"}
        | {"detail": "{'user_id': 'u1', 'item_id': '', 'rating': '5'}"},
    ]


NUMBERS = {
    " 5 ": 5.0,
    "+5": 5.0,
    "4.5": 4.5,
    "1e1": 10.0,
    "": None,
    "high": None,
    "inf": None,
    "nan": None,
    "1_0": None,
    "0x1": None,
    "5,0": None,
}


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_numbers_in_text_are_numbers_and_nothing_else_is(tmp_path: Path, form: str) -> None:
    pairs = [("u", "a")] * len(NUMBERS)
    path = _write(tmp_path, form, pairs, rating=list(NUMBERS))
    read = _read(path, rating="rating")
    assert read.table["rating"].to_pylist() == [n for n in NUMBERS.values() if n is not None]
    assert read.table["timestamp"].to_pylist() == [None] * read.table.num_rows
    assert [(r.row, r.reason) for r in read.rejections] == [
        (row, "bad-rating") for row, number in enumerate(NUMBERS.values()) if number is None
    ]


def test_times_are_whole_seconds_of_64_bits(tmp_path: Path) -> None:
    times = [10, "11", 12.9, "13.9", 2**53 + 1, -1.5, 1e300, None, "soon", True]
    path = _write(tmp_path, "jsonl", [("u", "a")] * len(times), timestamp=times)
    read = _read(path, timestamp="timestamp")
    assert read.table["timestamp"].to_pylist() == [10, 11, 12, 13, 2**53, -1, 1]
    assert [(r.row, r.reason) for r in read.rejections] == [(row, "bad-timestamp") for row in (6, 7, 8)]
    path = _write(tmp_path, "parquet", [("u", "a")] * 2, timestamp=[2**53 + 1, 1])
    assert _read(path, timestamp="timestamp").table["timestamp"].to_pylist() == [2**53 + 1, 1]


def test_parts_join_to_one_table_and_rows_count_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = [(f"u{n}", "a" if n % 3 else "unknown") for n in range(40)]
    path = _write(tmp_path, "parquet", pairs)
    whole = _read(path)
    monkeypatch.setattr("alignrec.pipeline.catalog.interactions._ROWS_AT_ONCE", 7)
    monkeypatch.setattr("alignrec.pipeline.catalog.interactions._MOST_ROWS", 7)
    monkeypatch.setattr("alignrec.pipeline.catalog.tables.BATCH_ROWS", 3)
    parts = _read(path)
    assert parts == whole
    assert [r.row for r in parts.rejections] == list(range(0, 40, 3))
    assert parts.table["user_id"].num_chunks > 10


def test_interactions_are_checked_row_by_row(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(
        "u,i,r,t\n01,a,5,10\n01,zz,5,10\n,a,5,10\n02,b,high,10\n02,b,4,soon\n02,b,nan,3\n02,b,2,3\n03,b,4,7\n03,,4,7\n"
    )
    config = InteractionsConfig(path=str(path), user="u", item="i", rating="r", timestamp="t", min_rating=4)
    result = read_interactions(config, ["a", "b"])
    assert result.table.to_pydict() == {
        "user_id": ["01", "03"],
        "item_id": ["a", "b"],
        "rating": [5.0, 4.0],
        "timestamp": [10, 7],
    }
    assert [(r.row, r.reason) for r in result.rejections] == [
        (1, "unknown-item"),
        (2, "no-user"),
        (3, "bad-rating"),
        (4, "bad-timestamp"),
        (5, "bad-rating"),
        (8, "no-item"),
    ]
    with pytest.raises(CatalogError, match="do its item ids match"):
        read_interactions(config, ["other"])
    path.write_text("u,i,r,t\n")
    with pytest.raises(CatalogError, match="no rows"):
        read_interactions(config, ["a"])
