"""Whole tables of the catalogue's tests, opened as a config names them."""

from __future__ import annotations

import gzip
from pathlib import Path

from alignrec.pipeline.catalog.sources.source import open_interactions, open_items
from alignrec.pipeline.catalog.values import Row


def item_rows(path: str, pictures: Path) -> list[Row]:
    """All rows of an items table."""
    table = open_items(path, pictures)
    return list(table.rows(table.columns))


def interaction_rows(path: str) -> list[Row]:
    """All rows of an interactions table."""
    table = open_interactions(path)
    return list(table.rows(table.columns))


def write_gzipped(path: Path, lines: list[str]) -> Path:
    """Lines in a gzipped file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress("".join(line + "\n" for line in lines).encode()))
    return path
