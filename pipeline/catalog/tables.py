"""Tables in the formats people have, read row by row or as a frame, ids never reinterpreted."""

from __future__ import annotations

import difflib
import gzip
import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any, cast

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from alignrec.core.errors import nearest_file
from alignrec.pipeline.errors import CatalogError

Row = dict[str, Any]
ROWS_AT_ONCE = 1024


@dataclass(frozen=True)
class Table:
    """An open table.

    Attributes:
        where: the file or dataset, for messages.
        columns: the names of its columns.
        rows: (columns, start, stop) to an iterator of those rows, each a dict of those columns;
            absent values are None. Reads as it goes.
    """

    where: str
    columns: tuple[str, ...]
    rows: Callable[[Sequence[str], int, int | None], Iterator[Row]]

    def require(self, columns: dict[str, str]) -> None:
        """Check that columns exist.

        Args:
            columns: from the config key that names a column to the column.

        Raises:
            CatalogError: one does not; the message names it, its key, and the columns there are.
        """
        for key, column in columns.items():
            if column in self.columns:
                continue
            near = difflib.get_close_matches(column, self.columns, n=1, cutoff=0.5)
            hint = f"Did you mean {near[0]!r}? " if near else ""
            raise CatalogError(
                f"{self.where} has no column {column!r}, which {key} names. {hint}"
                f"It has: {', '.join(self.columns) or 'none'}."
            )

    def frame(self, columns: Sequence[str]) -> pd.DataFrame:
        """The whole of some columns, in memory."""
        return pd.DataFrame(list(self.rows(columns, 0, None)), columns=list(columns), dtype=object)


def open_table(path: str) -> Table:
    """Open a table by its name's ending, a saved dataset's folder, or `hf:ORG/NAME` on the Hub.

    Raises:
        CatalogError: there is nothing there, it cannot be read, or the format is not known.
    """
    if path.startswith("hf:"):
        return _open_hub(path)
    file = Path(path)
    if file.is_dir():
        return _open_saved_dataset(file)
    if not file.exists():
        raise CatalogError(
            f"there is no table at {path}.{nearest_file(file)} The path starts from the config's folder."
        )
    endings = [suffix.lower() for suffix in file.suffixes[-2:]]
    ending = endings[-2] if len(endings) == 2 and endings[-1] == ".gz" else endings[-1] if endings else ""
    if ending not in OPENERS:
        raise CatalogError(
            f"{path}: the format of {ending or 'a name without ending'} is not known. Expected one of "
            f"{', '.join(OPENERS)}, the folder of a saved Hugging Face dataset, or hf:ORG/NAME."
        )
    return OPENERS[ending](file)


def _open_delimited(file: Path, separator: str) -> Table:
    options: dict[str, Any] = {"sep": separator, "dtype": str, "na_filter": False, "encoding": "utf-8-sig"}

    def records(columns: list[str]) -> Iterator[Row]:
        with readable(file), pd.read_csv(file, **options, chunksize=ROWS_AT_ONCE) as chunks:
            for chunk in chunks:
                for row in chunk[columns].to_dict("records"):
                    yield {k: v if isinstance(v, str) else None for k, v in row.items()}

    def rows(columns: Sequence[str], start: int, stop: int | None) -> Iterator[Row]:
        return islice(records(list(columns)), start, stop)

    with readable(file):
        header = pd.read_csv(file, **options, nrows=0)
    return Table(str(file), tuple(header.columns), rows)


def _open_atomic(file: Path) -> Table:
    """An atomic file of RecBole, whose header is `name:type`; MMRec's have no types."""
    table = _open_delimited(file, "\t")
    full = {name.partition(":")[0]: name for name in table.columns}
    kinds = {name: full[name].partition(":")[2] for name in full}

    def rows(columns: Sequence[str], start: int, stop: int | None) -> Iterator[Row]:
        for row in table.rows([full[name] for name in columns], start, stop):
            yield {name: _atomic(row[full[name]], kinds[name]) for name in columns}

    return Table(table.where, tuple(full), rows)


def _atomic(value: str | None, kind: str) -> str | None:
    """A field; of `token_seq`, a list of words, the words with single blanks between them."""
    return " ".join(value.split()) if value is not None and kind.endswith("_seq") else value


def _open_json_lines(file: Path) -> Table:
    def objects() -> Iterator[Row]:
        with readable(file), open_bytes(file) as lines:
            for number, line in enumerate(lines, start=1):
                if not line.strip():
                    continue
                try:
                    row = json.loads(line)
                except ValueError as error:
                    raise CatalogError(f"{file}, line {number}: not a JSON object ({error}).") from None
                if not isinstance(row, dict):
                    raise CatalogError(f"{file}, line {number}: expected a JSON object, got {line[:40]!r}.")
                yield row

    def rows(columns: Sequence[str], start: int, stop: int | None) -> Iterator[Row]:
        for row in islice(objects(), start, stop):
            yield {column: row.get(column) for column in columns}

    # A key may be left out of some objects, so the columns are those of all of them.
    columns: dict[str, None] = {}
    for row in objects():
        columns.update(dict.fromkeys(row))
    return Table(str(file), tuple(columns), rows)


