"""Datasets of the Hugging Face library, read as the Arrow tables that they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from alignrec.core.errors import suggest
from alignrec.pipeline.catalog.formats.features import with_names
from alignrec.pipeline.catalog.formats.format import FOLDER, TableFormat
from alignrec.pipeline.catalog.tables import Table, batch_rows
from alignrec.pipeline.config.paths import named_split
from alignrec.pipeline.errors import CatalogError


def open_dataset_folder(path: Path) -> Table:
    """A dataset that `save_to_disk` wrote: all of its splits, or the one whose name follows `#`.

    Raises:
        CatalogError: the folder holds none, or has no such split.
    """
    import datasets  # slow to import

    folder, split = named_split(str(path))
    try:
        loaded = datasets.load_from_disk(folder)
    except Exception as error:
        raise CatalogError(
            f"{folder} is a folder, but not a dataset that `save_to_disk` wrote: {error}"
        ) from None
    return table_of_dataset(loaded, folder, split)


def table_of_dataset(loaded: Any, where: str, split: str = "") -> Table:
    """The table of a dataset; pictures and sounds stay as they are stored.

    Args:
        loaded: a dataset, or several by the names of their splits.
        where: its folder or name, for messages.
        split: the one to read; by default all, one after the other.

    Raises:
        CatalogError: there is no such split, or splits do not have the same columns.
    """
    import datasets  # slow to import

    splits = dict(loaded) if isinstance(loaded, dict) else {str(loaded.split or "train"): loaded}
    if split and split not in splits:
        raise CatalogError(
            f"{where} has no split {split!r}; {suggest(split, splits)}. It has: {', '.join(splits)}."
        )
    notes = () if split or len(splits) == 1 else (f"{where}: all splits are read, {_sizes(splits)} rows.",)
    loaded = splits[split] if split else _joined(splits, where)
    for column, feature in loaded.features.items():
        if isinstance(feature, datasets.Image | datasets.Audio):
            loaded = loaded.cast_column(column, type(feature)(decode=False))

    features = loaded.features.to_dict()

    def read(columns: Sequence[str], start: int) -> Iterator[pa.RecordBatch]:
        selected = loaded.select_columns(list(columns)).with_format("arrow")
        rows = batch_rows(selected.data.nbytes, len(selected))
        for first in range(start, len(selected), rows):
            batch = selected[first : first + rows].select(list(columns))
            yield from (with_names(part, features) for part in batch.combine_chunks().to_batches())

    return Table(where, tuple(loaded.column_names), read, notes)


def _joined(splits: Mapping[str, Any], where: str) -> Any:
    """One dataset of all splits.

    Raises:
        CatalogError: their columns, or the types of these, are not the same.
    """
    import datasets  # slow to import

    (first, one), *others = splits.items()
    for name, other in others:
        if set(other.column_names) != set(one.column_names):
            raise CatalogError(
                f"{where}: its splits do not have the same columns: {first} has "
                f"{', '.join(one.column_names)}; {name} has {', '.join(other.column_names)}. "
                f"Name one: {where}#{first}"
            )
    try:
        return datasets.concatenate_datasets(list(splits.values()))
    except (ValueError, TypeError, pa.ArrowException) as error:
        reason = " ".join(str(error).split())
        raise CatalogError(
            f"{where}: its splits {', '.join(splits)} do not go together: {reason:.300} "
            f"Name one: {where}#{first}"
        ) from None


def _sizes(splits: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {len(part):,}" for name, part in splits.items())


DATASET_FOLDER = TableFormat(FOLDER, (), open_dataset_folder)
