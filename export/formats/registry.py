"""Feature sets in the formats of other tools: a function each, and one that finds it by name.

Each `write_*` fills a folder that exists and is empty. `write_as` makes that folder, whole or not at all.
"""

from __future__ import annotations

import difflib
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from alignrec.core.features import FeatureSet
from alignrec.export.errors import ReleaseError
from alignrec.export.formats.clip_retrieval import write_clip_retrieval
from alignrec.export.formats.faiss_index import to_faiss, write_faiss
from alignrec.export.formats.interactions import SplitInteractions
from alignrec.export.formats.mmrec import write_mmrec
from alignrec.export.formats.numpy_files import write_numpy
from alignrec.export.formats.recbole import write_recbole
from alignrec.export.formats.torch_embedding import load_embedding, to_embedding, write_torch

__all__ = [
    "FORMATS",
    "Format",
    "SplitInteractions",
    "find_format",
    "load_embedding",
    "to_embedding",
    "to_faiss",
    "write_as",
    "write_clip_retrieval",
    "write_faiss",
    "write_mmrec",
    "write_numpy",
    "write_recbole",
    "write_torch",
]

Writer = Callable[[Sequence[FeatureSet], Path, SplitInteractions | None], None]


@dataclass(frozen=True)
class Format:
    """A format that features can be written in.

    Attributes:
        write: fills an empty folder from feature sets and, where the format has them, interactions.
        sets: the sets it can hold; None for any.
        several: whether it holds more than one set.
        interactions: whether it holds interactions.
    """

    write: Writer
    sets: tuple[str, ...] | None = None
    several: bool = False
    interactions: bool = False


FORMATS: Mapping[str, Format] = {
    "numpy": Format(write_numpy, several=True),
    "mmrec": Format(write_mmrec, ("image", "text", "multimodal"), several=True, interactions=True),
    "recbole": Format(write_recbole, interactions=True),
    "clip-retrieval": Format(write_clip_retrieval, ("image", "text"), several=True),
    "faiss": Format(write_faiss),
    "torch": Format(write_torch),
}


def find_format(name: str) -> Format:
    """The format of a name.

    Raises:
        ReleaseError: there is none; the message names the nearest.
    """
    if name in FORMATS:
        return FORMATS[name]
    near = difflib.get_close_matches(name, FORMATS, n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise ReleaseError(f"there is no format {name!r}; there are {', '.join(FORMATS)}.{hint}")


def write_as(
    name: str,
    sets: Sequence[FeatureSet],
    folder: Path,
    interactions: SplitInteractions | None = None,
) -> None:
    """Write feature sets into a new folder in another tool's format.

    Args:
        name: a key of `FORMATS`.
        sets: what to write.
        folder: must be absent or empty; is there whole or not at all.
        interactions: for `mmrec` and `recbole`.

    Raises:
        ReleaseError: no such format, it cannot hold these sets, or the folder holds something.
    """
    form = find_format(name)
    wrong = [features.name for features in sets if form.sets is not None and features.name not in form.sets]
    if wrong:
        raise ReleaseError(f"{name} holds the sets {', '.join(form.sets or ())}, not {', '.join(wrong)}")
    if not sets or (len(sets) > 1 and not form.several):
        raise ReleaseError(f"{name} holds one set, got {len(sets)}: name the one to write")
    if interactions is not None and not form.interactions:
        raise ReleaseError(f"{name} holds no interactions: only mmrec and recbole do")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ReleaseError(f"{folder} exists and is not empty: choose another folder, or remove it")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as temporary:
        new = Path(temporary) / folder.name
        new.mkdir()
        form.write(sets, new, interactions)
        new.rename(folder)
