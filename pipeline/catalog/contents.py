"""What a row of the items table gives of each modality: files that columns name or hold, filled templates."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from alignrec.extractors.errors import RejectedError, TemplateError
from alignrec.extractors.inputs.images import MAX_BYTES
from alignrec.extractors.inputs.template import TextTemplate
from alignrec.extractors.inputs.text import clean_text
from alignrec.extractors.modality import AUDIO, IMAGE, KINDS, PAIR, TEXT, Kind
from alignrec.pipeline.catalog.file_cells import FileRefError, Root, each_file
from alignrec.pipeline.catalog.file_hashes import FileHashes
from alignrec.pipeline.catalog.file_refs import file_error, find_file
from alignrec.pipeline.catalog.object_stores import RemoteFile
from alignrec.pipeline.catalog.rejections import ABSENT
from alignrec.pipeline.catalog.values import Row
from alignrec.pipeline.config.catalog import ItemsConfig, ModalityConfig, short_forms
from alignrec.pipeline.errors import ConfigError

MOST_PARTS = 16  # pictures, or sounds, of an item and modality that are read


@dataclass(frozen=True)
class Content:
    """A picture, a sound or a text of a row.

    Attributes:
        part: which one of the row's, from 0, counted with those that cannot be used.
        digest: hex SHA-256 of the file's bytes or of the text.
        value: as `Input.value`.
        text: as `Input.text`.
    """

    part: int
    digest: str
    value: str | Path | RemoteFile | None
    text: str | None = None


@dataclass(frozen=True)
class Unusable:
    """What a row has in place of a picture, a sound or a text; `reason` is a slug for counting."""

    reason: str
    detail: str


class Reader(Protocol):
    """Reads one modality of a row, as its kind wants."""

    def columns(self) -> dict[str, str]:
        """The columns that it reads, by the config's key (and what more tells them apart) that names each."""

    def read(self, row: Row) -> Iterator[Content | Unusable]:
        """All that the row has of the modality, in order; at least one, if only to say that there is none."""

    def hash_ahead(self, row: Row) -> None:
        """Hash the files that `read` will ask for; several rows at a time, in threads."""

    def notes(self) -> list[str]:
        """How what was read was understood, where that is not plain; for a person."""


def readers_of(
    config: ItemsConfig, modalities: Mapping[str, ModalityConfig], root: Root, hashes: FileHashes
) -> dict[str, Reader]:
    """A reader for each modality of a catalogue.

    Args:
        config: the items table; its short forms come first.
        modalities: those that `catalog.modalities` names.
        root: the folder that paths start from.
        hashes: of the files, as far as they are known.

    Raises:
        ConfigError: a text template is not made of plain `{column}`s.
    """
    readers = {}
    for name, located in (short_forms(config) | dict(modalities)).items():
        key = config_key(name, short=name not in modalities)
        at = Place(
            key, located, root, config.linked_folders, hashes, 1 if name not in modalities else MOST_PARTS
        )
        try:
            readers[name] = READERS[KINDS[located.type]](at)
        except TemplateError as error:
            raise ConfigError(f"{key}: {error}") from None
    return readers


def config_key(name: str, *, short: bool) -> str:
    """The key of a config that says where a modality is."""
    return f"catalog.items.{name}" if short else f"catalog.modalities.{name}"


@dataclass(frozen=True)
class Place:
    """Where a modality's content is, and what reading it takes.

    Attributes:
        key: of the config.
        located: what the config says there.
        root: the folder that paths start from.
        linked: folders outside of it that paths may lead into.
        hashes: of files.
        most: pictures, or sounds, of an item that are read.
    """

    key: str
    located: ModalityConfig
    root: Root
    linked: Sequence[Path]
    hashes: FileHashes
    most: int


def files_of(row: Row, columns: Sequence[str], root: Root, kind: Kind = IMAGE) -> list[Any]:
    """All pictures, or sounds, that a row names or holds, column by column, as `each_file` has them."""
    return [file for column in columns for file in each_file(row[column], root, kind)]


