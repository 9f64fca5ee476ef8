"""The visual codes of all pictures, by a frozen teacher: a codebook first, then a sealed file a shard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from alignrec.aligner.finetune.settings import FinetuneSettings
from alignrec.aligner.finetune.teacher_codes import draw_sample, on_patches
from alignrec.aligner.pretrain.token_codebook import TokenCodebook
from alignrec.core.sealed import read_sealed, sealing
from alignrec.extractors.contract import Extractor
from alignrec.pipeline.runner.checkpoint import Checkpoint
from alignrec.pipeline.stages.finetune.picture_shards import PictureShards


class Teacher:
    """A frozen image model that is asked for the tokens of pictures, as features of patches."""

    def __init__(self, load: Callable[[], Extractor], pictures: PictureShards, grid: int) -> None:
        """Name the model, which is loaded when it is first asked, and the pictures."""
        self._load, self._pictures, self._grid = load, pictures, grid
        self._loaded: Extractor | None = None

    def codes(
        self,
        settings: FinetuneSettings,
        seed: int,
        codebook: Checkpoint,
        folder: Path,
        advance: Callable[[int], None],
    ) -> NDArray[np.int32]:
        """The code of each patch of each picture, int32 `[n, grid · grid]`; zeros where there is no picture.

        Args:
            settings: how many codes.
            seed: of the sample and of k-means.
            codebook: where the centres are kept, once they are found.
            folder: where the codes of each shard are kept; of this teacher, codebook and grid alone.
            advance: is given how many more pictures have their codes.
        """
        usable = self._pictures.usable()
        book = self._codebook(settings, seed, codebook, np.flatnonzero(usable))
        found = np.zeros((len(usable), self._grid**2), dtype=np.int32)
        for key, places in self._pictures.shards:
            path = folder / f"{key}.codes"
            content = read_sealed(path)
            if content is None:
                here = np.arange(places.start, places.stop)[usable[places]]
                for batch, tokens in self._tokens(here):
                    found[batch] = book.codes(tokens.reshape(-1, tokens.shape[2])).reshape(len(batch), -1)
                with sealing(path) as temporary:
                    temporary.write_bytes(found[places].tobytes())
            else:
                found[places] = np.frombuffer(content, dtype=np.int32).reshape(-1, self._grid**2)
            advance(places.stop - places.start)
        return found

    def _codebook(
        self, settings: FinetuneSettings, seed: int, kept: Checkpoint, usable: NDArray[np.int64]
    ) -> TokenCodebook:
        state = kept.load()
        if state is None:
            chosen = dict(
                zip(
                    usable.tolist(),
                    draw_sample(len(usable), self._grid**2, settings.codes, seed),
                    strict=True,
                )
            )
            wanted = np.array(
                [picture for picture, patches in chosen.items() if len(patches)], dtype=np.int64
            )
            sample = [
                one[chosen[picture]]
                for batch, tokens in self._tokens(wanted)
                for picture, one in zip(batch.tolist(), tokens, strict=True)
            ]
            book = TokenCodebook.fitted(np.concatenate(sample), settings.codes, seed)
            state = {"mean": book.mean, "basis": book.basis, "centres": book.centres}
            kept.save(state)
        return TokenCodebook(**state)

    def _tokens(self, pictures: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        """Batches of pictures and their patches' features, float32 `[b, grid · grid, d]`."""
        if self._loaded is None:
            self._loaded = self._load()
        size = self._loaded.batch_size
        for start in range(0, len(pictures), size):
            batch = pictures[start : start + size]
            prepared = [self._loaded.prepare(Image.fromarray(one)) for one in self._pictures.pixels(batch)]
            tokens = self._loaded.embed(prepared, tokens=True).tokens
            assert tokens is not None
            yield batch, on_patches(tokens, self._grid)
