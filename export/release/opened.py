"""A release that was found: its sets, whole, mapped from disk or piece by piece, and its files."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from alignrec.core.features import FeatureSet
from alignrec.core.vocabulary import PREFERRED_SETS
from alignrec.export.errors import ReleaseError, VerificationError
from alignrec.export.release.manifest import FileEntry, Manifest
from alignrec.export.release.parquet import iter_parts, map_parts, read_parts
from alignrec.export.release.verify import check_file


def choose_set(manifest: Manifest, name: str | None, where: str) -> str:
    """The set to load: the named one, else `aligned`, else `multimodal`.

    Raises:
        ReleaseError: the release has no such set; the message names those it has, nearest first.
    """
    if name is None:
        found = next((preferred for preferred in PREFERRED_SETS if preferred in manifest.sets), None)
        if found is not None:
            return found
        raise ReleaseError(
            f"{where} has neither of the sets {', '.join(PREFERRED_SETS)}: name one of "
            f"{', '.join(manifest.sets)}."
        )
    if name in manifest.sets:
        return name
    nearest = difflib.get_close_matches(name, manifest.sets, n=1, cutoff=0.0)
    hint = f" Did you mean {nearest[0]!r}?" if nearest else ""
    raise ReleaseError(f"{where} has no set {name!r}; it has {', '.join(manifest.sets)}.{hint}")


@dataclass(frozen=True)
class Release:
    """A release that was found, in a folder or on the Hub; its files come when they are asked for.

    Attributes:
        where: the folder, or OWNER/NAME@X.Y.Z.
        manifest: what it holds, checked.
        fetch: gives the path of a file of it, checked by its SHA-256.
    """

    where: str
    manifest: Manifest
    fetch: Callable[[FileEntry], Path]

    def choose(self, set_name: str | None) -> str:
        """The set of that name; without a name `aligned` if there is one, else `multimodal`.

        Raises:
            ReleaseError: there is no such set; the message names the nearest.
        """
        return choose_set(self.manifest, set_name, self.where)

    def load(self, set_name: str | None = None, *, memory_map: bool = False) -> FeatureSet:
        """A set as `load_features` gives it, which says what it raises."""
        name = self.choose(set_name)
        entry, parts = self.manifest.sets[name], self.manifest.parts(name)
        fetched = [(part, self.fetch(part)) for part in parts]
        if memory_map:
            found = map_parts(name, entry, fetched, _mapped_file(parts))
        else:
            found = read_parts(name, entry, fetched)
        return replace(found, learned_from=self.manifest.learned_from(name))

    def pieces(self, set_name: str | None, rows: int) -> Iterator[FeatureSet]:
        """A set as `iter_features` gives it, which says what it raises."""
        name = self.choose(set_name)
        entry = self.manifest.sets[name]
        fetched = ((part, self.fetch(part)) for part in self.manifest.parts(name))
        learned_from = self.manifest.learned_from(name)
        for piece in iter_parts(name, entry, fetched, rows):
            yield replace(piece, learned_from=learned_from)

    def file(self, path: str) -> Path | None:
        """One of its files by its path inside the release, checked; None where it has no such file."""
        entry = next((entry for entry in self.manifest.files if entry.path == path), None)
        return self.fetch(entry) if entry else None


def open_folder(folder: Path) -> Release:
    """The release in a folder; of its files only the manifest is read.

    Raises:
        ReleaseError: there is no release there.
        VerificationError: the manifest is not valid.
    """
    return Release(str(folder), Manifest.read(folder), lambda entry: _checked(folder, entry))


def _checked(folder: Path, entry: FileEntry) -> Path:
    finding = check_file(folder, entry)
    if finding:
        raise VerificationError(f"{folder / entry.path}: {finding}. Export or fetch the release again.")
    return folder / entry.path


def _mapped_file(parts: Sequence[FileEntry]) -> Path:
    """Where a set's matrix is kept for mapping, beside the Hub client's cache; equal parts, equal file."""
    from huggingface_hub import constants  # here, since most loading needs no Hub client

    key = hashlib.sha256("\n".join(part.sha256 for part in parts).encode()).hexdigest()
    return Path(constants.HF_HOME) / "alignrec" / "matrices" / f"{key}.npy"
