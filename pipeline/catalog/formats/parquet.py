"""Parquet files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from alignrec.pipeline.catalog.files import PARQUET as MARK
from alignrec.pipeline.catalog.files import begins_as, readable
from alignrec.pipeline.catalog.formats.features import features_of, with_names
from alignrec.pipeline.catalog.formats.format import TableFormat
from alignrec.pipeline.catalog.tables import Table, batch_rows


def open_parquet(file: Path) -> Table:
    """A Parquet file; row groups before the first row asked for are not read.

    Raises:
        CatalogError: it is damaged, or something else.
    """
    with readable(file):
        begins_as(file, MARK)
        parquet = pq.ParquetFile(file)
    metadata = parquet.metadata
    features = features_of(parquet.schema_arrow)

    def read(columns: Sequence[str], start: int) -> Iterator[pa.RecordBatch]:
        group, skipped = 0, start
        while group < metadata.num_row_groups and metadata.row_group(group).num_rows <= skipped:
            skipped -= metadata.row_group(group).num_rows
            group += 1
        with readable(file):
            batches = parquet.iter_batches(
                batch_rows(_bytes(metadata, columns), metadata.num_rows),
                row_groups=range(group, metadata.num_row_groups),
                columns=list(columns),
            )
            for batch in batches:
                # Text that is not UTF-8 is found here, and not when somebody looks at it.
                batch.validate(full=True)
                if skipped < batch.num_rows:
                    yield with_names(batch.slice(skipped).select(list(columns)), features)
                skipped = max(skipped - batch.num_rows, 0)

    counts = Counter(parquet.schema_arrow.names)
    names = tuple(name for name, count in counts.items() if count == 1)
    return Table(str(file), names, read, repeated=frozenset(counts) - frozenset(names))


def _bytes(metadata: pq.FileMetaData, columns: Sequence[str]) -> int:
    """The size of some columns when they are read."""
    groups = (metadata.row_group(group) for group in range(metadata.num_row_groups))
    chunks = (group.column(column) for group in groups for column in range(group.num_columns))
    wanted = set(columns)
    return sum(c.total_uncompressed_size for c in chunks if c.path_in_schema.split(".")[0] in wanted)


PARQUET = TableFormat("Parquet", (".parquet",), open_parquet)
