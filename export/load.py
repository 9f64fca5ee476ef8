"""Load a feature set in one line, from a release folder."""

from __future__ import annotations

import difflib
from pathlib import Path

from .errors import ReleaseError, VerificationError
from .features import FeatureSet
from .manifest import Manifest
from .parquet import read_parts
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


def load_folder(folder: Path, set_name: str | None = None) -> FeatureSet:
    """Load one set of a release folder, checking the SHA-256 of the files it reads.

    Raises:
        ReleaseError: no release there, or no such set.
        VerificationError: a file is missing or not what the manifest says.
    """
    manifest = Manifest.read(folder)
    name = choose_set(manifest, set_name, str(folder))
    for entry in manifest.parts(name):
        finding = check_file(folder / entry.path, entry)
        if finding:
            raise VerificationError(f"{folder / entry.path}: {finding}. Export or fetch the release again.")
    return read_set(folder, manifest, name)


def read_set(folder: Path, manifest: Manifest, name: str) -> FeatureSet:
    """Read one set whose files were checked already."""
    entry = manifest.sets[name]
    return read_parts(name, entry.key, entry.dim, [folder / part.path for part in manifest.parts(name)])


def load_features(
    source: str | Path, set_name: str | None = None, *, version: str | None = None
) -> FeatureSet:
    """Load a feature set: ids, float32 matrix `[n, d]` and validity.

    Only the files of that set are fetched, into the Hub client's cache; every one is checked by its
    SHA-256 each time, and what is cached loads without a network.

    Args:
        source: a release folder, or a dataset repository on the Hub, OWNER/NAME.
        set_name: `image`, `text`, `multimodal`, `content`, `aligned` or `user`; without it
            `aligned` if the release has it, else `multimodal`.
        version: of a repository, X.Y.Z; without it the highest.

    Returns:
        The set, rows in the order of the release.

    Raises:
        ReleaseError: no release there, or no such version or set; the message names the nearest.
        RefusedError: the version was withdrawn; the message says why.
        VerificationError: a file is missing or not what the manifest says, or the version was moved.
        HubError: no such repository, or the Hub cannot be reached and the files are not cached.
    """
    name = str(source)
    if isinstance(source, Path) or Path(name).is_dir() or not is_repo_name(name):
        if version is not None:
            raise ReleaseError(f"{name} is a folder, and a folder has no versions: leave {version!r} out")
        return load_folder(Path(name), set_name)
    from .hub_source import fetch_set  # here, since reading a folder needs no Hub client

    found, chosen = fetch_set(name, set_name, version)
    return read_set(found.folder, found.manifest, chosen)
