"""A release's manifest: what files it has, what they hold and where they came from."""

from __future__ import annotations

import hashlib
import types
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from alignrec.core.display import shown
from alignrec.core.documents import DocumentError, parse_as, read_bytes
from alignrec.core.features import Key
from alignrec.core.files import canonical_json, sha256_file
from alignrec.core.learned_from import LearnedFrom
from alignrec.core.names import Name, RelativePath, check_distinct
from alignrec.core.sealed import seal_json, unseal_json
from alignrec.export.errors import ReleaseError, VerificationError

FORMAT = 1
MANIFEST = "manifest.json"
# The parts of a release that its identity covers; metrics and the card may be rendered anew.
IDENTITY_FOLDERS = ("data/", "encoder/")
# Item pictures, which a push takes along only when asked to.
IMAGES = "images/"
# Numbers beyond these are no file's and no set's.
LARGEST, WIDEST = 1 << 50, 1 << 20


# What of the provenance is looked up by name, the types it may have beside null, and their words.
_PROVENANCE: Mapping[str, tuple[type, str]] = {
    "licence": (str, "a text"),
    "precision": (str, "a text"),
    "extends": (list, "a list of release ids"),
    "catalogue": (dict, "an object"),
    "extractors": (dict, "an object"),
    "identities": (dict, "an object"),
    "software": (dict, "an object"),
    "learned_from": (dict, "an object"),
}


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class FileEntry(_Frozen):
    """One file: its path inside the release, rows (null unless Parquet), bytes and SHA-256."""

    path: RelativePath
    rows: int | None = Field(ge=0, le=LARGEST)
    bytes: int = Field(ge=0, le=LARGEST)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class SetEntry(_Frozen):
    """One feature set: dimensions, dtype, rows, valid rows, and the name of its id column."""

    dim: int = Field(gt=0, le=WIDEST)
    dtype: Literal["float32"] = "float32"
    rows: int = Field(ge=0, le=LARGEST)
    valid: int = Field(ge=0)
    key: Key = "item_id"

    @model_validator(mode="after")
    def _consistent(self) -> SetEntry:
        if self.valid > self.rows:
            raise ValueError(f"{self.valid} of {self.rows} rows are valid")
        return self


class _LearnedFromEntry(BaseModel):
    """A set's entry under `learned_from` of the provenance, as `LearnedFrom` has it."""

    model_config = ConfigDict(frozen=True, strict=True)

    rule: str
    interactions: int = Field(ge=0, le=LARGEST)
    held_out: int = Field(ge=0, le=LARGEST)
    last: str | None = None


