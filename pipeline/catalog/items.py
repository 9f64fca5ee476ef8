"""Read a catalogue: which items there are, their texts, and where their pictures are."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from alignrec.core.display import shown
from alignrec.extractors.modality import IMAGE, Kind
from alignrec.pipeline.catalog.contents import Unusable, config_key, files_of, readers_of, source_columns
from alignrec.pipeline.catalog.file_cells import Root
from alignrec.pipeline.catalog.file_hashes import FileHashes
from alignrec.pipeline.catalog.inputs import IdList, Input, InputList
from alignrec.pipeline.catalog.object_stores import RemoteFolder
from alignrec.pipeline.catalog.reading_ahead import read_ahead
from alignrec.pipeline.catalog.rejections import Rejection, Rejections, reasons_with_examples
from alignrec.pipeline.catalog.sources.source import open_items
from alignrec.pipeline.catalog.tables import Conversion, Table
from alignrec.pipeline.catalog.values import Row, id_texts, text_values
from alignrec.pipeline.config.catalog import ItemsConfig, ModalityConfig, short_forms
from alignrec.pipeline.config.paths import named_split, split_scheme
from alignrec.pipeline.errors import CatalogError

STAGE = "extract"


@dataclass
class Catalogue:
    """The items of a catalogue, without their pictures' bytes.

    Attributes:
        item_ids: distinct ids, in the table's order.
        inputs: for each modality, what there is to embed, in the table's order; what an item has of one
            follows one another.
        rejections: rows, and modalities of rows, that cannot be used.
        rows: rows of the table.
        notes: how the table was understood, where that is not plain; for a person.
    """

    table: Table
    config: ItemsConfig
    item_ids: IdList = field(default_factory=IdList)
    inputs: dict[str, InputList] = field(default_factory=dict)
    rejections: Rejections = field(default_factory=Rejections)
    rows: int = 0
    notes: list[str] = field(default_factory=list)

    def reject(
        self, row: int, reason: str, detail: str, item_id: str | None, modality: str | None = None
    ) -> None:
        """List what cannot be used of a row."""
        self.rejections.append(
            Rejection("items", row, STAGE, reason, detail, item_id=item_id, modality=modality)
        )

    def embedded(
        self, columns: Sequence[str], start: int, stop: int, kind: Kind = IMAGE
    ) -> Iterator[tuple[int, int, bytes]]:
        """The files embedded in columns of rows `start` to `stop`: row, `Input.part` and bytes of each."""
        root = content_root(self.config)
        rows = islice(self.table.rows(list(columns), start), stop - start)
        for number, row in enumerate(rows, start=start):
            for part, file in enumerate(files_of(row, columns, root, kind)):
                if isinstance(file, bytes):
                    yield number, part, file


def open_catalogue(config: ItemsConfig) -> Catalogue:
    """A catalogue none of whose rows is read yet.

    Raises:
        CatalogError: the table is absent or damaged.
    """
    return Catalogue(open_items(config.path, image_root(config)), config)


def read_catalogue(
    config: ItemsConfig,
    hashes: FileHashes,
    modalities: Mapping[str, ModalityConfig] | None = None,
    *,
    may_lack: bool = False,
    only: Container[str] | None = None,
) -> Catalogue:
    """Read the items table once, row by row.

    Args:
        config: the table, and the short form of its modalities.
        hashes: of the files of pictures and sounds, as far as they are known.
        modalities: those that `catalog.modalities` names.
        may_lack: whether a modality, but not all of them, may be there for no item at all. In a catalogue to
            learn from that is a column of another kind; of a few new items it can be so.
        only: ids of the items that are kept; None for all.

    Raises:
        CatalogError: the table is absent, damaged or empty, or lacks a column that the config names.
        ConfigError: the text template is not made of plain `{column}`s.
    """
    catalogue = open_catalogue(config)
    table = catalogue.table
    modalities = modalities or {}
    root = content_root(config)
    readers = readers_of(config, modalities, root, hashes)
    needed = {"catalog.items.id": config.id}
    for name, reader in readers.items():
        needed |= reader.columns()
        catalogue.inputs[name] = InputList()
    table.require(needed)
    seen: set[str] = set()
    columns, others = list(dict.fromkeys(needed.values())), 0

    def wanted(row: Row) -> bool:
        return only is None or row[config.id] is None or row[config.id] in only

    rows = table.rows(columns, conversions=conversions(config, modalities))
    if isinstance(root, RemoteFolder):
        rows = read_ahead(rows, readers.values(), wanted)
    for number, row in enumerate(rows):
        catalogue.rows = number + 1
        if not wanted(row):
            others += 1
            continue
        item_id = _new_id(catalogue, number, row[config.id], seen)
        if item_id is None:
            continue
        for name, reader in readers.items():
            for found in reader.read(row):
                if isinstance(found, Unusable):
                    catalogue.reject(number, found.reason, found.detail, item_id, name)
                else:
                    one = Input(item_id, number, found.digest, found.value, found.part, found.text)
                    catalogue.inputs[name].append(one)
    catalogue.notes = [*table.notes, *(note for reader in readers.values() for note in reader.notes())]
    if others:
        catalogue.notes.append(f"{table.where}: {others:,} items that no interaction names are left out.")
    if not catalogue.item_ids:
        raise CatalogError(
            f"{table.where} has no usable item: {catalogue.rows} rows, none with an id"
            f"{' that an interaction names' if others else ''}."
            f"{reasons_with_examples(catalogue.rejections)}"
        )
    for modality, inputs in catalogue.inputs.items():
        if not inputs and may_lack and any(catalogue.inputs.values()):
            catalogue.notes.append(f"{table.where}: no item has {modality}.")
        elif not inputs:
            short = modality not in modalities
            without = "set it to null" if short else "take it out"
            raise CatalogError(
                f"{table.where}: not one of {len(catalogue.item_ids)} items has {modality}:"
                f"{reasons_with_examples(catalogue.rejections, modality)}\n"
                f"Check {config_key(modality, short=short)}, or {without} for a catalogue without."
            )
    return catalogue


def conversions(
    config: ItemsConfig, modalities: Mapping[str, ModalityConfig] | None = None
) -> dict[str, Conversion]:
    """What makes values of an items table's columns: ids of one, texts of those that templates name."""
    located = short_forms(config) | dict(modalities or {})
    fields = [name for one in located.values() if one.template for name in source_columns(one)]
    return dict.fromkeys(fields, text_values) | {config.id: item_ids}