class Files:
    """Reads columns of pictures or sounds: references to files, or files in the table."""

    def __init__(self, at: Place) -> None:
        """Read from where the config says."""
        self.at, self.longer, self.kind = at, 0, KINDS[at.located.type]

    def columns(self) -> dict[str, str]:
        """See `Reader.columns`."""
        return _keys(self.at.key, self.at.located.columns, self.at.located.columns)

    def read(self, row: Row) -> Iterator[Content | Unusable]:
        """See `Reader.read`."""
        files = files_of(row, self.at.located.columns, self.at.root, self.kind)
        if not files:
            yield Unusable(ABSENT, f"the item names no {self.kind.name}")
        self.longer += len(files) > self.at.most
        for part, file in enumerate(islice(files, self.at.most)):
            try:
                digest, value = self._read(file)
            except FileRefError as error:
                yield Unusable(error.reason, str(error))
            else:
                yield Content(part, digest, value)

    def hash_ahead(self, row: Row) -> None:
        """See `Reader.hash_ahead`; what is unusable is told by `read`."""
        files = files_of(row, self.at.located.columns, self.at.root, self.kind)
        for file in islice(files, self.at.most):
            with suppress(FileRefError):
                self._read(file)

    def notes(self) -> list[str]:
        """See `Reader.notes`."""
        if not self.longer:
            return []
        columns, most = " and ".join(map(repr, self.at.located.columns)), self.at.most
        noun = f"{self.kind.noun}s"
        if most == 1:
            return [f"{self.longer:,} items name several {noun} in {columns}: the first of each is read."]
        return [
            f"{self.longer:,} items name more than {most} {noun} in {columns}: the first {most} are read."
        ]

    def _read(self, file: Any) -> tuple[str, str | Path | RemoteFile | None]:
        found = find_file(file, self.at.root, self.at.linked, self.kind)
        if found.row is not None:
            return hashlib.sha256(str(found.row).encode()).hexdigest(), str(found.row)
        if found.path is not None:
            try:
                return self.at.hashes.sha256(found.path, MAX_BYTES), found.path
            except OSError as error:
                raise file_error(error, str(file)) from None
        return hashlib.sha256(found.embedded or b"").hexdigest(), None


class Texts:
    """Fills text templates."""

    def __init__(self, at: Place) -> None:
        """Read what the templates name; raises `TemplateError`."""
        self.key, self.templates = at.key, [TextTemplate(template) for template in at.located.template]

    def columns(self) -> dict[str, str]:
        """See `Reader.columns`."""
        names = [name for template in self.templates for name in template.fields]
        return {f"{self.key} ({{{name}}})": name for name in names}

    def read(self, row: Row) -> Iterator[Content | Unusable]:
        """See `Reader.read`."""
        found = [self._read(part, template, row) for part, template in enumerate(self.templates)]
        there = [one for one in found if isinstance(one, Content) or one.reason != ABSENT]
        yield from there or found[:1]

    def hash_ahead(self, row: Row) -> None:
        """Nothing: a text is no file."""

    def notes(self) -> list[str]:
        """See `Reader.notes`."""
        return []

    def _read(self, part: int, template: TextTemplate, row: Row) -> Content | Unusable:
        try:
            text = clean_text(template.render(row))
        except RejectedError as error:
            return Unusable(ABSENT if error.reason == "empty" else error.reason, error.detail)
        return Content(part, hashlib.sha256(text.encode()).hexdigest(), text)


class Pairs:
    """Reads a picture of a column with the text of a template; one of the two may be missing."""

    def __init__(self, at: Place) -> None:
        """Read from where the config says; raises `TemplateError`."""
        located = at.located.model_copy(update={"type": IMAGE.name})
        self.key, self.pictures, self.texts = at.key, Files(replace(at, located=located, most=1)), Texts(at)

    def columns(self) -> dict[str, str]:
        """See `Reader.columns`."""
        return self.pictures.columns() | self.texts.columns()

    def read(self, row: Row) -> Iterator[Content | Unusable]:
        """See `Reader.read`; what is unusable of the two is told beside the one that is there."""
        picture, text = next(self.pictures.read(row)), next(self.texts.read(row))
        yield from (one for one in (picture, text) if isinstance(one, Unusable) and one.reason != ABSENT)
        if isinstance(picture, Content) and isinstance(picture.value, str):
            raise ConfigError(f"{self.key}: a pair needs pictures, and the table has rows of given features")
        if isinstance(picture, Content) and isinstance(text, Content):
            yield replace(picture, text=str(text.value))
        elif isinstance(picture, Content) or isinstance(text, Content):
            yield picture if isinstance(picture, Content) else text
        elif picture.reason == text.reason == ABSENT:
            yield Unusable(ABSENT, "the item has neither a picture nor a text")

    def hash_ahead(self, row: Row) -> None:
        """See `Reader.hash_ahead`."""
        self.pictures.hash_ahead(row)

    def notes(self) -> list[str]:
        """See `Reader.notes`."""
        return self.pictures.notes()


READERS: dict[Kind, Callable[[Place], Reader]] = {IMAGE: Files, AUDIO: Files, TEXT: Texts, PAIR: Pairs}


def source_columns(located: ModalityConfig) -> tuple[str, ...]:
    """The columns of the items table that a modality is made of, each once.

    Raises:
        TemplateError: a text template is not made of plain `{column}`s.
    """
    fields = [name for template in located.template for name in TextTemplate(template).fields]
    return tuple(dict.fromkeys([*located.columns, *fields]))


def _keys(key: str, columns: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """Columns by the config's key; where it names several, by the key and what tells each apart."""
    if len(columns) == 1:
        return {key: columns[0]}
    return {f"{key} ({name})": column for name, column in zip(names, columns, strict=True)}
