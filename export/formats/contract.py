"""What a format of another tool is: a name, what it can hold, and a function that writes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from alignrec.core.features import FeatureSet
from alignrec.export.formats.interactions import SplitInteractions

Writer = Callable[[Sequence[FeatureSet], Path, SplitInteractions | None], None]


@dataclass(frozen=True)
class Format:
    """A format that features can be written in.

    One module here, or in a plugin, holds one of these at its top level, and `pull --format` and `convert`
    know it by its name.

    Attributes:
        name: as the command line has it.
        description: what it writes and for whom, on one line.
        write: fills an empty folder, which carries the final name, from feature sets and, where the format
            holds them and they are there, interactions. It is called with sets that the format can hold.
        sets: the sets it can hold; None for any. A raw set of another name takes the place of the one that is
            named as its kind of content, such as `photo` that of `image`.
        stand_ins: a kind of content that takes another's place where the sets have none of that kind.
        several: whether it holds more than one set.
        interactions: whether `write` writes interactions; for another format they are written beside, as
            `interactions.parquet`.
    """

    name: str
    description: str
    write: Writer
    sets: tuple[str, ...] | None = None
    stand_ins: Mapping[str, str] = field(default_factory=dict)
    several: bool = False
    interactions: bool = False
