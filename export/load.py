"""Load a feature set in one line: whole, mapped from disk, or piece by piece."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .errors import ReleaseError, VerificationError
from .features import FeatureSet
from .manifest import FileEntry, Manifest
from .parquet import ROWS_AT_ONCE, iter_parts, map_parts, read_parts
from .verify import check_file
from .versions import is_repo_name

# What a caller most likely wants when no set is named.
PREFERRED = ("aligned", "multimodal")


def choose_set(manifest: Manifest, name: str | None, where: str) -> str:
    """The set to load: the named one, else `aligned`, else `multimodal`.

    Raises:
        ReleaseError: the release has no such set; the message names those it has, nearest first.
    """
    if name is None:
        found = next((preferred for preferred in PREFERRED if preferred in manifest.sets), None)
        if found is not None:
            return found
        raise ReleaseError(
            f"{where} has neither of the sets {', '.join(PREFERRED)}: name one of {', '.join(manifest.sets)}."
        )
    if name in manifest.sets:
        return name
    nearest = difflib.get_close_matches(name, manifest.sets, n=1, cutoff=0.0)
    hint = f" Did you mean {nearest[0]!r}?" if nearest else ""
    raise ReleaseError(f"{where} has no set {name!r}; it has {', '.join(manifest.sets)}.{hint}")


@dataclass(frozen=True)
class Located:
    """A set that was found: its release's manifest, and how to have one of its files, checked."""

    manifest: Manifest
    name: str
    fetch: Callable[[FileEntry], Path]

    @property
    def parts(self) -> list[FileEntry]:
        """The set's Parquet parts, in order."""
        return self.manifest.parts(self.name)

    @property
    def mapped_file(self) -> Path:
        """Where the set's matrix is kept for mapping, in the Hub client's cache; equal parts, equal file."""
        from huggingface_hub import constants

        key = hashlib.sha256("\n".join(part.sha256 for part in self.parts).encode()).hexdigest()
        return Path(constants.HF_HOME) / "alignrec" / "matrices" / f"{key}.npy"


def locate(source: str | Path, set_name: str | None, version: str | None) -> Located:
    """Find a set in a folder or on the Hub, without its files.

    Raises: as `load_features`.
    """
    name = str(source)
    if isinstance(source, Path) or Path(name).is_dir() or not is_repo_name(name):
        if version is not None:
            raise ReleaseError(f"{name} is a folder, and a folder has no versions: leave {version!r} out")
        folder = Path(name)
        manifest = Manifest.read(folder)
        return Located(manifest, choose_set(manifest, set_name, name), lambda entry: _checked(folder, entry))
    from .hub_source import find_set  # here, since reading a folder needs no Hub client

    found, chosen = find_set(name, set_name, version)
    return Located(found.manifest, chosen, lambda entry: found.fetch([entry]) / entry.path)


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
    found = locate(source, set_name, version)
    entry, paths = found.manifest.sets[found.name], [found.fetch(part) for part in found.parts]
    if memory_map:
        return map_parts(found.name, entry.key, entry.dim, paths, found.mapped_file)
    return read_parts(found.name, entry.key, entry.dim, paths)


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
    found = locate(source, set_name, version)
    entry = found.manifest.sets[found.name]
    return iter_parts(found.name, entry.key, entry.dim, map(found.fetch, found.parts), rows)


def _checked(folder: Path, entry: FileEntry) -> Path:
    path = folder / entry.path
    finding = check_file(path, entry)
    if finding:
        raise VerificationError(f"{path}: {finding}. Export or fetch the release again.")
    return path
