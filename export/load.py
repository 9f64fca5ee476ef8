"""Load a feature set in one line, from a release folder."""

from __future__ import annotations

import difflib
from pathlib import Path

from .errors import ReleaseError, VerificationError
from .features import FeatureSet
from .manifest import Manifest
from .parquet import read_parts
from .verify import check_file

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
    parts = manifest.parts(name)
    for entry in parts:
        finding = check_file(folder / entry.path, entry)
        if finding:
            raise VerificationError(f"{folder / entry.path}: {finding}. Export or fetch the release again.")
    entry = manifest.sets[name]
    return read_parts(name, entry.key, entry.dim, [folder / part.path for part in parts])


def load_features(source: str | Path, set_name: str | None = None) -> FeatureSet:
    """Load a feature set: ids, float32 matrix `[n, d]` and validity.

    Args:
        source: a release folder.
        set_name: `image`, `text`, `multimodal`, `content`, `aligned` or `user`; without it
            `aligned` if the release has it, else `multimodal`.

    Returns:
        The set, rows in the order of the release.

    Raises:
        ReleaseError: no release there, or no such set; the message names the nearest.
        VerificationError: a file is missing or not what the manifest says.
    """
    return load_folder(Path(source), set_name)
