"""Tables of every format that are spoilt: they are read, or are one of our errors."""

from __future__ import annotations

import json
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignrec.core.errors import AlignRecError
from alignrec.extractors.modality import AUDIO
from alignrec.pipeline.catalog.file_hashes import FileHashes
from alignrec.pipeline.catalog.interactions import read_interactions
from alignrec.pipeline.catalog.items import read_catalogue
from alignrec.pipeline.catalog.rankings import read_rankings
from alignrec.pipeline.catalog.sources.source import open_interactions, open_items
from alignrec.pipeline.catalog.tables import Table
from alignrec.pipeline.catalog.values import Row
from alignrec.pipeline.config.catalog import CatalogConfig, InteractionsConfig, ItemsConfig
from alignrec.pipeline.config.settings import SplitConfig
from alignrec.pipeline.stages import split
from tests.pipeline.spoilt import EDITS, FUZZ, PATHS, VALUES, Edit, edited, only_ours, replaced

ROWS = {
    "item_id": ["a", "b", "ж", "d"],
    "user_id": ["u", "v", "u", "w"],
    "title": ["One", 'two "2"', "three, or 3", ""],
    "time": ["2024-01-02", "2024-02-03T04:05:06Z", "2024-03-04", "2024-05-06"],
    "rank": ["1", "2", "3", "4"],
}


def _lines(separator: str) -> bytes:
    rows = [list(ROWS), *zip(*ROWS.values(), strict=True)]
    quoted = ([f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in row] for row in rows)
    return "".join(f"{separator.join(row)}\n" for row in quoted).encode()


def _parquet() -> bytes:
    out = BytesIO()
    pq.write_table(pa.table(ROWS), out)
    return out.getvalue()


OBJECTS = [dict(zip(ROWS, row, strict=True)) for row in zip(*ROWS.values(), strict=True)]
TABLES = {
    "csv": _lines(","),
    "tsv": _lines("\t"),
    "jsonl": b"".join(json.dumps(row).encode() + b"\n" for row in OBJECTS),
    "parquet": _parquet(),
}


def read_as_all(path: Path) -> None:
    """Read a table as items, as interactions and as lists of recommendations."""
    items = ItemsConfig(path=str(path), image="title", text="{title}")
    only_ours(lambda: read_catalogue(items, FileHashes()))
    log = InteractionsConfig(path=str(path), timestamp="time")
    only_ours(lambda: read_interactions(log, ROWS["item_id"]))
    only_ours(lambda: read_rankings(path))


@pytest.mark.parametrize("ending", TABLES)
@FUZZ
@given(st.data())
def test_tables(tmp_path: Path, ending: str, data: st.DataObject) -> None:
    path = tmp_path / f"table.{ending}"
    path.write_bytes(edited(TABLES[ending], data.draw(EDITS)))
    read_as_all(path)


WAVES = VALUES | st.fixed_dictionaries(
    {"array": VALUES | st.lists(st.floats(width=32)), "sampling_rate": VALUES}
)


@FUZZ
@given(st.lists(WAVES, min_size=1, max_size=4))
def test_cells_of_sounds_with_any_value(tmp_path: Path, cells: list[Any]) -> None:
    file = tmp_path / "table.jsonl"
    file.write_text("".join(f"{json.dumps({'item_id': str(n), 'a': one})}\n" for n, one in enumerate(cells)))
    config = CatalogConfig.model_validate(
        {"items": {"path": str(file)}, "modalities": {"a": {"type": "audio", "columns": "a"}}}
    )

    def read() -> None:
        catalogue = read_catalogue(config.items, FileHashes(), config.modalities)
        listed = {(one.row, one.part): one.digest for one in catalogue.inputs["a"] if one.value is None}
        held = {(row, part): data for row, part, data in catalogue.embedded(["a"], 0, len(cells), AUDIO)}
        assert {place: sha256(held[place]).hexdigest() for place in listed} == listed

    only_ours(read)


@FUZZ
@given(PATHS, VALUES, st.integers(0, 3))
def test_rows_of_json_lines_with_any_value(tmp_path: Path, path: list[int], new: Any, place: int) -> None:
    rows: list[Any] = [*OBJECTS[:place], replaced(OBJECTS[place], path or [0], new), *OBJECTS[place + 1 :]]
    file = tmp_path / "table.jsonl"
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    read_as_all(file)


