"""A release with new items in appended parts; what it had stays as it was, to the byte."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from alignrec.core.features import FeatureSet
from alignrec.core.files import replacing_folder, write_bytes
from alignrec.core.names import inside
from alignrec.export.errors import ReleaseError
from alignrec.export.release.manifest import MANIFEST, FileEntry, Manifest, SetEntry, describe_file
from alignrec.export.release.opened import Release
from alignrec.export.release.parquet import ROWS_AT_ONCE, write_parts, write_rejected
from alignrec.export.release.write import check_free


def extend_release(
    release: Release, sets: Sequence[FeatureSet], rejected: Iterable[dict[str, object]], folder: Path
) -> Manifest:
    """Write a release that holds another one's files, and new items in parts after them.

    `metrics.json` stays as it was: it speaks of the items that were there. Item pictures are left out; a
    push can take them along again. `provenance.extends` names the releases that this one stands on, the
    first first.

    Args:
        release: what is extended.
        sets: for each of its item sets, the vectors of the new items; none of them may be in it yet.
        rejected: rows of `rejected.parquet` for the new items; they get a file of their own.
        folder: must be absent or empty; is there whole or not at all.

    Raises:
        ReleaseError: a set is missing or has another dimension, an item is in the release already, there
            is no new item, or the folder holds something.
        VerificationError, HubError: a file of the release is damaged or cannot be had, or a set of it is not
            sound.
    """
    check_free(folder)
    _check(release, sets)
    _read_through(release)
    old = release.manifest
    kept = [entry for entry in old.files if entry not in old.images]
    with replacing_folder(folder) as new:
        for entry in kept:
            target = inside(new, entry.path)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(release.fetch(entry), target)
        added, entries = [], dict(old.sets)
        for features in sets:
            added += _append(features, new, len(old.parts(features.name)))
            before = old.sets[features.name]
            rows, valid = before.rows + len(features.ids), before.valid + int(features.valid.sum())
            entries[features.name] = SetEntry(dim=before.dim, rows=rows, valid=valid, key=before.key)
        path = new / "data" / f"rejected-{_generation(old):05d}.parquet"
        added.append(describe_file(new, path, write_rejected(rejected, path)))
        lineage = [*_lineage(old), old.release_id]
        manifest = Manifest.make([*kept, *added], entries, old.provenance | {"extends": lineage})
        write_bytes(new / MANIFEST, manifest.to_bytes())
    return manifest


def _read_through(release: Release) -> None:
    """Read every set once, as loading would: what is not sound is not sealed anew."""
    for name in release.manifest.sets:
        for _ in release.pieces(name, ROWS_AT_ONCE):
            pass


def known_ids(release: Release) -> set[str]:
    """The ids of the items that a release holds.

    Raises:
        ReleaseError: it has no set of items.
        VerificationError, HubError: a file is damaged, not sound, or cannot be had.
    """
    name = next((name for name, entry in release.manifest.sets.items() if entry.key == "item_id"), None)
    if name is None:
        raise ReleaseError(f"{release.where} has no set of items")
    return {i for piece in release.pieces(name, ROWS_AT_ONCE) for i in piece.ids}


def without(features: FeatureSet, ids: set[str]) -> FeatureSet:
    """A set without the rows of some ids."""
    rows = np.array([row for row, i in enumerate(features.ids) if i not in ids], dtype=np.int64)
    origin = None if features.origin is None else [features.origin[int(row)] for row in rows]
    left = [features.ids[int(row)] for row in rows]
    return FeatureSet(features.name, left, features.matrix[rows], features.valid[rows], features.key, origin)


def _check(release: Release, sets: Sequence[FeatureSet]) -> None:
    old = release.manifest.sets
    wanted = {name: entry.dim for name, entry in old.items() if entry.key == "item_id"}
    given = {features.name: features.dim for features in sets}
    if wanted != given:
        raise ReleaseError(f"{release.where} has the item sets {wanted}, the new items have {given}")
    if any(list(features.ids) != list(sets[0].ids) for features in sets):
        raise ReleaseError("the new items' sets differ in their items")
    if not sets[0].ids:
        raise ReleaseError(f"there is no new item to add to {release.where}")
    if again := known_ids(release).intersection(sets[0].ids):
        raise ReleaseError(f"{release.where} has {len(again)} of these items already, such as {min(again)!r}")


def _lineage(manifest: Manifest) -> list[str]:
    """The releases that one stands on, the first first."""
    return list(manifest.provenance.get("extends") or [])


def _generation(manifest: Manifest) -> int:
    """How many times a release has been extended, this time included."""
    return len(_lineage(manifest)) + 1


def _append(features: FeatureSet, folder: Path, first: int) -> list[FileEntry]:
    """Write a set's parts with the numbers that come next."""
    target = inside(folder / "data", features.name)
    entries = []
    scratch = inside(folder / "data", f".{features.name}")
    for number, path in enumerate(write_parts(features, scratch), start=first):
        moved = path.rename(target / f"part-{number:05d}.parquet")
        entries.append(describe_file(folder, moved, pq.read_metadata(moved).num_rows))
    scratch.rmdir()
    return entries
