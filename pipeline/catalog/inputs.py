"""The items of a catalogue, and what it gives extractors: a picture, a sound or a text each."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from alignrec.core.files import digest
from alignrec.pipeline.catalog.arrow_list import ArrowList
from alignrec.pipeline.catalog.file_refs import read_file
from alignrec.pipeline.catalog.object_stores import RemoteFile
from alignrec.pipeline.errors import InputsChangedError


@dataclass(frozen=True, slots=True)
class Input:
    """What one modality of one item gives an extractor, or one picture, sound or text of several.

    Attributes:
        item_id: the item.
        row: its row in the items table.
        digest: hex SHA-256 of the file's bytes or of the text.
        value: the text, the file of a picture or sound, None for one embedded in the table, or the row of a
            given feature matrix.
        part: which of the item's pictures, sounds or texts it is, from 0.
        text: of a pair, what goes with the picture that the others are of; None where there is no picture or
            no text, and `value` is the one that there is.
    """

    item_id: str
    row: int
    digest: str
    value: str | Path | RemoteFile | None
    part: int = 0
    text: str | None = None

    @property
    def content(self) -> str:
        """Hex SHA-256 that tells all that a model reads of it."""
        return self.digest if self.text is None else digest([self.digest, self.text])

    def file_bytes(self) -> bytes:
        """What the file holds; raises as `checked`, and CatalogError where its store does not answer."""
        assert isinstance(self.value, Path | RemoteFile)
        try:
            return self.checked(read_file(self.value))
        except OSError as error:
            raise InputsChangedError(f"{self.value} cannot be read any more ({error.strerror})") from None

    def checked(self, data: bytes | None) -> bytes:
        """The same bytes of a file, if they are those that the digest is of.

        Raises:
            InputsChangedError: they are not.
        """
        if data is None or hashlib.sha256(data).hexdigest() != self.digest:
            where = self.value or f"what is in row {self.row} of the items table"
            raise InputsChangedError(f"{where} changed while the run went on")
        return data


class IdList(ArrowList[str]):
    """Ids of items, in the catalogue's order."""

    schema = pa.schema([pa.field("item_id", pa.string())])

    @staticmethod
    def to_cells(record: str) -> Sequence[Any]:
        """See `ArrowList`."""
        return (record,)

    @staticmethod
    def from_cells(item_id: str) -> str:
        """See `ArrowList`."""
        return item_id


class InputList(ArrowList[Input]):
    """Inputs of a modality, in the catalogue's order."""

    schema = pa.schema(
        [
            pa.field("item_id", pa.string(), nullable=False),
            pa.field("row", pa.int64(), nullable=False),
            pa.field("digest", pa.binary(32), nullable=False),
            pa.field("part", pa.int32(), nullable=False),
            pa.field("paired_with", pa.string()),
            # At most one of these; a path as the system has it, which need not be Unicode.
            pa.field("words", pa.string()),
            pa.field("path", pa.binary()),
            pa.field("remote", pa.string()),
        ]
    )

    @staticmethod
    def to_cells(record: Input) -> Sequence[Any]:
        """See `ArrowList`."""
        value = record.value
        words = value if isinstance(value, str) else None
        path = os.fsencode(value) if isinstance(value, Path) else None
        remote = json.dumps(astuple(value)) if isinstance(value, RemoteFile) else None
        content = bytes.fromhex(record.digest)
        return record.item_id, record.row, content, record.part, record.text, words, path, remote

    @staticmethod
    def from_cells(
        item_id: str,
        row: int,
        content: bytes,
        part: int,
        text: str | None,
        words: str | None,
        path: bytes | None,
        remote: str | None,
    ) -> Input:
        """See `ArrowList`."""
        value: str | Path | RemoteFile | None = words
        if path is not None:
            value = Path(os.fsdecode(path))
        elif remote is not None:
            value = RemoteFile(*json.loads(remote))
        return Input(item_id, row, content.hex(), value, part, text)

    def middle_text(self) -> str | None:
        """The text of middle length, of pairs' too; None where there is none."""
        table = self.table
        texts = pc.drop_null(pc.coalesce(table["paired_with"], table["words"]))
        lengths = pc.utf8_length(texts).to_numpy()
        if not len(lengths):
            return None
        found: str = texts[int(np.argsort(lengths, kind="stable")[len(lengths) // 2])].as_py()
        return found
