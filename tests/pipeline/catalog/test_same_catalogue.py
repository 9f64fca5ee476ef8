"""Whoever writes a table, in whatever format, the same catalogue is read from it."""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import datasets
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alignrec.pipeline.catalog.file_hashes import FileHashes
from alignrec.pipeline.catalog.items import read_catalogue
from alignrec.pipeline.config.catalog import ItemsConfig

Columns = Mapping[str, list[Any]]
Writer = Callable[[Columns, Path], Path]

# What every format can hold: no NUL, no half character, no mark that only begins a file.
_TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0\ufeff"), max_size=12)
_PLAIN = st.text(st.characters(exclude_categories=("Cs",), exclude_characters='\0\ufeff\t\r\n"'), max_size=12)
_IDS = st.one_of(
    st.lists(_TEXT.filter(bool), min_size=1, max_size=8, unique=True),
    st.lists(st.from_regex(r"0{0,3}[0-9]{1,4}", fullmatch=True), min_size=1, max_size=8, unique=True),
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=8, unique=True),
)


@st.composite
def _columns(draw: st.DrawFn, texts: st.SearchStrategy[str] = _TEXT) -> Columns:
    ids = draw(_IDS if texts is _TEXT else st.lists(_PLAIN.filter(bool), min_size=1, max_size=8, unique=True))
    count = len(ids)
    titles = draw(st.lists(texts, min_size=count, max_size=count))
    years = draw(st.lists(st.integers(0, 2**53), min_size=count, max_size=count))
    return {"item_id": ids, "title": titles, "a year": years}


def _path(folder: Path, ending: str) -> Path:
    return folder / f"items{ending}"


def _arrow_parquet(columns: Columns, folder: Path, **kinds: pa.DataType) -> Path:
    arrays = {
        name: pa.array(values).cast(kinds.get(name, pa.array(values).type))
        for name, values in columns.items()
    }
    pq.write_table(pa.table(arrays), _path(folder, ".parquet"), row_group_size=3)
    return _path(folder, ".parquet")


def _arrow_parquet_bytes(columns: Columns, folder: Path) -> Path:
    return _arrow_parquet(columns, folder, title=pa.large_binary())


def _arrow_parquet_dictionary(columns: Columns, folder: Path) -> Path:
    return _arrow_parquet(columns, folder, title=pa.dictionary(pa.int32(), pa.string()))


def _arrow_parquet_floats(columns: Columns, folder: Path) -> Path:
    return _arrow_parquet(columns, folder, **{"a year": pa.float64()})


def _feather(columns: Columns, folder: Path) -> Path:
    pd.DataFrame(columns).to_feather(_path(folder, ".feather"), compression="zstd")
    return _path(folder, ".feather")


def _arrow_stream(columns: Columns, folder: Path) -> Path:
    table = pa.table(dict(columns))
    with pa.ipc.new_stream(str(_path(folder, ".arrow")), table.schema) as writer:
        writer.write_table(table, max_chunksize=2)
    return _path(folder, ".arrow")


def _excel_csv_that_says_so(columns: Columns, folder: Path) -> Path:
    path = _pandas_excel_csv(columns, folder)
    path.write_bytes(codecs.BOM_UTF8 + b"sep=;\r\n" + path.read_bytes().removeprefix(codecs.BOM_UTF8))
    return path


def _arrow_csv(columns: Columns, folder: Path) -> Path:
    pa.csv.write_csv(pa.table(dict(columns)), _path(folder, ".csv"))
    return _path(folder, ".csv")


def _pandas_csv(columns: Columns, folder: Path) -> Path:
    pd.DataFrame(columns).to_csv(_path(folder, ".csv"), index=False, lineterminator="\r\n")
    return _path(folder, ".csv")


def _pandas_excel_csv(columns: Columns, folder: Path) -> Path:
    pd.DataFrame(columns).to_csv(
        _path(folder, ".csv"), index=False, sep=";", encoding="utf-8-sig", lineterminator="\r\n"
    )
    return _path(folder, ".csv")


def _pandas_utf16_csv(columns: Columns, folder: Path) -> Path:
    pd.DataFrame(columns).to_csv(_path(folder, ".csv.gz"), sep="|", encoding="utf-16", lineterminator="\r\n")
    return _path(folder, ".csv.gz")


def _pandas_parquet(columns: Columns, folder: Path) -> Path:
    pd.DataFrame(columns).set_index("item_id").to_parquet(_path(folder, ".parquet"))
    return _path(folder, ".parquet")


