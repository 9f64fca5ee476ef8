"""Read a catalogue: which items there are, their texts, and where their pictures are."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from alignrec.core.display import shown
from alignrec.extractors.errors import RejectedError, TemplateError
from alignrec.extractors.inputs.images import MAX_BYTES
from alignrec.extractors.inputs.template import TextTemplate
from alignrec.extractors.inputs.text import clean_text
from alignrec.extractors.modality import IMAGE, MODALITIES, TEXT, Kind
from alignrec.pipeline.catalog.file_hashes import FileHashes
from alignrec.pipeline.catalog.image_cells import ImageRefError, pictures_in
from alignrec.pipeline.catalog.image_refs import file_error, find_image, read_image
from alignrec.pipeline.catalog.rejections import ABSENT, Rejection, Rejections, reasons_with_examples
from alignrec.pipeline.catalog.sources.source import open_items
from alignrec.pipeline.catalog.tables import Conversion, Table
from alignrec.pipeline.catalog.values import Row, id_texts, text_values
from alignrec.pipeline.config.paths import named_split, split_scheme
from alignrec.pipeline.config.settings import ItemsConfig
from alignrec.pipeline.errors import CatalogError, ConfigError, InputsChangedError

STAGE = "extract"


@dataclass(frozen=True)
class Input:
    """What one modality of one item gives an extractor.

    Attributes:
        item_id: the item.
        row: its row in the items table.
        digest: hex SHA-256 of the picture's bytes or of the text.
        value: the text, the picture's path, None for a picture embedded in the table, or the row of a
            given feature matrix.
    """

    item_id: str
    row: int
    digest: str
    value: str | Path | None

    def file_bytes(self) -> bytes:
        """What the picture's file holds; raises as `checked`."""
        assert isinstance(self.value, Path)
        try:
            return self.checked(read_image(self.value))
        except OSError as error:
            raise InputsChangedError(f"{self.value} cannot be read any more ({error.strerror})") from None

    def checked(self, data: bytes | None) -> bytes:
        """The same bytes of a picture, if they are those that the digest is of.

        Raises:
            InputsChangedError: they are not.
        """
        if data is None or hashlib.sha256(data).hexdigest() != self.digest:
            where = self.value or f"the picture in row {self.row} of the items table"
            raise InputsChangedError(f"{where} changed while the run went on")
        return data


