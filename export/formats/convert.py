"""Features in another tool's format: which sets go in, and where the interactions come from."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from alignrec.core.errors import AlignRecWarning
from alignrec.core.features import FeatureSet
from alignrec.core.files import replacing_folder
from alignrec.core.plugins import Registry
from alignrec.export.errors import ReleaseError
from alignrec.export.formats.contract import Format
from alignrec.export.formats.interactions import SplitInteractions
from alignrec.export.release.manifest import kind_of
from alignrec.export.release.opened import Release
from alignrec.export.release.write import check_free

FORMATS = Registry(Format, "export format", "alignrec.export.formats")


def convert(
    release: Release,
    name: str,
    folder: Path,
    sets: Sequence[str] = (),
    interactions: SplitInteractions | None = None,
) -> list[str]:
    """Write sets of a release into a new folder in another tool's format.

    Args:
        release: where the features come from.
        name: the format, a name in `FORMATS`.
        folder: must be absent or empty; is there whole or not at all.
        sets: which; without any, all item sets that the format can hold, or the one that
            `load_features` would take where it holds only one.
        interactions: to go along, in the format's own form or beside it as `interactions.parquet`.

    Returns:
        The names of the sets that were written; for one that took another's place, `NAME as PLACE`.

    Warns:
        AlignRecWarning: interactions go along, their test part too, that a set has learned from.

    Raises:
        PluginError: no such format; the message names the nearest.
        ReleaseError: no such set, the format cannot hold the sets, or the folder holds something.
        VerificationError: a file is not what the manifest says.
        HubError: a file cannot be had.
    """
    form = FORMATS.find(name)
    names = [release.choose(one) for one in sets]
    present = {kind_of(release.manifest, one) for one in names or release.manifest.sets}

    def place(one: str) -> str:
        kind = kind_of(release.manifest, one)
        if form.stand_ins.get(kind, kind) not in present:
            kind = form.stand_ins.get(kind, kind)
        return kind if form.sets and one not in form.sets and kind in form.sets else one

    if not names and form.several:
        items = [one for one, entry in release.manifest.sets.items() if entry.key == "item_id"]
        # Of several that could take a place the one of its name, or the first.
        best = sorted(items, key=lambda one: place(one) != one)
        first = {place(one): one for one in reversed(best) if form.sets is None or place(one) in form.sets}
        names = [one for one in items if one in first.values()]
        if not names:
            raise ReleaseError(
                f"{release.where} has none of the sets {', '.join(form.sets or ())} that {name} holds; "
                f"it has {', '.join(release.manifest.sets)}"
            )
    names = names or [release.choose(None)]
    places = [place(one) for one in names]
    if form.sets is not None and len(set(places)) < len(places):
        raise ReleaseError(f"{name} holds one set of each of {', '.join(form.sets)}; got {', '.join(names)}")
    sets_of = [replace(release.load(one), name=at) for one, at in zip(names, places, strict=True)]
    write_as(name, sets_of, folder, interactions)
    serving = [one for one in names if (seen := release.manifest.learned_from(one)) and seen.everything]
    if serving and interactions is not None:
        warnings.warn(
            f"{', '.join(serving)} of {release.where} learned from all interactions, and those go along as "
            "split: measured on their valid or test part, a model that is given these vectors knows the "
            "answers. Serve with them; to measure, export without --all-interactions.",
            AlignRecWarning,
            stacklevel=2,
        )
    return [one if one == at else f"{one} as {at}" for one, at in zip(names, places, strict=True)]


def write_as(
    name: str,
    sets: Sequence[FeatureSet],
    folder: Path,
    interactions: SplitInteractions | None = None,
) -> None:
    """Write feature sets into a new folder in another tool's format.

    Args:
        name: the format, a name in `FORMATS`.
        sets: what to write.
        folder: must be absent or empty; is there whole or not at all.
        interactions: to go along, in the format's own form or beside it as `interactions.parquet`.

    Raises:
        PluginError: no such format; the message names the nearest.
        ReleaseError: the format cannot hold these sets, or the folder holds something.
    """
    form = FORMATS.find(name)
    wrong = [features.name for features in sets if form.sets is not None and features.name not in form.sets]
    if wrong:
        raise ReleaseError(f"{name} holds the sets {', '.join(form.sets or ())}, not {', '.join(wrong)}")
    if not sets or (len(sets) > 1 and not form.several):
        raise ReleaseError(f"{name} holds one set, got {len(sets)}: name the one to write")
    check_free(folder)
    with replacing_folder(folder) as new:
        form.write(sets, new, interactions)
        if interactions is not None and not form.interactions:
            interactions.write(new)
