"""Datasets of the Hugging Face library, read as the Arrow tables that they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from alignrec.pipeline.catalog.formats.format import FOLDER, TableFormat
from alignrec.pipeline.catalog.tables import Table, batch_rows
from alignrec.pipeline.errors import CatalogError


def open_dataset_folder(folder: Path) -> Table:
    """A dataset that `save_to_disk` wrote.

    Raises:
        CatalogError: the folder holds none.
    """
    import datasets  # slow to import

    try:
        loaded = datasets.load_from_disk(str(folder))
    except Exception as error:
        raise CatalogError(
            f"{folder} is a folder, but not a dataset that `save_to_disk` wrote: {error}"
        ) from None
    return table_of_dataset(loaded, str(folder))


def table_of_dataset(loaded: Any, where: str) -> Table:
    """The table of a dataset, or of the train split of several; pictures stay as they are stored.

    Raises:
        CatalogError: there are several splits, and none is called train.
    """
    import datasets  # slow to import

    if isinstance(loaded, dict):
        if "train" not in loaded and len(loaded) != 1:
            raise CatalogError(f"{where} has the splits {', '.join(loaded)}, and none is called train.")
        loaded = loaded.get("train", next(iter(loaded.values())))
    for column, feature in loaded.features.items():
        if isinstance(feature, datasets.Image):
            loaded = loaded.cast_column(column, datasets.Image(decode=False))

    def read(columns: Sequence[str], start: int) -> Iterator[pa.RecordBatch]:
        selected = loaded.select_columns(list(columns)).with_format("arrow")
        rows = batch_rows(selected.data.nbytes, len(selected))
        for first in range(start, len(selected), rows):
            batch = selected[first : first + rows].select(list(columns))
            yield from batch.combine_chunks().to_batches()

    return Table(where, tuple(loaded.column_names), read)


DATASET_FOLDER = TableFormat(FOLDER, (), open_dataset_folder)