FLAGS = "|".join("1" if n in (3, 4) else "0" for n in range(19)).encode()
# Of each published catalogue its files; the first are the items, the last the interactions.
PUBLISHED = {
    "amazon-2018": {
        "meta.json": b'{"asin": "1", "title": "One", "category": ["a", ["b"]], "brand": "x"}\n',
        "reviews.json": b'{"asin": "1", "reviewerID": "u", "overall": 5.0, "unixReviewTime": 1500000000}\n',
    },
    "amazon-2014": {
        "meta.json": b"{'asin': '1', 'title': 'One', 'categories': [['a', 'b']], 'imUrl': 'x'}\n",
        "reviews.json": b'{"asin": "1", "reviewerID": "u", "overall": 5.0, "unixReviewTime": 1500000000}\n',
    },
    "movielens": {
        "movies.csv": b'movieId,title,genres\r\n1,"Toy Story, The (1995)",Animation|Comedy\r\n',
        "ratings.csv": b"userId,movieId,rating,timestamp\r\n196,1,3.5,881250949\r\n",
    },
}
PUBLISHED["movielens-100k"] = {
    "u.item": b"1|Toy Story (1995)|01-Jan-1995||http://us.imdb.com/x|" + FLAGS + b"\n",
    "u.data": b"196\t1\t3\t881250949\n",
}
DENSE = {
    "a.inter": b"userID\titemID\trating\ttimestamp\tx_label\n0\t0\t1\t5\t0\n1\t1\t1\t5\t2\n",
    "i_id_mapping.csv": b"asin\titemID\na\t0\nb\t1\n",
    "u_id_mapping.csv": b"user_id\tuserID\nu\t0\nv\t1\n",
}


def all_rows(table: Table) -> list[Row]:
    """Every row of a table, with all of its columns."""
    return list(table.rows(table.columns))


@pytest.mark.parametrize("source", PUBLISHED)
@FUZZ
@given(EDITS, st.booleans())
def test_published_catalogues(tmp_path: Path, source: str, edits: list[Edit], first: bool) -> None:
    (items, metadata), (log, reviews) = PUBLISHED[source].items()
    (tmp_path / items).write_bytes(edited(metadata, edits) if first else metadata)
    (tmp_path / log).write_bytes(reviews if first else edited(reviews, edits))
    scheme = source.removesuffix("-100k")
    only_ours(lambda: all_rows(open_items(f"{scheme}:{tmp_path / items}", tmp_path)))
    only_ours(lambda: all_rows(open_interactions(f"{scheme}:{tmp_path / log}")))


@FUZZ
@given(EDITS, st.sampled_from(list(DENSE)))
def test_dense_ids_and_their_maps(tmp_path: Path, edits: list[Edit], spoilt: str) -> None:
    for name, data in DENSE.items():
        (tmp_path / name).write_bytes(edited(data, edits) if name == spoilt else data)
    only_ours(lambda: all_rows(open_items(f"mmrec:{tmp_path}", tmp_path)))
    only_ours(lambda: all_rows(open_interactions(f"mmrec:{tmp_path}")))
    paths = {key: tmp_path / name for key, name in zip(("path", "items", "users"), DENSE, strict=True)}
    only_ours(lambda: split._read(SplitConfig(method="mmrec", **paths), ["a", "b"], {"a": 0, "b": 1}))


def test_a_dense_id_beyond_any_table_takes_no_memory(tmp_path: Path) -> None:
    for name, data in DENSE.items():
        (tmp_path / name).write_bytes(data.replace(b"\n1\t1\t", b"\n1\t100000000000000000\t"))
    paths = {key: tmp_path / name for key, name in zip(("path", "items", "users"), DENSE, strict=True)}
    with pytest.raises(AlignRecError, match="has no id for 99,999,999,999,999,999 of the numbers"):
        split._read(SplitConfig(method="mmrec", **paths), ["a", "b"], {"a": 0, "b": 1})


def test_fields_without_end_are_one_error(tmp_path: Path) -> None:
    """A field may have 131,072 characters, by the limit of Python's csv."""
    long = b"9" * 200_000
    for name, data in DENSE.items():
        (tmp_path / name).write_bytes(data)
    for name in DENSE:
        (tmp_path / name).write_bytes(
            DENSE[name].replace(b"\n1\t", b"\n" + long + b"\t", 1) + long + b"\t1\n"
        )
        with pytest.raises(AlignRecError) as caught:
            all_rows(open_interactions(f"mmrec:{tmp_path}"))
        assert len(str(caught.value)) < 4000
        (tmp_path / name).write_bytes(DENSE[name])
    (tmp_path / "movies.csv").write_bytes(b"movieId,title,genres\n1," + long + b",x\n")
    with pytest.raises(AlignRecError, match="field larger than field limit"):
        all_rows(open_items(f"movielens:{tmp_path}/movies.csv", tmp_path))


def test_half_a_surrogate_pair_is_no_time_and_a_thousand_columns_make_no_page(tmp_path: Path) -> None:
    """What chance has found."""
    half = TABLES["jsonl"].replace(b"2024-02-03", b"2024\\ud800")
    for name, data in (("a.jsonl", half), ("b.csv", b"x," * 20_000 + TABLES["csv"])):
        (tmp_path / name).write_bytes(data)
        read_as_all(tmp_path / name)
