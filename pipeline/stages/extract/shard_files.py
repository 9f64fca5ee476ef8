"""Where the shards of an extraction are: under way, left by an earlier run, and in the finished folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from alignrec.core.sealed import is_whole, looks_sealed
from alignrec.pipeline.runner.shards import Shard, shard_path
from alignrec.pipeline.runner.stage import StageContext

SHARDS = "shards"


@dataclass(frozen=True)
class ShardFiles:
    """Where a modality's finished shards are: in the scratch folder, or in what an earlier run left.

    A shard is a sealed file, so a damaged one is told from a whole one without any manifest.

    Attributes:
        scratch: where new ones are written.
        earlier: where those of the finished stage lie.
        whole: tells whether a file is a finished shard, and undamaged.
    """

    scratch: Path
    earlier: Path
    whole: Callable[[Path], bool]

    @classmethod
    def of(cls, context: StageContext, modality: str, *, hashes: bool = False) -> ShardFiles:
        """The files of a modality; with `hashes`, they are read and compared with their seals."""
        place = f"{SHARDS}/{modality}"
        return cls(context.scratch / place, context.place / place, is_whole if hashes else looks_sealed)

    def find(self, shard: Shard) -> Path | None:
        """A shard's file; None where it is not there yet, or damaged."""
        paths = (shard_path(folder, shard) for folder in (self.scratch, self.earlier))
        return next((path for path in paths if path.is_file() and self.whole(path)), None)

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
