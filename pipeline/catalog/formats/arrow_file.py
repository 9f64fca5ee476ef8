"""Arrow files, Feather among them, and Arrow streams, which `datasets` keeps under the same ending."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from alignrec.pipeline.catalog.files import ARROW, begins_as, readable
from alignrec.pipeline.catalog.formats.features import features_of, with_names
from alignrec.pipeline.catalog.formats.format import TableFormat
from alignrec.pipeline.catalog.tables import Table, batch_rows

_STREAM = b"\xff\xff\xff\xff"


def open_arrow(file: Path) -> Table:
    """An Arrow file or stream, mapped into memory.

    Raises:
        CatalogError: it is damaged, or something else.
    """
    with readable(file):
        indexed = begins_as(file, ARROW, _STREAM) == ARROW
        schema = _open(file, indexed, None).schema
    features = features_of(schema)

    def read(columns: Sequence[str], start: int) -> Iterator[pa.RecordBatch]:
        skipped = start
        with readable(file):
            for batch in _batches(file, indexed, [schema.get_field_index(name) for name in columns]):
                # Text that is not UTF-8 is found here, and not when somebody looks at it.
                batch.validate(full=True)
                rows = batch_rows(batch.nbytes, batch.num_rows)
                for first in range(skipped, batch.num_rows, rows):
                    yield with_names(batch.slice(first, rows).select(list(columns)), features)
                skipped = max(skipped - batch.num_rows, 0)

    counts = Counter(schema.names)
    names = tuple(name for name, count in counts.items() if count == 1)
    return Table(str(file), names, read, repeated=frozenset(counts) - frozenset(names))


def _open(
    file: Path, indexed: bool, fields: Sequence[int] | None
) -> pa.ipc.RecordBatchFileReader | pa.ipc.RecordBatchStreamReader:
    options = pa.ipc.IpcReadOptions(included_fields=fields)
    return (pa.ipc.open_file if indexed else pa.ipc.open_stream)(pa.memory_map(str(file)), options=options)


def _batches(file: Path, indexed: bool, fields: Sequence[int]) -> Iterator[pa.RecordBatch]:
    """The batches of a file, of these columns alone."""
    reader = _open(file, indexed, fields)
    if isinstance(reader, pa.ipc.RecordBatchFileReader):
        yield from map(reader.get_batch, range(reader.num_record_batches))
    else:
        yield from reader


ARROW_FILE = TableFormat("Arrow", (".arrow", ".feather", ".ipc"), open_arrow)
