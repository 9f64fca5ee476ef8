"""BEiT v2's tokenizer as an image model with a codebook of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from alignrec.core.files import sha256_file
from alignrec.extractors.backends.vqkd.checkpoint import load_tokenizer
from alignrec.extractors.contract import Embeddings, Extractor, ExtractorCard
from alignrec.extractors.modality import IMAGE
from alignrec.extractors.runtime import Runtime, to_numpy


class VQKDExtractor(Extractor):
    """Pooled: the mean of the patches' states. Tokens: what each patch's code is found by, of length 1."""

    def __init__(self, name: str, path: Path, runtime: Runtime) -> None:
        """Load a tokenizer's file.

        Raises:
            ExtractorError: it cannot be read.
        """
        model = load_tokenizer(path)
        self._runtime, self._side = runtime, model.sizes.image
        self.codebook = model.codebook.detach().numpy().copy()
        self._model = runtime.place(model)
        self.device = runtime.device.type
        self.batch_size = 128 if runtime.is_cuda else 8
        self.card = ExtractorCard(
            name=name,
            modality=IMAGE.name,
            revision=None,
            weights_sha256=sha256_file(path),
            dim=model.sizes.width,
            token_dim=model.sizes.code_width,
            preprocessing={"size": self._side, "crop": "none", "resample": "bicubic", "range": [-1, 1]},
            licence=None,
        )

    def prepare(self, value: Image.Image | str) -> NDArray[np.uint8]:
        """The whole picture as a square, uint8 `[side, side, 3]`."""
        assert isinstance(value, Image.Image)
        return np.asarray(value.resize((self._side, self._side), Image.Resampling.BICUBIC))

    def embed(self, prepared: Sequence[NDArray[np.uint8]], tokens: bool = False) -> Embeddings:
        """See `Extractor.embed`."""
        pixels = self._runtime.tensor(np.stack(prepared)).permute(0, 3, 1, 2)
        with self._runtime.forward():
            states, found = self._model(pixels.float() / 127.5 - 1)
            pooled = to_numpy(states.float().mean(dim=1))
        if not tokens:
            return Embeddings(pooled)
        sequence = to_numpy(found.float())
        return Embeddings(pooled, sequence, np.ones(sequence.shape[:2], dtype=np.bool_))
