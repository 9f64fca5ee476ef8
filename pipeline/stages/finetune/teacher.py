"""The visual codes of all pictures, by a frozen teacher: a codebook first, then a sealed file a shard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from alignrec.aligner.errors import FeatureError
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

        They are the teacher's own where it has some, and else k-means finds them.

        Args:
            settings: how many codes.
            seed: of the sample and of k-means.
            codebook: where the centres are kept, once they are found.
            folder: where the codes of each shard are kept; of this teacher, codebook and grid alone.
            advance: is given how many more pictures have their codes.

        Raises:
            FeatureError: the settings ask for another number of codes than the teacher has or k-means can
                find, or its tokens lie on no grid, or its codes on another than the patches.
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
        if state is None and (own := self._model.codebook) is not None:
            if len(own) != settings.codes:
                raise FeatureError(
                    f"finetune.codes: {settings.codes:,}, and {settings.teacher} has {len(own):,} codes of "
                    f"its own: set finetune.codes to {len(own)}"
                )
            width = own.shape[1]
            state = {
                "mean": torch.zeros(width),
                "basis": torch.eye(width),
                "centres": torch.from_numpy(own),
            }
            kept.save(state)
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
        model = self._model
        size = model.batch_size
        for start in range(0, len(pictures), size):
            batch = pictures[start : start + size]
            prepared = [model.prepare(framed(one, model.crop)) for one in self._pictures.pixels(batch)]
            tokens = model.embed(prepared, tokens=True).tokens
            assert tokens is not None
            if model.codebook is not None and tokens.shape[1] != self._grid**2:
                raise FeatureError(
                    f"the teacher gives {tokens.shape[1]:,} codes a picture, and the model cuts one into "
                    f"{self._grid**2:,} patches: choose another finetune.teacher"
                )
            yield batch, on_patches(tokens, self._grid)

    @property
    def _model(self) -> Extractor:
        if self._loaded is None:
            self._loaded = self._load()
        return self._loaded


def framed(pixels: NDArray[np.uint8], crop: float) -> Image.Image:
    """A picture with as much around it as a model takes away, so that the model looks at all of it.

    Args:
        pixels: uint8 `[side, side, 3]`.
        crop: share of a side that the model looks at, in the middle.
    """
    around = round(len(pixels) * (1 / crop - 1) / 2)
    return Image.fromarray(np.pad(pixels, ((around, around), (around, around), (0, 0)), mode="edge"))
