"""Load a feature set in one line, from a folder or from the Hub: whole, mapped from disk, or in pieces."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from alignrec.core.errors import AlignRecWarning
from alignrec.core.features import FeatureSet
from alignrec.core.learned_from import moment
from alignrec.core.vocabulary import feature_set
from alignrec.export.errors import ReleaseError
from alignrec.export.hub.versions import is_repo_name
from alignrec.export.release.opened import Release, open_folder
from alignrec.export.release.parquet import ROWS_AT_ONCE

if TYPE_CHECKING:
    from huggingface_hub import HfApi


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
        return open_folder(Path(name))
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
    before: str | date | None = None,
) -> FeatureSet:
    """Load a feature set: ids, float32 matrix `[n, d]` and validity.

    `content`, `aligned` and `user` have learned from interactions: name as `before` the moment from which on
    you measure, and a set that has seen what came then warns. Its `learned_from` says what it has seen.

    Only the files of that set are fetched, into the Hub client's cache; every one is checked by its
    SHA-256 each time, and what is cached loads without a network.

    Args:
        source: a release folder, or a dataset repository on the Hub, OWNER/NAME.
        set_name: `image`, `text`, `multimodal`, `content`, `aligned` or `user`; without it
            `aligned` if the release has it, else `multimodal`.
        version: of a repository, X.Y.Z; without it the highest.
        memory_map: leave the matrix on disk, as a read-only map of a file that the first such load
            writes into the Hub client's cache: for sets larger than memory, or many processes.
        before: the first moment of what the set will be measured on: ISO 8601 text, a date or a datetime,
            in UTC where it has no time zone.

    Returns:
        The set, rows in the order of the release.

    Warns:
        AlignRecWarning: the set has learned from interactions of `before` or later, or may have.

    Raises:
        ReleaseError: no release there, or no such version or set; the message names the nearest.
        RefusedError: the version was withdrawn; the message says why.
        VerificationError: a file is missing or not what the manifest says, or the version was moved.
        HubError: no such repository, or the Hub cannot be reached and the files are not cached.
        ValueError, TypeError: `before` is no time.
    """
    release = open_release(source, version)
    _warn_of_leak(release, set_name, before)
    return release.load(set_name, memory_map=memory_map)


def iter_features(
    source: str | Path,
    set_name: str | None = None,
    *,
    version: str | None = None,
    rows: int = ROWS_AT_ONCE,
    before: str | date | None = None,
) -> Iterator[FeatureSet]:
    """A feature set piece by piece, in the order of the release; never more than one piece in memory.

    A part is fetched and checked when its turn comes.

    Args:
        source, set_name, version, before: as for `load_features`.
        rows: the most rows of a piece.

    Yields:
        Feature sets of at most `rows` rows.

    Raises: as `load_features`.
    """
    release = open_release(source, version)
    _warn_of_leak(release, set_name, before)
    return release.pieces(set_name, rows)


def _warn_of_leak(release: Release, set_name: str | None, before: str | date | None) -> None:
    """Warn where a set has seen, or may have seen, interactions from a moment on."""
    if before is None:
        return
    cut_off, name = moment(before), release.choose(set_name)
    learned_from = release.manifest.learned_from(name)
    if learned_from is not None:
        why = learned_from.leak(cut_off)
        seen = f"has learned from {learned_from}"
    else:
        why = "it may be any" if feature_set(name).learned_from_interactions else ""
        seen = "has learned from interactions, and the release does not say from which"
    if why:
        none = [one for one in release.manifest.sets if not feature_set(one).learned_from_interactions]
        instead = f", or {', '.join(none)}, which have seen none" if none else ""
        warnings.warn(
            f"{name} of {release.where} {seen}; {why}. Measured on interactions from "
            f"{cut_off.isoformat()} on, it may know the answers: take a set that was trained on what came "
            f"before{instead}.",
            AlignRecWarning,
            stacklevel=3,
        )
