"""What BEiT-3 is given of an item: its picture as pixels of a square, its text as ids of word pieces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from alignrec.extractors.backends.beit3.files import BEiT3Files
from alignrec.extractors.backends.beit3.model import Sizes
from alignrec.extractors.backends.beit3.word_pieces import PAD, WordPieces
from alignrec.extractors.errors import ExtractorError
from alignrec.extractors.inputs.pair import Pair

# As the authors prepare pictures to evaluate: the whole picture as a square, bicubic, from -1 to 1.
PICTURE_MEAN, PICTURE_SPREAD = 127.5, 127.5
LONGEST = 128  # word pieces of a text that are read, as AlignRec reads them


@dataclass(frozen=True, eq=False)
class Prepared:
    """What an item has: its picture as uint8 `[side, side, 3]`, the ids of its text, or both."""

    pixels: NDArray[np.uint8] | None
    ids: list[int] | None

    @property
    def form(self) -> tuple[bool, bool]:
        """Whether there is a picture, and whether there is a text."""
        return self.pixels is not None, self.ids is not None


class Preparation:
    """Prepares items for an encoder of given sizes.

    Attributes:
        longest: ids of a text that are read.
    """

    def __init__(self, sizes: Sizes, pieces: WordPieces | None) -> None:
        """Texts are left out without word pieces."""
        self.longest = min(LONGEST, sizes.longest)
        self._side, self._pieces = sizes.image, pieces

    def __call__(self, value: Any) -> Prepared:
        """Prepare a picture, a text, or a `Pair` of them."""
        pair = Pair.of(value)
        return Prepared(
            None if pair.picture is None else self._square(pair.picture),
            None if pair.text is None or self._pieces is None else self._pieces(pair.text, self.longest),
        )

    def _square(self, picture: Image.Image) -> NDArray[np.uint8]:
        side = self._side
        return np.asarray(picture.resize((side, side), Image.Resampling.BICUBIC))


def scaled(pixels: torch.Tensor) -> torch.Tensor:
    """Pictures uint8 `[b, side, side, 3]` as the encoder takes them, float `[b, 3, side, side]`."""
    return ((pixels.float() - PICTURE_MEAN) / PICTURE_SPREAD).permute(0, 3, 1, 2)


def pad(texts: Sequence[list[int]]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Ids int64 `[b, t]`, padded at the end, and the bool mask `[b, t]` of those that are no padding."""
    lengths = np.asarray([len(ids) for ids in texts])
    mask = np.arange(lengths.max())[None, :] < lengths[:, None]
    padded = np.full(mask.shape, PAD, dtype=np.int64)
    padded[mask] = np.concatenate(texts)
    return padded, mask


def open_word_pieces(files: BEiT3Files, sizes: Sizes) -> WordPieces:
    """The word pieces beside a checkpoint, none of which is unknown to it.

    Raises:
        ExtractorError: they cannot be read, or are of another checkpoint.
    """
    path = files.word_pieces()
    pieces = WordPieces(path)
    if pieces.vocabulary > sizes.vocabulary:
        raise ExtractorError(
            f"{path} has {pieces.vocabulary} word pieces, more than the {sizes.vocabulary} that "
            f"{files.weights} knows: they do not belong together"
        )
    return pieces
