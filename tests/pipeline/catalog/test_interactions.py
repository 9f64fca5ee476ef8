"""Interactions up to checked Arrow columns, and every row that cannot be used with its reason."""

from __future__ import annotations

import json
import math
import tracemalloc
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from alignrec.export.release.parquet import REJECTED_SCHEMA
from alignrec.pipeline.catalog.interactions import SCHEMA, Interactions, named_items, read_interactions
from alignrec.pipeline.catalog.rejections import Rejection
from alignrec.pipeline.config.catalog import CatalogConfig, InteractionsConfig, ItemsConfig
from alignrec.pipeline.config.file import load_config
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
    table = pa.Table.from_pylist([asdict(r) for r in interactions.rejections], schema=schema)
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
    for kind, text in ((pa.float64(), "7"), (pa.int64(), "7")):
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
    assert _pairs(read) == [("1", "a")]
    assert _rejected(read) == [_row(1, None, "a", "no-user", (NAN, "a"))]


def test_ids_of_any_type_are_texts(tmp_path: Path) -> None:
    pairs = [(1, "7"), ("1", 7), (1.5, "7"), (2**70, "a"), (True, "b"), ([1, "x"], "b"), ("\ud800", "b")]
    read = _read(_write(tmp_path, "jsonl", pairs))
    expected = [("1", "7"), ("1", "7"), ("1.5", "7"), (str(2**70), "a"), ("True", "b")]
    assert _pairs(read) == expected
    assert _rejected(read) == [_row(row, None, "b", "no-user", pairs[row]) for row in (5, 6)]


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
    "5,0": 5.0,
}


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_numbers_in_text_are_numbers_and_nothing_else_is(tmp_path: Path, form: str) -> None:
    pairs = [("u", "a")] * len(NUMBERS)
    path = _write(tmp_path, form, pairs, rating=list(NUMBERS))
    read = _read(path, rating="rating")
    assert read.table["rating"].to_pylist() == [n for t, n in NUMBERS.items() if n is not None or not t]
    assert read.table["timestamp"].to_pylist() == [None] * read.table.num_rows
    wrong = [row for row, (text, number) in enumerate(NUMBERS.items()) if number is None and text]
    blank = list(NUMBERS).index("")
    assert [(r.row, r.reason) for r in read.rejections] == [(row, "bad-rating") for row in wrong]
    read = _read(path, rating="rating", min_rating=1)
    assert [(r.row, r.reason) for r in read.rejections] == sorted(
        [(blank, "no-rating"), *((row, "bad-rating") for row in wrong)]
    )


def test_numbers_of_seconds_are_kept_in_full(tmp_path: Path) -> None:
    times = [10, "11", 12.9, "13.9", 1_500_000_000, -1.5, 1e300, None, "soon", True, " "]
    path = _write(tmp_path, "jsonl", [("u", "a")] * len(times), timestamp=times)
    read = _read(path, timestamp="timestamp")
    assert read.table["timestamp"].to_pylist() == [10_000, 11_000, 12_900, 13_900, 1_500_000_000_000, -1_500]
    assert read.table.schema.field("timestamp").metadata == {b"unit": b"ms"}
    assert [(r.row, r.reason) for r in read.rejections] == [
        (row, f"{reason}-timestamp")
        for row, reason in ((6, "bad"), (7, "no"), (8, "bad"), (9, "bad"), (10, "no"))
    ]
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
    with pytest.raises(CatalogError) as caught:
        read_interactions(config, ["other"])
    lines = [line.partition(": {")[0] for line in str(caught.value).splitlines()]
    assert lines == [
        f"{path} has no usable interaction among 9 rows:",
        "  7 × unknown-item, such as row 0",
        "  1 × no-user, such as row 2",
        "  1 × no-item, such as row 8",
        "The id 'a' is not in the catalogue, whose ids look like 'other'. Name columns of the same ids under "
        "catalog.interactions.item and catalog.items.id, or write them alike.",
    ]
    path.write_text("u,i,r,t\n")
    with pytest.raises(CatalogError, match="no rows"):
        read_interactions(config, ["a"])


@pytest.mark.parametrize(
    ("times", "item_ids", "note"),
    [
        ([1_588_687_728, 1_588_687_729], [1_588_687_728, 1_588_687_729], "understood as seconds"),
        ([1_588_687_728_000, 1_588_687_729_000], [1_588_687_728, 1_588_687_729], "as milliseconds"),
        ([1_588_687_728_001, 0], [1_588_687_728_001, 0], "kept in milliseconds"),
        ([1_588_687_728_000_000_001], [1_588_687_728_000_000_001], "kept in nanoseconds"),
    ],
)
def test_the_unit_is_the_whole_columns_and_is_noted(
    tmp_path: Path, times: list[int], item_ids: list[int], note: str
) -> None:
    read = _read(
        _write(tmp_path, "parquet", [("u", "a")] * len(times), timestamp=times), timestamp="timestamp"
    )
    assert read.table["timestamp"].to_pylist() == item_ids
    assert (list(read.rejections), read.notes) == ([], (read.times,)) and note in read.times