def _open_parquet(file: Path) -> Table:
    with readable(file):
        parquet = pq.ParquetFile(file)
    groups = [parquet.metadata.row_group(i).num_rows for i in range(parquet.num_row_groups)]

    def rows(columns: Sequence[str], start: int, stop: int | None) -> Iterator[Row]:
        first = 0
        for group, count in enumerate(groups):
            if first + count > start and (stop is None or first < stop):
                number = first
                with readable(file):
                    batches = parquet.iter_batches(
                        ROWS_AT_ONCE // 8, row_groups=[group], columns=list(columns)
                    )
                    for batch in batches:
                        low, high = max(start - number, 0), batch.num_rows
                        high = high if stop is None else min(high, stop - number)
                        yield from batch.slice(low, max(high - low, 0)).to_pylist()
                        number += batch.num_rows
            first += count

    return Table(str(file), tuple(parquet.schema_arrow.names), rows)


def _open_saved_dataset(folder: Path) -> Table:
    import datasets

    try:
        loaded = datasets.load_from_disk(str(folder))
    except Exception as error:
        raise CatalogError(
            f"{folder} is a folder, but not a dataset that `save_to_disk` wrote: {error}"
        ) from None
    return _of_dataset(loaded, str(folder))


def _open_hub(path: str) -> Table:
    import datasets

    name, _, revision = path.removeprefix("hf:").partition("@")
    try:
        loaded = datasets.load_dataset(name, revision=revision or None)
    except Exception as error:
        raise CatalogError(f"the dataset {name!r} cannot be loaded from the Hub: {error}") from None
    return _of_dataset(loaded, path)


def _of_dataset(loaded: Any, where: str) -> Table:
    import datasets

    if isinstance(loaded, dict):
        if "train" not in loaded and len(loaded) != 1:
            raise CatalogError(f"{where} has the splits {', '.join(loaded)}, and none is called train.")
        loaded = loaded.get("train", next(iter(loaded.values())))
    for column, feature in loaded.features.items():
        if isinstance(feature, datasets.Image):
            loaded = loaded.cast_column(column, datasets.Image(decode=False))

    def rows(columns: Sequence[str], start: int, stop: int | None) -> Iterator[Row]:
        selected = loaded.select_columns(list(columns))
        for low in range(start, len(loaded) if stop is None else min(stop, len(loaded)), ROWS_AT_ONCE // 8):
            high = low + ROWS_AT_ONCE // 8
            yield from selected.select(range(low, min(high, stop or high, len(loaded))))

    return Table(where, tuple(loaded.column_names), rows)


@contextmanager
def readable(file: Path) -> Iterator[None]:
    """Turn what a reader raises on a damaged file into one clear error, with the line where there is one."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise CatalogError(
            f"{file}{_damaged_line(file)} is not UTF-8: {error}. Convert it, then run again."
        ) from None
    except pd.errors.EmptyDataError:
        raise CatalogError(f"{file} is empty: expected a header and rows.") from None
    except (ValueError, OSError, EOFError, zlib.error, pa.ArrowException) as error:
        reason = " ".join(str(error).split())
        raise CatalogError(f"{file}{_damaged_line(file)} cannot be read: {reason}") from None


def open_bytes(file: Path) -> IO[bytes]:
    """A file to be read line by line, gzipped if its name says so."""
    return cast("IO[bytes]", gzip.open(file)) if file.suffix == ".gz" else file.open("rb")


def _damaged_line(file: Path) -> str:
    """Where a text file stops being readable, as the middle of a message; "" where it does not."""
    if file.suffix == ".parquet":
        return ""
    number = 0
    try:
        with open_bytes(file) as lines:
            for number, line in enumerate(lines, start=1):  # noqa: B007
                line.decode("utf-8")
    except UnicodeDecodeError:
        return f", line {number},"
    except (OSError, EOFError, zlib.error):
        return f", after line {number},"
    return ""


OPENERS: dict[str, Callable[[Path], Table]] = {
    ".csv": lambda file: _open_delimited(file, ","),
    ".tsv": lambda file: _open_delimited(file, "\t"),
    ".inter": _open_atomic,
    ".item": _open_atomic,
    ".jsonl": _open_json_lines,
    ".ndjson": _open_json_lines,
    ".parquet": _open_parquet,
}