@dataclass
class Catalogue:
    """The items of a catalogue, without their pictures' bytes.

    Attributes:
        item_ids: distinct ids, in the table's order.
        inputs: for each modality, what there is to embed, in the table's order.
        rejections: rows, and modalities of rows, that cannot be used.
        rows: rows of the table.
        notes: how the table was understood, where that is not plain; for a person.
    """

    table: Table
    config: ItemsConfig
    item_ids: list[str] = field(default_factory=list)
    inputs: dict[str, list[Input]] = field(default_factory=dict)
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

    def embedded(self, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        """The pictures embedded in rows `start` to `stop`, each with its row."""
        column, root = str(self.config.image), image_root(self.config)
        rows = islice(self.table.rows([column], start), stop - start)
        for number, row in enumerate(rows, start=start):
            try:
                first = next(iter(pictures_in(row[column], root)), None)
            except ImageRefError:
                continue
            if isinstance(first, bytes):
                yield number, first


def open_catalogue(config: ItemsConfig) -> Catalogue:
    """A catalogue none of whose rows is read yet.

    Raises:
        CatalogError: the table is absent or damaged.
    """
    return Catalogue(open_items(config.path, image_root(config)), config)


def read_catalogue(config: ItemsConfig, hashes: FileHashes, *, may_lack: bool = False) -> Catalogue:
    """Read the items table once, row by row.

    Args:
        config: the table, its columns and the text template.
        hashes: of the pictures' files, as far as they are known.
        may_lack: whether a modality, but not all of them, may be there for no item at all. In a catalogue to
            learn from that is a column of another kind; of a few new items it can be so.

    Raises:
        CatalogError: the table is absent, damaged or empty, or lacks a column that the config names.
        ConfigError: the text template is not made of plain `{column}`s.
    """
    catalogue = open_catalogue(config)
    table = catalogue.table
    readers = _readers(config, hashes)
    needed = {"catalog.items.id": config.id}
    for name, reader in readers.items():
        needed |= reader.columns(f"catalog.items.{name}")
        catalogue.inputs[name] = []
    table.require(needed)
    seen: set[str] = set()
    for number, row in enumerate(table.rows(list(needed.values()), conversions=conversions(config))):
        catalogue.rows = number + 1
        item_id = _new_id(catalogue, number, row[config.id], seen)
        if item_id is None:
            continue
        for name, reader in readers.items():
            try:
                digest, value = reader.read(row)
            except _UnusableError as error:
                catalogue.reject(number, error.reason, str(error), item_id, name)
            else:
                catalogue.inputs[name].append(Input(item_id, number, digest, value))
    catalogue.notes = [*table.notes, *(note for reader in readers.values() for note in reader.notes())]
    if not catalogue.item_ids:
        raise CatalogError(
            f"{table.where} has no usable item: {catalogue.rows} rows, none with an id."
            f"{reasons_with_examples(catalogue.rejections)}"
        )
    for modality, inputs in catalogue.inputs.items():
        if not inputs and may_lack and any(catalogue.inputs.values()):
            catalogue.notes.append(f"{table.where}: no item has {modality}.")
        elif not inputs:
            raise CatalogError(
                f"{table.where}: not one of {len(catalogue.item_ids)} items has {modality}:"
                f"{reasons_with_examples(catalogue.rejections, modality)}\n"
                f"Check catalog.items.{modality}, or set it to null for a catalogue without."
            )
    return catalogue


def conversions(config: ItemsConfig) -> dict[str, Conversion]:
    """What makes values of an items table's columns: ids of one, texts of those that the template names."""
    fields = TextTemplate(config.text).fields if config.text else ()
    return dict.fromkeys(fields, text_values) | {config.id: _ids}


def _ids(column: pa.Array, where: str) -> list[Any]:
    ids: list[Any] = id_texts(column, where).to_pylist()
    return ids


def image_root(config: ItemsConfig) -> Path:
    """The folder that picture paths start from and none may leave.

    Raises:
        CatalogError: the config names one that is not there.
    """
    if config.image_root is not None:
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


class _UnusableError(Exception):
    """A row has nothing to embed of a modality; `reason` is a slug for counting."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class _Reader(Protocol):
    """Reads one modality of a row, as its kind wants."""

    def columns(self, key: str) -> dict[str, str]:
        """The columns that it reads, by the config's key (or a part of it) that names each."""

    def read(self, row: Row) -> tuple[str, str | Path | None]:
        """The hash and the value of an `Input`; raises `_UnusableError`."""

    def notes(self) -> list[str]:
        """How what was read was understood, where that is not plain; for a person."""


class _ImageReader:
    """Reads a column of image references."""

    def __init__(self, column: str, config: ItemsConfig, hashes: FileHashes) -> None:
        self.column, self.root, self.hashes = column, image_root(config), hashes
        self.linked, self.several = config.linked_folders, 0

    def columns(self, key: str) -> dict[str, str]:
        return {key: self.column}

    def read(self, row: Row) -> tuple[str, str | Path | None]:
        try:
            return self._read(row[self.column])
        except ImageRefError as error:
            raise _UnusableError(error.reason, str(error)) from None

    def notes(self) -> list[str]:
        what = f"{self.several:,} items name several pictures in {self.column!r}: the first of each is read."
        return [what] if self.several else []

    def _read(self, cell: Any) -> tuple[str, str | Path | None]:
        image = find_image(cell, self.root, self.linked)
        if image is None:
            raise _UnusableError(ABSENT, "the item names no image")
        self.several += image.more > 0
        if image.row is not None:
            return hashlib.sha256(str(image.row).encode()).hexdigest(), str(image.row)
        if image.path is not None:
            try:
                return self.hashes.sha256(image.path, MAX_BYTES), image.path
            except OSError as error:
                raise file_error(error, str(cell)) from None
        return hashlib.sha256(image.embedded or b"").hexdigest(), None


class _TextReader:
    """Fills a text template."""

    def __init__(self, template: str, config: ItemsConfig, hashes: FileHashes) -> None:  # noqa: ARG002
        self.template = TextTemplate(template)

    def columns(self, key: str) -> dict[str, str]:
        return {f"{key} ({{{name}}})": name for name in self.template.fields}

    def read(self, row: Row) -> tuple[str, str | Path | None]:
        try:
            text = clean_text(self.template.render(row))
        except RejectedError as error:
            reason = ABSENT if error.reason == "empty" else error.reason
            raise _UnusableError(reason, error.detail) from None
        return hashlib.sha256(text.encode()).hexdigest(), text

    def notes(self) -> list[str]:
        return []


_READERS: dict[Kind, Callable[[str, ItemsConfig, FileHashes], _Reader]] = {
    IMAGE: _ImageReader,
    TEXT: _TextReader,
}


def _readers(config: ItemsConfig, hashes: FileHashes) -> dict[str, _Reader]:
    """A reader for each modality that the config locates in the table.

    Raises:
        ConfigError: a text template is not made of plain `{column}`s.
    """
    readers = {}
    for modality in MODALITIES.values():
        location = getattr(config, modality.name)
        if location is None:
            continue
        try:
            readers[modality.name] = _READERS[modality.kind](location, config, hashes)
        except TemplateError as error:
            raise ConfigError(f"catalog.items.{modality.name}: {error}") from None
    return readers