def test_a_row_of_another_unit_is_rejected_and_so_is_a_wrong_date(tmp_path: Path) -> None:
    times: list[Any] = [1_588_687_728_001, 1_588_687_728, 1_588_687_728_003]
    path = _write(tmp_path, "parquet", [("u", "a")] * 3, timestamp=times)
    read = _read(path, timestamp="timestamp")
    assert read.table["timestamp"].to_pylist() == [times[0], times[2]]
    assert [(r.row, r.reason) for r in read.rejections] == [(1, "bad-timestamp")]
    path = _write(tmp_path, "csv", [("u", "a")] * 4, timestamp=["2021-02-28", "2021-02-30", "", "2021-03-01"])
    read = _read(path, timestamp="timestamp")
    assert read.table["timestamp"].to_pylist() == [1_614_470_400, 1_614_556_800]
    assert read.table.schema == SCHEMA
    assert [(r.row, r.reason) for r in read.rejections] == [(1, "bad-timestamp"), (2, "no-timestamp")]


@pytest.mark.parametrize("written", ["03.04.2021", "03/04/21", "April 3rd"])
def test_an_ambiguous_column_asks_for_its_format(tmp_path: Path, written: str) -> None:
    path = _write(tmp_path, "csv", [("u", "a")] * 3, timestamp=[written] * 3)
    with pytest.raises(CatalogError, match=f"'{written}' for one.*time_format"):
        _read(path, timestamp="timestamp")


def test_a_format_is_followed(tmp_path: Path) -> None:
    path = _write(tmp_path, "csv", [("u", "a")] * 3, timestamp=["03.04.2021", "31.02.2021", "04.04.2021"])
    read = _read(path, timestamp="timestamp", time_format="%d.%m.%Y")
    assert read.table["timestamp"].to_pylist() == [1_617_408_000, 1_617_494_400]
    assert [(r.row, r.reason) for r in read.rejections] == [(1, "bad-timestamp")]
    path = _write(tmp_path, "csv", [("u", "a")], timestamp=[20210403])
    with pytest.raises(CatalogError, match="may be dates written like 20210403"):
        _read(path, timestamp="timestamp")
    assert _read(path, timestamp="timestamp", time_format="%Y%m%d").table["timestamp"].to_pylist() == [
        1_617_408_000
    ]
    assert _read(path, timestamp="timestamp", time_format="ms").table["timestamp"].to_pylist() == [20210403]


def test_many_rows_that_cannot_be_used_are_listed_as_columns(tmp_path: Path) -> None:
    count = 200_000
    path = tmp_path / "log.parquet"
    items = pa.concat_arrays([pa.array(["a"]), pa.repeat("gone", count)])
    pq.write_table(pa.table({"user_id": pa.repeat("u", count + 1), "item_id": items}), path)
    tracemalloc.start()
    read = _read(path)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # Python holds none of them: a Rejection each would be hundreds of bytes.
    assert kept < 8 * count
    assert (len(read.rejections), read.rejections.table["row"].to_pylist()) == (count, [*range(1, count + 1)])
    assert pc.unique(read.rejections.table["reason"]).to_pylist() == ["unknown-item"]
    assert read.rejections[count - 1] == Rejection(
        "interactions", count, "extract", "unknown-item", "{'user_id': 'u', 'item_id': 'gone'}", "gone", "u"
    )


@pytest.mark.parametrize("form", ["parquet", "jsonl", "csv"])
def test_items_that_interactions_name(tmp_path: Path, form: str) -> None:
    path = _write(tmp_path, form, [("u", "a"), ("", "b"), ("v", "a"), ("w", 7 if form == "csv" else "7")])
    written = {"items": {"path": "x", "interacted": True}, "interactions": {"path": str(path)}}
    catalog = CatalogConfig.model_validate(written)
    assert named_items(catalog) == {"a", "b", "7"}
    assert named_items(catalog.model_copy(update={"items": ItemsConfig(path="x")})) is None
    other = {**written, "interactions": {"path": str(path), "item": "sku"}}
    with pytest.raises(CatalogError, match=r"catalog\.interactions\.item"):
        named_items(CatalogConfig.model_validate(other))
