"""Intermediate tables: Arrow files, memory-mapped when read."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pyarrow as pa

from alignrec.core.files import replacing


def write_arrow(table: pa.Table, path: Path) -> None:
    """Write a table, whole or not at all; the bytes are the same whatever chunks it comes in."""
    with (
        replacing(path) as temporary,
        pa.OSFile(str(temporary), "wb") as sink,
        pa.ipc.new_file(sink, table.schema) as writer,
    ):
        writer.write_table(table.combine_chunks())


def table_sha256(table: pa.Table) -> str:
    """Hex SHA-256 of a table's content, as the bytes that `write_arrow` would write."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return hashlib.sha256(sink.getvalue()).hexdigest()


def read_arrow(path: Path) -> pa.Table:
    """Read a table; its columns point into the mapped file."""
    with pa.memory_map(str(path)) as source:
        return pa.ipc.open_file(source).read_all()
