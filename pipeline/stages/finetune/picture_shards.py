"""Pictures as the model takes them, bytes of a square each, decoded once and then mapped from disk.

Each shard is a sealed file: first a byte for each picture, 1 where it could be decoded, then all pixels. A
kill loses the shard under way.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alignrec.core.sealed import is_whole, sealed_content, sealing
from alignrec.extractors.errors import RejectedError
from alignrec.pipeline.engines.base import Unit
from alignrec.pipeline.engines.inputs import InputReader, Load

Prepare = Callable[[Any], NDArray[np.uint8]]


class PictureShards:
    """The pictures of a catalogue, in its order.

    Attributes:
        units: where they come from, a shard each.
        side: of a picture in pixels.
    """

    def __init__(self, units: Sequence[Unit], side: int) -> None:
        """Name the shards, which lie in the units' folder; nothing is read yet."""
        self.units, self.side = units, side
        self._lengths = [len(unit.shard.inputs) for unit in units]
        self._starts = np.cumsum([0, *self._lengths])
        self._open: dict[int, tuple[NDArray[np.bool_], NDArray[np.uint8]]] = {}

    @property
    def bytes(self) -> int:
        """What all of them take on disk, their seals left out."""
        return int(self._starts[-1]) * (3 * self.side**2 + 1)

    @property
    def shards(self) -> list[tuple[str, slice]]:
        """The name of each shard, and which pictures it holds."""
        return [
            (unit.shard.key, slice(int(start), int(start) + length))
            for unit, start, length in zip(self.units, self._starts[:-1], self._lengths, strict=True)
        ]

    def fill(self, prepare: Prepare, workers: int | None, advance: Callable[[int], None]) -> None:
        """Decode what is not there yet.

        Args:
            prepare: from a picture to its pixels, uint8 `[side, side, 3]`; called from several threads.
            workers: threads; default one a core.
            advance: is given how many more pictures are there.
        """
        missing = [unit for unit in self.units if not self._whole(unit)]
        advance(sum(self._lengths) - sum(len(unit.shard.inputs) for unit in missing))
        if not missing:
            return
        read = InputReader(missing)
        with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
            for unit in missing:
                found = list(pool.map(partial(_pixels, prepare), read(unit)))
                blank = np.zeros((self.side, self.side, 3), dtype=np.uint8)
                with sealing(_path(unit)) as temporary, temporary.open("wb") as file:
                    file.write(np.array([one is not None for one in found], dtype=np.bool_).tobytes())
                    for one in found:
                        file.write((blank if one is None else one).tobytes())
                advance(len(found))

    def usable(self) -> NDArray[np.bool_]:
        """Which pictures could be decoded, bool `[n]`."""
        return np.concatenate(
            [np.zeros(0, dtype=np.bool_), *(self._shard(i)[0] for i in range(len(self.units)))]
        )

    def pixels(self, pictures: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Pictures by their numbers, int64 `[b]`, uint8 `[b, side, side, 3]`; -1 is none, and zeros."""
        found = np.zeros((len(pictures), self.side, self.side, 3), dtype=np.uint8)
        shards = np.searchsorted(self._starts, pictures, side="right") - 1
        for place, (picture, shard) in enumerate(zip(pictures, shards, strict=True)):
            if picture >= 0:
                found[place] = self._shard(int(shard))[1][picture - self._starts[shard]]
        return found

    def _whole(self, unit: Unit) -> bool:
        return _path(unit).is_file() and is_whole(_path(unit))

    def _shard(self, number: int) -> tuple[NDArray[np.bool_], NDArray[np.uint8]]:
        if number not in self._open:
            count = self._lengths[number]
            content = np.frombuffer(sealed_content(_path(self.units[number])), dtype=np.uint8)
            pixels = content[count:].reshape(count, self.side, self.side, 3)
            self._open[number] = content[:count].astype(np.bool_), pixels
        return self._open[number]


def _path(unit: Unit) -> Path:
    return unit.folder / f"{unit.shard.key}.pixels"


def _pixels(prepare: Prepare, load: Load) -> NDArray[np.uint8] | None:
    """None where the picture cannot be used: extraction lists it with its reason."""
    try:
        return prepare(load())
    except RejectedError:
        return None
