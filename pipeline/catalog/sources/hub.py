"""Datasets on the Hugging Face Hub: `hf:ORG/NAME`, with `@REVISION` where it is not the newest."""

from __future__ import annotations

from pathlib import Path

from alignrec.pipeline.catalog.formats.dataset import table_of_dataset
from alignrec.pipeline.catalog.sources.source import Source
from alignrec.pipeline.catalog.tables import Table
from alignrec.pipeline.config.paths import HUB
from alignrec.pipeline.errors import CatalogError


def open_dataset(name: Path) -> Table:
    """The dataset of a repository, downloaded if it is not there yet.

    Raises:
        CatalogError: it cannot be loaded.
    """
    import datasets  # slow to import

    repository, _, revision = name.as_posix().partition("@")
    try:
        loaded = datasets.load_dataset(repository, revision=revision or None)
    except Exception as error:
        raise CatalogError(f"the dataset {repository!r} cannot be loaded from the Hub: {error}") from None
    return table_of_dataset(loaded, f"{HUB}:{name.as_posix()}")


def open_items(name: Path, _pictures: Path) -> Table:
    """The dataset, its rows items; raises as `open_dataset`."""
    return open_dataset(name)


DATASET = Source(HUB, open_items, open_dataset)
