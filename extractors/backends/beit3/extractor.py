"""BEiT-3 as an extractor of pictures, of texts, or of both at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from alignrec.core.files import sha256_file
from alignrec.extractors.backends.beit3.checkpoint import load_checkpoint
from alignrec.extractors.backends.beit3.files import ITC, MEAN, BEiT3Files
from alignrec.extractors.backends.beit3.preparation import (
    PICTURE_MEAN,
    PICTURE_SPREAD,
    Preparation,
    Prepared,
    open_word_pieces,
    pad,
    scaled,
)
from alignrec.extractors.contract import Embeddings, Extractor, ExtractorCard
from alignrec.extractors.errors import ExtractorError
from alignrec.extractors.modality import IMAGE, PAIR, TEXT, Kind
from alignrec.extractors.runtime import Runtime, to_numpy


class BEiT3Extractor(Extractor):
    """Pooled: as the model's name says. Tokens: the last states, `[CLS]` or what begins a text first."""

    def __init__(self, files: BEiT3Files, kind: Kind, runtime: Runtime) -> None:
        """Load a checkpoint, and the word pieces beside it where texts are read.

        Raises:
            ExtractorError: either cannot be read, or the checkpoint has no head that the pooling needs.
        """
        model = load_checkpoint(files.weights)
        sizes = model.beit3.sizes
        if files.pooling == ITC and kind is PAIR:
            raise ExtractorError(
                f"{files.name}: the heads of image-text contrast are of pictures alone and of texts alone; "
                "both at once have cls and mean"
            )
        if files.pooling == ITC and not sizes.retrieval:
            raise ExtractorError(
                f"{files.name}: {files.weights} has no head of image-text contrast; its authors' files with "
                "itc in their names have one, and cls and mean need none"
            )
        self._prepare = Preparation(sizes, None if kind is IMAGE else open_word_pieces(files, sizes))
        self._pooling, self._sizes, self._kind, self._runtime = files.pooling, sizes, kind, runtime
        self._model = runtime.place(model)
        self.device = runtime.device.type
        # On two CPU cores, busy with more: 0.27 pictures a second at 2 a batch, 0.45 at 4, 0.70 at 16.
        self.batch_size = 128 if runtime.is_cuda else 16
        self.picture_side = 0 if kind is TEXT else sizes.image
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

    def prepare(self, value: Any) -> Prepared:
        """Prepare a picture, a text, or a `Pair` of them."""
        return self._prepare(value)

    def length(self, prepared: Prepared) -> int:
        """Number of tokens; 0 for pictures alone, which have one size."""
        if self._kind is IMAGE:
            return 0
        return (prepared.pixels is not None) * (1 + self._sizes.patches) + len(prepared.ids or ())

    def embed(self, prepared: Sequence[Prepared], tokens: bool = False) -> Embeddings:
        """See `Extractor.embed`."""
        alike: dict[tuple[bool, bool], list[int]] = defaultdict(list)
        for place, one in enumerate(prepared):
            alike[one.form].append(place)
        parts = [(places, *self._forward([prepared[p] for p in places])) for places in alike.values()]
        pooled = np.zeros((len(prepared), self._sizes.width), dtype=np.float32)
        for places, states, mask in parts:
            with self._runtime.forward():
                pooled[places] = to_numpy(self._pool(states, mask, prepared[places[0]]))
        if not tokens:
            return Embeddings(pooled)
        longest = max(mask.shape[1] for _, _, mask in parts)
        sequence = np.zeros((len(prepared), longest, self._sizes.width), dtype=np.float32)
        real = np.zeros((len(prepared), longest), dtype=np.bool_)
        for places, states, mask in parts:
            sequence[places, : mask.shape[1]] = to_numpy(states * mask.unsqueeze(2))
            real[places, : mask.shape[1]] = mask.cpu().numpy()
        return Embeddings(pooled, sequence, real)

    def _forward(self, prepared: Sequence[Prepared]) -> tuple[torch.Tensor, torch.Tensor]:
        """The states `[b, t, width]` of items of one form, and the bool mask `[b, t]` of real tokens."""
        pixels = ids = mask = None
        masks = []
        if prepared[0].pixels is not None:
            stacked = np.stack([one.pixels for one in prepared if one.pixels is not None])
            pixels = scaled(self._runtime.tensor(stacked))
            masks.append(np.ones((len(prepared), 1 + self._sizes.patches), dtype=np.bool_))
        if prepared[0].ids is not None:
            padded, real = pad([one.ids for one in prepared if one.ids is not None])
            ids, mask = self._runtime.tensor(padded), self._runtime.tensor(real)
            masks.append(real)
        with self._runtime.forward():
            states = self._model.beit3(pixels, ids, mask).float()
        return states, self._runtime.tensor(np.concatenate(masks, axis=1))

    def _pool(self, states: torch.Tensor, mask: torch.Tensor, one: Prepared) -> torch.Tensor:
        """One vector an item, `[b, width]`, for items of the form of one of them."""
        if self._pooling == MEAN:
            weights = mask.unsqueeze(2) / mask.sum(dim=1)[:, None, None]
            return (states * weights).sum(dim=1)
        first = states[:, 0]
        if self._pooling != ITC:
            return first
        head = self._model.language_head if one.pixels is None else self._model.vision_head
        return torch.nn.functional.normalize(head(first).float(), dim=1)

    def _describe(self) -> dict[str, Any]:
        stated: dict[str, Any] = {}
        if self._kind is not TEXT:
            stated |= {"size": self._sizes.image, "crop": "none", "resample": "bicubic"}
            stated |= {"mean": PICTURE_MEAN, "std": PICTURE_SPREAD}
        return stated if self._kind is IMAGE else stated | {"max_length": self._prepare.longest}
