"""Files for Cornac (cornac.preferred.ai): features of its modalities, and interactions for its reader."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from alignrec.core.features import FeatureSet
from alignrec.core.names import inside
from alignrec.export.errors import ReleaseError
from alignrec.export.formats.contract import Format
from alignrec.export.formats.interactions import LABELS, SplitInteractions


def write_cornac(
    sets: Sequence[FeatureSet], folder: Path, interactions: SplitInteractions | None = None
) -> None:
    """Write features of items, and interactions, each part of the split in a file of its own.

    `<set>.npy` is float32 `[n, d]`, zeros where an item has no vector; row i belongs to the id at i of
    `item_ids.json`. They are the `features` and `ids` of `cornac.data.ImageModality`, `TextModality` or
    `FeatureModality`. With interactions there are `train.tsv`, `valid.tsv` and `test.tsv` without a header
    (user, item, rating, time in seconds), for `cornac.data.Reader().read(path, fmt="UIRT")`.

    Args:
        sets: any.
        folder: filled.
        interactions: with their split.

    Raises:
        OutsideError: a set's name leads out of the folder.
        ReleaseError: an interaction's item is in no set, or its user or item has an id that Cornac's reader
            would cut or change.
    """
    ids = list(sets[0].ids)
    for features in sets:
        matrix, _ = features.align_to(ids)
        np.save(inside(folder, f"{features.name}.npy"), matrix, allow_pickle=False)
    (folder / "item_ids.json").write_text(json.dumps(ids, ensure_ascii=False), encoding="utf-8")
    if interactions is not None:
        _check_ids(interactions)
        interactions.check_items(ids)
        _write_interactions(interactions, folder)


def _write_interactions(interactions: SplitInteractions, folder: Path) -> None:
    for label, part in enumerate(LABELS):
        lines = [
            f"{interactions.users[row]}\t{interactions.items[row]}\t{interactions.rating[row]}\t"
            f"{interactions.timestamp[row]}\n"
            for row in np.flatnonzero(interactions.label == label).tolist()
        ]
        (folder / f"{part}.tsv").write_text("".join(lines), encoding="utf-8", newline="\n")


def _check_ids(interactions: SplitInteractions) -> None:
    # The reader strips a line, then splits it at tabs: an id with such a letter would move or lose one.
    bad = [
        one
        for one in {*interactions.users, *interactions.items}
        if one != one.strip() or set(one) & {*"\t\n\r"}
    ]
    if bad:
        raise ReleaseError(f"Cornac's reader would cut the id {min(bad)!r}: rename it in the catalogue")


FORMAT = Format(
    name="cornac",
    description="of each set the matrix for its modalities, and the ids; with a run, files for its reader",
    write=write_cornac,
    several=True,
    interactions=True,
)
