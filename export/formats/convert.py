"""A release in another tool's format: which sets go in, and where the interactions come from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from alignrec.export.errors import ReleaseError
from alignrec.export.formats.registry import SplitInteractions, find_format, write_as
from alignrec.export.release.opened import Release


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
        name: the format, a key of `FORMATS`.
        folder: must be absent or empty.
        sets: which; without any, all item sets that the format can hold, or the one that
            `load_features` would take where it holds only one.
        interactions: for `mmrec` and `recbole`.

    Returns:
        The names of the sets that were written.

    Raises:
        ReleaseError: no such format or set, the format cannot hold the sets, or the folder holds something.
        VerificationError: a file is not what the manifest says.
        HubError: a file can not be had.
    """
    form = find_format(name)
    names = [release.choose(one) for one in sets]
    if not names and form.several:
        items = [one for one, entry in release.manifest.sets.items() if entry.key == "item_id"]
        names = [one for one in items if form.sets is None or one in form.sets]
        if not names:
            raise ReleaseError(
                f"{release.where} has none of the sets {', '.join(form.sets or ())} that {name} holds; "
                f"it has {', '.join(release.manifest.sets)}"
            )
    names = names or [release.choose(None)]
    write_as(name, [release.load(one) for one in names], folder, interactions)
    return names
