"""The pictures that a release was made of, read from its catalogue for a push that takes them along."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow.parquet as pq

from alignrec.core.files import digest_of_each
from alignrec.export.release.manifest import Manifest
from alignrec.extractors.modality import IMAGE
from alignrec.pipeline.catalog.file_hashes import FileHashes
from alignrec.pipeline.catalog.inputs import Input, InputList
from alignrec.pipeline.catalog.interactions import named_items
from alignrec.pipeline.catalog.items import Catalogue, read_catalogue
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.errors import CatalogError, ConfigError


def item_pictures(config: Config, release: Path) -> Iterator[tuple[str, bytes]]:
    """Every picture that the release's extraction could use, with its item, in the catalogue's order.

    Args:
        config: of the run that made the release.
        release: the release folder.

    Yields:
        (item id, the picture's bytes as its file or the table holds them).

    Raises:
        ConfigError: the catalogue has no pictures.
        CatalogError: it cannot be read, or its pictures are not those that the release was made of.
    """
    if config.catalog.items.image is None:
        raise ConfigError(
            "catalog.items.image is null: there are no pictures to take along but those of that column"
        )
    only = named_items(config.catalog)
    catalogue = read_catalogue(config.catalog.items, FileHashes(), only=only)
    inputs = catalogue.inputs[IMAGE.name]
    recorded = Manifest.read(release).provenance.get("catalogue", {}).get("inputs", {}).get(IMAGE.name)
    if recorded != digest_of_each([one.item_id, one.digest] for one in inputs):
        raise CatalogError(
            f"the pictures of {catalogue.table.where} are not those that {release} was made of: give the "
            "config of its run, or run it again"
        )
    unusable = _rejected(release)
    usable = InputList(one for one in inputs if one.item_id not in unusable)
    if any(isinstance(one.value, str) for one in usable):
        raise ConfigError(f"extract.image is {config.extract.image}: features were given, and no pictures")
    return _read(catalogue, usable)


def _rejected(release: Path) -> set[str]:
    """Items whose picture no model could read."""
    table = pq.read_table(release / "data" / "rejected.parquet", filters=[("modality", "=", IMAGE.name)])
    return set(table["item_id"].to_pylist())


def _read(catalogue: Catalogue, inputs: Sequence[Input]) -> Iterator[tuple[str, bytes]]:
    rows = [one.row for one in inputs if one.value is None]
    columns = [str(catalogue.config.image)]
    embedded = catalogue.embedded(columns, rows[0], rows[-1] + 1) if rows else iter(())
    for one in inputs:
        if one.value is not None:
            yield one.item_id, one.file_bytes()
        else:
            yield (
                one.item_id,
                one.checked(
                    next((data for row, part, data in embedded if (row, part) == (one.row, one.part)), None)
                ),
            )