class Manifest(_Frozen):
    """The manifest of a release (format 1).

    `release_id` is the SHA-256 of the canonical JSON of the format and the file list of `data/` and
    `encoder/`, so equal content means equal id, whenever and wherever it was made.
    """

    format: Literal[1] = 1
    release_id: str
    files: tuple[FileEntry, ...]
    sets: dict[Name, SetEntry] = Field(min_length=1)
    provenance: dict[str, Any]
    # Of the file alone, and compared as it is read: the manifest without it says the same.
    sha256: str | None = Field(None, exclude=True, repr=False)

    @field_validator("provenance")
    @classmethod
    def _readable(cls, provenance: dict[str, Any]) -> dict[str, Any]:
        """What readers look up has the form they expect; the rest is anybody's."""
        for name, (kind, expected) in _PROVENANCE.items():
            if not isinstance(provenance.get(name), kind | types.NoneType):
                raise ValueError(f"{name} must be {expected}, got {provenance[name]!r:.40}")  # noqa: TRY004 (pydantic wants it)
        if not all(isinstance(one, str) for one in provenance.get("extends") or ()):
            raise ValueError("extends must be a list of release ids")
        for name, found in (provenance.get("learned_from") or {}).items():
            try:
                _LearnedFromEntry.model_validate(found)
            except ValidationError as error:
                fault = error.errors()[0]
                place = ".".join(map(str, (name, *fault["loc"])))
                raise ValueError(f"learned_from of {shown(place)}: {fault['msg']}") from None
        return provenance

    @model_validator(mode="after")
    def _consistent(self) -> Manifest:
        paths = [entry.path for entry in self.files]
        check_distinct([*paths, MANIFEST], "the file")
        check_distinct(self.sets, "the set")
        for name, entry in self.sets.items():
            rows = sum(part.rows or 0 for part in self.parts(name))
            if rows != entry.rows or not self.parts(name):
                raise ValueError(f"data/{name}: parts of {rows} rows, but the set has {entry.rows}")
        expected = release_id(self.files)
        if self.release_id != expected:
            raise ValueError(f"release_id is {self.release_id}, but its files make {expected}")
        return self

    @classmethod
    def make(
        cls, files: Iterable[FileEntry], sets: dict[str, SetEntry], provenance: dict[str, Any]
    ) -> Manifest:
        """A manifest over files, in path order, with the release id they make."""
        ordered = tuple(sorted(files, key=lambda entry: entry.path))
        return cls(release_id=release_id(ordered), files=ordered, sets=sets, provenance=provenance)

    @classmethod
    def from_bytes(cls, data: bytes, where: str = MANIFEST) -> Manifest:
        """Parse and check a manifest; one that holds no hash of itself, as older ones do, is read as well.

        Raises:
            VerificationError: it is not JSON of this format, a path leaves the release, the release id is
                not that of its files, or a byte of it is another than was written.
        """
        try:
            manifest = parse_as(cls, data)
            if manifest.sha256 is not None and unseal_json(data) is None:
                raise DocumentError("it is damaged, its content is not what its own SHA-256 covers")
        except DocumentError as error:
            raise VerificationError(
                f"{where} is not a valid release manifest: {error}. Fetch or export the release again."
            ) from None
        return manifest.model_copy(update={"sha256": None})

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """The manifest of a release folder.

        Raises:
            ReleaseError: the folder has no manifest.
            VerificationError: the manifest is not valid.
        """
        path = folder / MANIFEST
        try:
            data = read_bytes(path)
        except DocumentError as error:
            raise VerificationError(f"{path} is not a valid release manifest: {error}.") from None
        except (FileNotFoundError, NotADirectoryError):
            raise ReleaseError(
                f"{folder} is not a release: it has no {MANIFEST}. "
                "Expected a folder that `alignrec export` wrote."
            ) from None
        return cls.from_bytes(data, str(path))

    def to_bytes(self) -> bytes:
        """The manifest as the JSON text that is written, with its own hash: see `seal_json`."""
        return seal_json(self.model_dump(mode="json"))

    @property
    def images(self) -> tuple[FileEntry, ...]:
        """The files of item pictures; none unless they were asked for."""
        return tuple(entry for entry in self.files if entry.path.startswith(IMAGES))

    def learned_from(self, set_name: str) -> LearnedFrom | None:
        """The interactions that a set's values depend on; None where it has seen none or nothing is known."""
        found = (self.provenance.get("learned_from") or {}).get(set_name)
        return None if found is None else LearnedFrom(**_LearnedFromEntry.model_validate(found).model_dump())

    def same_content(self, other: Manifest) -> bool:
        """Whether two releases hold the same data, encoders and pictures; the rest may be rendered anew."""
        return self.release_id == other.release_id and self.images == other.images

    def parts(self, set_name: str) -> list[FileEntry]:
        """The Parquet parts of one feature set, in order."""
        return [entry for entry in self.files if entry.path.startswith(f"data/{set_name}/")]


def release_id(files: Iterable[FileEntry]) -> str:
    """SHA-256 over the format and the entries of `data/` and `encoder/`, in path order."""
    covered = sorted(
        (entry.model_dump() for entry in files if entry.path.startswith(IDENTITY_FOLDERS)),
        key=lambda entry: str(entry["path"]),
    )
    return hashlib.sha256(canonical_json({"format": FORMAT, "files": covered})).hexdigest()


def describe_file(folder: Path, path: Path, rows: int | None = None) -> FileEntry:
    """The manifest entry of a file below `folder`."""
    return FileEntry(
        path=path.relative_to(folder).as_posix(),
        rows=rows,
        bytes=path.stat().st_size,
        sha256=sha256_file(path),
    )


def kind_of(manifest: Manifest, name: str) -> str:
    """The kind of content that a raw set was made of, as its model's card states it; "" where none does."""
    cards = manifest.provenance.get("extractors")
    card = cards.get(name) if isinstance(cards, Mapping) else None
    return str(card.get("modality", "")) if isinstance(card, Mapping) else ""