def _pandas_json_lines(columns: Columns, folder: Path) -> Path:
    pd.DataFrame(columns).to_json(_path(folder, ".jsonl"), orient="records", lines=True)
    return _path(folder, ".jsonl")


def _python_csv(**dialect: Any) -> Writer:
    def write(columns: Columns, folder: Path) -> Path:
        with _path(folder, ".csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, **dialect)
            writer.writerow(columns)
            writer.writerows(zip(*columns.values(), strict=True))
        return _path(folder, ".csv")

    return write


def _python_json_lines(columns: Columns, folder: Path) -> Path:
    rows = (dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))
    _path(folder, ".jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return _path(folder, ".jsonl")


def _datasets_folder(columns: Columns, folder: Path) -> Path:
    datasets.Dataset.from_dict(dict(columns)).save_to_disk(str(folder / "saved"))
    return folder / "saved"


def _tab_separated(ending: str) -> Writer:
    def write(columns: Columns, folder: Path) -> Path:
        rows = [columns, *zip(*columns.values(), strict=True)]
        text = "".join("\t".join(map(str, row)) + "\n" for row in rows)
        _path(folder, ending).write_bytes(text.encode())
        return _path(folder, ending)

    return write


WRITERS: dict[str, Writer] = {
    "pyarrow, Parquet": _arrow_parquet,
    "pyarrow, Parquet of bytes": _arrow_parquet_bytes,
    "pyarrow, Parquet of a dictionary": _arrow_parquet_dictionary,
    "pyarrow, Parquet of floats": _arrow_parquet_floats,
    "pyarrow, CSV": _arrow_csv,
    "pandas, CSV": _pandas_csv,
    "pandas, CSV as Excel has it": _pandas_excel_csv,
    "pandas, CSV whose first line says what parts fields": _excel_csv_that_says_so,
    "pandas, Feather": _feather,
    "pyarrow, Arrow stream": _arrow_stream,
    "pandas, CSV in UTF-16 with an index": _pandas_utf16_csv,
    "pandas, Parquet with ids as index": _pandas_parquet,
    "pandas, JSON Lines": _pandas_json_lines,
    "csv": _python_csv(),
    "csv, unix": _python_csv(dialect="unix"),
    "csv, all quoted, semicolons": _python_csv(quoting=csv.QUOTE_ALL, delimiter=";"),
    "csv, tabs, all quoted": _python_csv(quoting=csv.QUOTE_ALL, delimiter="\t"),
    "json": _python_json_lines,
    "datasets": _datasets_folder,
}
PLAIN_WRITERS = {ending: _tab_separated(ending) for ending in (".tsv", ".item", ".csv")}
QUICK = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def _catalogue(path: Path) -> tuple[list[str], dict[str, Any]]:
    """Ids, and texts by id."""
    config = ItemsConfig(path=str(path), image=None, text="{title} | {a year}!")
    catalogue = read_catalogue(config, FileHashes())
    assert catalogue.rejections == []
    return catalogue.item_ids, {one.item_id: one.value for one in catalogue.inputs["text"]}


def _check(write: Writer, columns: Columns, folder: Path) -> None:
    ids, texts = _catalogue(write(columns, folder))
    expected = [str(value) for value in columns["item_id"]]
    assert ids == expected
    reference = folder / "reference"
    reference.mkdir()
    rows = zip(expected, columns["title"], columns["a year"], strict=True)
    lines = (
        json.dumps({"item_id": i, "title": title, "a year": str(year)}) + "\n" for i, title, year in rows
    )
    (reference / "items.jsonl").write_text("".join(lines))
    assert (ids, texts) == _catalogue(reference / "items.jsonl")


@pytest.mark.parametrize("name", WRITERS)
@QUICK
@given(columns=_columns())
def test_every_writer_gives_the_same_catalogue(
    tmp_path_factory: pytest.TempPathFactory, name: str, columns: Columns
) -> None:
    _check(WRITERS[name], columns, tmp_path_factory.mktemp("items"))


@pytest.mark.parametrize("ending", PLAIN_WRITERS)
@QUICK
@given(columns=_columns(_PLAIN | st.sampled_from(['"a" b', '"', '"whole"', 'x"y'])))
def test_tab_separated_files_give_the_same_catalogue(
    tmp_path_factory: pytest.TempPathFactory, ending: str, columns: Columns
) -> None:
    _check(PLAIN_WRITERS[ending], columns, tmp_path_factory.mktemp("items"))
