"""BEiT-3 as an extractor of pictures or of texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from alignrec.core.files import sha256_file
from alignrec.extractors.backends.beit3.checkpoint import load_checkpoint
from alignrec.extractors.backends.beit3.files import ITC, MEAN, BEiT3Files
from alignrec.extractors.backends.beit3.word_pieces import PAD, WordPieces
from alignrec.extractors.contract import Embeddings, Extractor, ExtractorCard
from alignrec.extractors.errors import ExtractorError
from alignrec.extractors.modality import TEXT, Kind
from alignrec.extractors.runtime import Runtime, to_numpy

# As the authors prepare pictures to evaluate: the whole picture as a square, bicubic, from -1 to 1.
PICTURE_MEAN, PICTURE_SPREAD = 127.5, 127.5
LONGEST = 128  # word pieces of a text that are read, as AlignRec reads them


class BEiT3Extractor(Extractor):
    """Pooled: as the model's name says. Tokens: the last states, `[CLS]` or what begins a text first."""

    def __init__(self, files: BEiT3Files, kind: Kind, runtime: Runtime) -> None:
        """Load a checkpoint, and the word pieces beside it where texts are read.

        Raises:
            ExtractorError: either cannot be read, or the checkpoint has no head that the pooling needs.
        """
        model = load_checkpoint(files.weights)
        sizes = model.beit3.sizes
        if files.pooling == ITC and not sizes.retrieval:
            raise ExtractorError(
                f"{files.name}: {files.weights} has no head of image-text contrast; its authors' files with "
                "itc in their names have one, and cls and mean need none"
            )
        self._pieces: WordPieces | None = None
        self._longest = min(LONGEST, sizes.longest)
        if kind is TEXT:
            path = files.word_pieces()
            self._pieces = WordPieces(path)
            if self._pieces.vocabulary > sizes.vocabulary:
                raise ExtractorError(
                    f"{path} has {self._pieces.vocabulary} word pieces, more than the {sizes.vocabulary} "
                    f"that {files.weights} knows: they do not belong together"
                )
        self._pooling, self._side, self._runtime = files.pooling, sizes.image, runtime
        self._model = runtime.place(model)
        self.device = runtime.device.type
        self.batch_size = 128 if runtime.is_cuda else 4
        self.card = ExtractorCard(
            name=files.name,
            modality=kind.name,
            revision=None,
            weights_sha256=sha256_file(files.weights),
            dim=sizes.width,
            token_dim=sizes.width,
            preprocessing={"pooling": files.pooling} | self._describe(),
            licence=None,
        )

    def prepare(self, value: Image.Image | str) -> Any:
        """A picture as uint8 `[side, side, 3]`; a text as the list of its ids."""
        if isinstance(value, str):
            assert self._pieces is not None
            return self._pieces(value, self._longest)
        return np.asarray(value.resize((self._side, self._side), Image.Resampling.BICUBIC))

    def length(self, prepared: Any) -> int:
        """Number of word pieces; 0 for pictures, which have one size."""
        return len(prepared) if isinstance(prepared, list) else 0

    def embed(self, prepared: Sequence[Any], tokens: bool = False) -> Embeddings:
        """See `Extractor.embed`."""
        with self._runtime.forward():
            if self._pieces is None:
                pixels = self._runtime.tensor(np.stack(prepared)).permute(0, 3, 1, 2)
                states = self._model.beit3((pixels.float() - PICTURE_MEAN) / PICTURE_SPREAD).float()
                mask = torch.ones(states.shape[:2], dtype=torch.bool, device=states.device)
            else:
                ids, real = pad(prepared)
                mask = self._runtime.tensor(real)
                states = self._model.beit3(ids=self._runtime.tensor(ids), mask=mask).float()
            pooled = to_numpy(self._pool(states, mask))
            if not tokens:
                return Embeddings(pooled)
            return Embeddings(pooled, to_numpy(states * mask.unsqueeze(2)), mask.cpu().numpy())

    def _pool(self, states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """One vector an item, `[b, width]`."""
        if self._pooling == MEAN:
            weights = mask.unsqueeze(2) / mask.sum(dim=1)[:, None, None]
            return (states * weights).sum(dim=1)
        first = states[:, 0]
        if self._pooling != ITC:
            return first
        head = self._model.vision_head if self._pieces is None else self._model.language_head
        return torch.nn.functional.normalize(head(first).float(), dim=1)

    def _describe(self) -> dict[str, Any]:
        if self._pieces is not None:
            return {"max_length": self._longest}
        scale = {"mean": PICTURE_MEAN, "std": PICTURE_SPREAD}
        return {"size": self._side, "crop": "none", "resample": "bicubic"} | scale


def pad(texts: Sequence[list[int]]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Ids int64 `[b, t]`, padded at the end, and the bool mask `[b, t]` of those that are no padding."""
    lengths = np.asarray([len(ids) for ids in texts])
    mask = np.arange(lengths.max())[None, :] < lengths[:, None]
    padded = np.full(mask.shape, PAD, dtype=np.int64)
    padded[mask] = np.concatenate(texts)
    return padded, mask
