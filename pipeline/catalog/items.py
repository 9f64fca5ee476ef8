"""Read a catalogue: which items there are, their texts, and where their pictures are."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from alignrec.extractors.errors import RejectedError, TemplateError
from alignrec.extractors.inputs.template import TextTemplate
from alignrec.extractors.inputs.text import clean_text
from alignrec.pipeline.catalog.file_hashes import FileHashes
from alignrec.pipeline.catalog.image_refs import ImageRefError, find_image
from alignrec.pipeline.catalog.rejections import ABSENT, Rejection
from alignrec.pipeline.catalog.sources.source import open_items
from alignrec.pipeline.catalog.tables import Table
from alignrec.pipeline.catalog.values import id_text
from alignrec.pipeline.config.paths import split_scheme
from alignrec.pipeline.config.settings import ItemsConfig
from alignrec.pipeline.errors import CatalogError, ConfigError

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


@dataclass
class Catalogue:
    """The items of a catalogue, without their pictures' bytes.

    Attributes:
        item_ids: distinct ids, in the table's order.
        inputs: for each modality, what there is to embed, in the table's order.
        rejections: rows and sides that cannot be used.
        rows: rows of the table.
    """

    table: Table
    config: ItemsConfig
    item_ids: list[str] = field(default_factory=list)
    inputs: dict[str, list[Input]] = field(default_factory=dict)
    rejections: list[Rejection] = field(default_factory=list)
    rows: int = 0

    def embedded(self, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        """The pictures embedded in rows `start` to `stop`, each with its row."""
        column = str(self.config.image)
        rows = islice(self.table.rows([column], start), stop - start)
        for number, row in enumerate(rows, start=start):
            value = row[column]
            data = value.get("bytes") if isinstance(value, dict) else value
            if isinstance(data, bytes):
                yield number, data


def open_catalogue(config: ItemsConfig) -> Catalogue:
    """A catalogue none of whose rows is read yet.

    Raises:
        CatalogError: the table is absent or damaged.
    """
    return Catalogue(open_items(config.path, image_root(config)), config)


def read_catalogue(config: ItemsConfig, hashes: FileHashes) -> Catalogue:
    """Read the items table once, row by row.

    Args:
        config: the table, its columns and the text template.
        hashes: of the pictures' files, as far as they are known.

    Raises:
        CatalogError: the table is absent, damaged or empty, or lacks a column that the config names.
        ConfigError: the text template is not made of plain `{column}`s.
    """
    catalogue = open_catalogue(config)
    table = catalogue.table
    try:
        template = TextTemplate(config.text) if config.text is not None else None
    except TemplateError as error:
        raise ConfigError(f"catalog.items.text: {error}") from None
    needed = {"catalog.items.id": config.id}
    if config.image is not None:
        needed["catalog.items.image"] = config.image
    fields = list(template.fields) if template else []
    table.require(needed | {f"catalog.items.text ({{{name}}})": name for name in fields})
    reader = _RowReader(catalogue, template, image_root(config), hashes)
    columns = list(dict.fromkeys([*needed.values(), *fields]))
    for number, row in enumerate(table.rows(columns)):
        catalogue.rows = number + 1
        reader.read(number, row)
    if not catalogue.item_ids:
        raise CatalogError(f"{table.where} has no usable item: {catalogue.rows} rows, none with an id.")
    for modality, inputs in catalogue.inputs.items():
        if not inputs:
            raise CatalogError(
                f"{table.where}: not one of {len(catalogue.item_ids)} items has {modality}. Check "
                f"catalog.items.{modality}, or set it to null for a catalogue without."
            )
    return catalogue


def image_root(config: ItemsConfig) -> Path:
    """The folder that picture paths start from and none may leave.

    Raises:
        CatalogError: the config names one that is not there.
    """
    if config.image_root is not None:
        if not config.image_root.is_dir():
            raise CatalogError(f"catalog.items.image_root: there is no folder {config.image_root}.")
        return config.image_root
    path = Path(split_scheme(config.path)[1])
    return path if path.is_dir() else path.parent


class _RowReader:
    """Turns rows into inputs and rejections."""

    def __init__(
        self, catalogue: Catalogue, template: TextTemplate | None, root: Path, hashes: FileHashes
    ) -> None:
        self.catalogue, self.template, self.root, self.hashes = catalogue, template, root, hashes
        self.seen: set[str] = set()
        if catalogue.config.image is not None:
            catalogue.inputs["image"] = []
        if template is not None:
            catalogue.inputs["text"] = []

    def read(self, number: int, row: dict[str, Any]) -> None:
        raw = row[self.catalogue.config.id]
        item_id = id_text(raw)
        if item_id is None:
            self._reject(number, None, None, "no-id", f"the id is {raw!r:.60}")
        elif item_id in self.seen:
            self._reject(number, item_id, None, "duplicate-id", f"the id {item_id!r} occurs before")
        else:
            self.seen.add(item_id)
            self.catalogue.item_ids.append(item_id)
            self._read_image(number, item_id, row)
            self._read_text(number, item_id, row)

    def _read_image(self, number: int, item_id: str, row: dict[str, Any]) -> None:
        column = self.catalogue.config.image
        if column is None:
            return
        try:
            picture = find_image(row[column], self.root)
        except ImageRefError as error:
            self._reject(number, item_id, "image", error.reason, str(error))
            return
        if picture is None:
            self._reject(number, item_id, "image", ABSENT, "the item names no image")
            return
        value: str | Path | None
        if picture.row is not None:
            value = str(picture.row)
            digest = hashlib.sha256(value.encode()).hexdigest()
        elif picture.path is not None:
            value, digest = picture.path, self.hashes.sha256(picture.path)
        else:
            value, digest = None, hashlib.sha256(picture.embedded or b"").hexdigest()
        self.catalogue.inputs["image"].append(Input(item_id, number, digest, value))

    def _read_text(self, number: int, item_id: str, row: dict[str, Any]) -> None:
        if self.template is None:
            return
        try:
            text = clean_text(self.template.render(row))
        except RejectedError as error:
            reason = ABSENT if error.reason == "empty" else error.reason
            self._reject(number, item_id, "text", reason, error.detail)
            return
        digest = hashlib.sha256(text.encode()).hexdigest()
        self.catalogue.inputs["text"].append(Input(item_id, number, digest, text))

    def _reject(self, row: int, item_id: str | None, modality: str | None, reason: str, detail: str) -> None:
        self.catalogue.rejections.append(
            Rejection("items", row, STAGE, reason, detail, item_id=item_id, modality=modality)
        )
