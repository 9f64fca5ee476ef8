"""Load a feature set in one line: whole, mapped from disk, or piece by piece."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from alignrec.core.features import FeatureSet
from alignrec.core.vocabulary import PREFERRED_SETS
from alignrec.export.errors import ReleaseError, VerificationError
from alignrec.export.hub.versions import is_repo_name
from alignrec.export.release.manifest import FileEntry, Manifest
from alignrec.export.release.parquet import ROWS_AT_ONCE, iter_parts, map_parts, read_parts
from alignrec.export.release.verify import check_file

if TYPE_CHECKING:
    from huggingface_hub import HfApi


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
        paths = [self.fetch(part) for part in parts]
        if memory_map:
            return map_parts(name, entry.key, entry.dim, paths, _mapped_file(parts))
        return read_parts(name, entry.key, entry.dim, paths)

    def pieces(self, set_name: str | None, rows: int) -> Iterator[FeatureSet]:
        """A set as `iter_features` gives it, which says what it raises."""
        name = self.choose(set_name)
        entry = self.manifest.sets[name]
        return iter_parts(name, entry.key, entry.dim, map(self.fetch, self.manifest.parts(name)), rows)

    def file(self, path: str) -> Path | None:
        """One of its files by its path inside the release, checked; None where it has no such file."""
        entry = next((entry for entry in self.manifest.files if entry.path == path), None)
        return self.fetch(entry) if entry else None


def open_release(source: str | Path, version: str | None = None, *, api: HfApi | None = None) -> Release:
    """Find a release in a folder or on the Hub; of its files only the manifest is read.

    Args:
        source: a release folder, or OWNER/NAME.
        version: of a repository, X.Y.Z; without it the highest.
        api: the client; without it one with the environment's endpoint and token.

    Raises: as `load_features`.
    """
    name = str(source)
    if isinstance(source, Path) or Path(name).is_dir() or not is_repo_name(name):
        if version is not None:
            raise ReleaseError(f"{name} is a folder, and a folder has no versions: leave {version!r} out")
        folder = Path(name)
        return Release(name, Manifest.read(folder), lambda entry: _checked(folder, entry))
    from alignrec.export.hub.find_version import find_version
    from alignrec.export.hub.repository import open_repo  # here, since reading a folder needs no Hub client

    found = find_version(open_repo(name, api), version)
    where = f"{name}@{found.version}"
    return Release(where, found.manifest, lambda entry: found.fetch([entry]) / entry.path)


def load_features(
    source: str | Path,
    set_name: str | None = None,
    *,
    version: str | None = None,
    memory_map: bool = False,
) -> FeatureSet:
    """Load a feature set: ids, float32 matrix `[n, d]` and validity.

    Only the files of that set are fetched, into the Hub client's cache; every one is checked by its
    SHA-256 each time, and what is cached loads without a network.

    Args:
        source: a release folder, or a dataset repository on the Hub, OWNER/NAME.
        set_name: `image`, `text`, `multimodal`, `content`, `aligned` or `user`; without it
            `aligned` if the release has it, else `multimodal`.
        version: of a repository, X.Y.Z; without it the highest.
        memory_map: leave the matrix on disk, as a read-only map of a file that the first such load
            writes into the Hub client's cache: for sets larger than memory, or many processes.

    Returns:
        The set, rows in the order of the release.

    Raises:
        ReleaseError: no release there, or no such version or set; the message names the nearest.
        RefusedError: the version was withdrawn; the message says why.
        VerificationError: a file is missing or not what the manifest says, or the version was moved.
        HubError: no such repository, or the Hub cannot be reached and the files are not cached.
    """
    return open_release(source, version).load(set_name, memory_map=memory_map)


def iter_features(
    source: str | Path,
    set_name: str | None = None,
    *,
    version: str | None = None,
    rows: int = ROWS_AT_ONCE,
) -> Iterator[FeatureSet]:
    """A feature set piece by piece, in the order of the release; never more than one piece in memory.

    A part is fetched and checked when its turn comes.

    Args:
        source, set_name, version: as for `load_features`.
        rows: the most rows of a piece.

    Yields:
        Feature sets of at most `rows` rows.

    Raises: as `load_features`.
    """
    return open_release(source, version).pieces(set_name, rows)


def _checked(folder: Path, entry: FileEntry) -> Path:
    path = folder / entry.path
    finding = check_file(path, entry)
    if finding:
        raise VerificationError(f"{path}: {finding}. Export or fetch the release again.")
    return path


def _mapped_file(parts: Sequence[FileEntry]) -> Path:
    """Where a set's matrix is kept for mapping, beside the Hub client's cache; equal parts, equal file."""
    from huggingface_hub import constants

    key = hashlib.sha256("\n".join(part.sha256 for part in parts).encode()).hexdigest()
    return Path(constants.HF_HOME) / "alignrec" / "matrices" / f"{key}.npy"