def item_ids(column: pa.Array, where: str) -> list[Any]:
    """The texts of a column of ids, None where there is none: a `Conversion`."""
    ids: list[Any] = id_texts(column, where).to_pylist()
    return ids


def content_root(config: ItemsConfig) -> Root:
    """Where picture paths start, and which none may leave: `image_root`, or a folder at a URL."""
    url = config.image_root
    return RemoteFolder(url) if isinstance(url, str) else image_root(config)


def image_root(config: ItemsConfig) -> Path:
    """The folder of this machine that picture paths start from; the table's own where they are at a URL.

    Raises:
        CatalogError: the config names one that is not there.
    """
    if isinstance(config.image_root, Path):
        if not config.image_root.is_dir():
            raise CatalogError(f"catalog.items.image_root: there is no folder {config.image_root}.")
        return config.image_root
    path = Path(named_split(split_scheme(config.path)[1])[0])
    return path if path.is_dir() else path.parent


def _new_id(catalogue: Catalogue, number: int, item_id: str | None, seen: set[str]) -> str | None:
    """The id of a row, kept as one of the catalogue's; None, and a rejection, where it is not usable."""
    if item_id is None:
        catalogue.reject(number, "no-id", "there is nothing in its place that can be an id", None)
        return None
    if item_id in seen:
        catalogue.reject(number, "duplicate-id", f"the id {shown(item_id)} occurs before", item_id)
        return None
    seen.add(item_id)
    catalogue.item_ids.append(item_id)
    return item_id
