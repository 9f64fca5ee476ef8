"""Intermediate tables: Arrow files, memory-mapped when read."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pyarrow as pa

from alignrec.core.files import replacing
from alignrec.core.sealed import sealed_content, sealing


def write_arrow(table: pa.Table, path: Path) -> None:
    """Write a table, whole or not at all; the bytes are the same whatever chunks it comes in."""
    with replacing(path) as temporary:
        _write(table, temporary)


def write_sealed_arrow(table: pa.Table, path: Path) -> None:
    """The same as a sealed file, for what is read before a manifest holds its hash."""
    with sealing(path) as temporary:
        _write(table, temporary)


def table_sha256(table: pa.Table) -> str:
    """Hex SHA-256 of a table's content, as the bytes that `write_arrow` would write."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return hashlib.sha256(sink.getvalue()).hexdigest()


def _write(table: pa.Table, path: Path) -> None:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())


def read_arrow(path: Path) -> pa.Table:
    """Read a table; its columns point into the mapped file."""
    with pa.memory_map(str(path)) as source:
        return pa.ipc.open_file(source).read_all()


def read_sealed_arrow(path: Path) -> pa.Table:
    """Read a table from a sealed file that is known to be whole; its columns point into the mapped file."""
    return pa.ipc.open_file(pa.BufferReader(pa.py_buffer(sealed_content(path)))).read_all()
