"""Where the shards of an extraction are: under way, left by an earlier run, and in the finished folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from alignrec.pipeline.runner.shards import Shard, shard_path
from alignrec.pipeline.runner.stage import StageContext

SHARDS = "shards"


@dataclass(frozen=True)
class ShardFiles:
    """Where a modality's finished shards are: in the scratch folder, or in what an earlier run left.

    Attributes:
        scratch: where new ones are written.
        earlier: where those of the finished stage lie.
        damaged: files of the finished stage that are not what it wrote, by name.
    """

    scratch: Path
    earlier: Path
    damaged: frozenset[str]

    @classmethod
    def of(cls, context: StageContext, modality: str, *, hashes: bool = False) -> ShardFiles:
        """The files of a modality; with `hashes`, earlier ones are read and compared with their manifest."""
        place, previous = f"{SHARDS}/{modality}", context.previous
        damaged: list[str] = []
        if previous is not None:
            own = {name: entry for name, entry in previous.files.items() if name.startswith(f"{place}/")}
            damaged = list(replace(previous, files=own).damage(context.place, hashes=hashes))
        names = frozenset(name.rpartition("/")[2] for name in damaged)
        return cls(context.scratch / place, context.place / place, names)

    def find(self, shard: Shard) -> Path | None:
        """A shard's file; None where it is not there yet, or damaged."""
        fresh, earlier = (shard_path(folder, shard) for folder in (self.scratch, self.earlier))
        if fresh.is_file():
            return fresh
        return earlier if earlier.is_file() and earlier.name not in self.damaged else None

    def missing(self, shards: Sequence[Shard]) -> list[Shard]:
        """The shards that are still to do."""
        return [shard for shard in shards if self.find(shard) is None]

    def link(self, shards: Sequence[Shard], target: Path) -> None:
        """Put all shards into the stage's folder; the files stay where they are until the stage is done."""
        target.mkdir(parents=True)
        for shard in shards:
            source = self.find(shard)
            assert source is not None
            try:
                os.link(source, target / source.name)
            except OSError:  # a disk that knows no links
                shutil.copyfile(source, target / source.name)
