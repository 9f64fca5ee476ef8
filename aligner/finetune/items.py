"""The catalogue as fine-tuning sees it: pixels, visual codes and word pieces; and batches of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from alignrec.aligner.errors import FeatureError
from alignrec.aligner.finetune.masking import (
    OF_A_PAIR_S_TEXT,
    OF_A_TEXT_ALONE,
    hide_blocks,
    hide_words,
)

# What is predicted: patches and word pieces, of a picture or text alone and of a pair of both.
PATCHES, WORDS, PAIR_PATCHES, PAIR_WORDS = "patches", "words", "pair patches", "pair words"
# Whose `[CLS]` has to name the pieces of the item's text: a picture's, a text's, a pair's.
PICTURE_LABELS, TEXT_LABELS, PAIR_LABELS = "labels of pictures", "labels of texts", "labels of pairs"


@dataclass(frozen=True, eq=False)
class PixelItems:
    """Pictures and texts of all items.

    Attributes:
        pixels: gives the pictures of items int64 `[b]` as uint8 `[b, side, side, 3]`, zeros where there is
            none; they may lie on disk.
        codes: the visual code of each patch, int32 `[n, patches]`.
        picture: bool `[n]`, which items have a picture.
        texts: the ids of each item's text, those that begin and end it among them; empty for none.

    Raises:
        FeatureError: the parts differ in the number of items.
    """

    pixels: Callable[[NDArray[np.int64]], NDArray[np.uint8]]
    codes: NDArray[np.int32]
    picture: NDArray[np.bool_]
    texts: list[list[int]]

    def __post_init__(self) -> None:
        """Check that all parts speak of the same items."""
        if not len(self.codes) == len(self.picture) == len(self.texts):
            raise FeatureError(
                f"expected codes, pictures and texts of the same items, got {len(self.codes)}, "
                f"{len(self.picture)} and {len(self.texts)}"
            )

    @property
    def text(self) -> NDArray[np.bool_]:
        """Which items have a text, bool `[n]`."""
        return np.array([bool(ids) for ids in self.texts], dtype=np.bool_)

    def padded(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The ids of some items' texts, int64 `[b, t]`, zeros after their ends, and their lengths `[b]`."""
        texts = [self.texts[row] for row in rows]
        lengths = np.array([len(ids) for ids in texts], dtype=np.int64)
        ids = np.zeros((len(texts), max(int(lengths.max(initial=0)), 1)), dtype=np.int64)
        real = np.arange(ids.shape[1])[None, :] < lengths[:, None]
        ids[real] = [piece for text in texts for piece in text]
        return ids, lengths


@dataclass(frozen=True, eq=False)
class Step:
    """The items of one step and what is hidden of them, before their pixels are read.

    Attributes:
        rows: int64 `[b]`.
        ids: int64 `[b, t]`.
        lengths: int64 `[b]`.
        hidden: bool `[b, patches]` or `[b, t]` by what is predicted; nothing of what an item lacks.
        totals: how many are hidden in the whole step, by the same names; and how many texts have to be named,
            by whose `[CLS]` has to.
    """

    rows: NDArray[np.int64]
    ids: NDArray[np.int64]
    lengths: NDArray[np.int64]
    hidden: Mapping[str, NDArray[np.bool_]]
    totals: Mapping[str, int]

    @property
    def real(self) -> NDArray[np.bool_]:
        """Bool `[b, t]`, False at padding."""
        return np.arange(self.ids.shape[1])[None, :] < self.lengths[:, None]

    @classmethod
    def drawn(cls, items: PixelItems, rows: NDArray[np.int64], rng: np.random.Generator) -> Step:
        """A step of items, each of which hides patches and words twice over: alone, and as a pair."""
        ids, lengths = items.padded(rows)
        side = round(items.codes.shape[1] ** 0.5)
        picture, pair = items.picture[rows], items.picture[rows] & (lengths > 0)
        width = ids.shape[1]

        def blocks(marks: NDArray[np.bool_]) -> NDArray[np.bool_]:
            found = np.zeros((len(rows), side * side), dtype=np.bool_)
            for place in np.flatnonzero(marks):
                found[place] = hide_blocks(side, side, rng)
            return found

        hidden = {
            PATCHES: blocks(picture),
            WORDS: hide_words(lengths, OF_A_TEXT_ALONE, rng, width),
            PAIR_PATCHES: blocks(pair),
            PAIR_WORDS: hide_words(lengths * pair, OF_A_PAIR_S_TEXT, rng, width),
        }
        named = {PICTURE_LABELS: pair, TEXT_LABELS: lengths > 0, PAIR_LABELS: pair}
        totals = {name: int(marks.sum()) for name, marks in (hidden | named).items()}
        return cls(rows, ids, lengths, hidden, totals)

    def parts(self, count: int) -> Iterator[Step]:
        """The same step in at most so many parts, which know how much is hidden in all of them."""
        for places in np.array_split(np.arange(len(self.rows)), min(count, len(self.rows))):
            hidden = {name: marks[places] for name, marks in self.hidden.items()}
            yield Step(self.rows[places], self.ids[places], self.lengths[places], hidden, self.totals)


@dataclass(frozen=True, eq=False)
class Batch:
    """A step, or a part of one, on the model's device.

    Attributes:
        pixels: uint8 `[b, side, side, 3]`.
        codes: int64 `[b, patches]`.
        ids: int64 `[b, t]`.
        real: bool `[b, t]`, False at padding.
        picture, text: bool `[b]`, what an item has.
        hidden, totals: see `Step`.
    """

    pixels: torch.Tensor
    codes: torch.Tensor
    ids: torch.Tensor
    real: torch.Tensor
    picture: torch.Tensor
    text: torch.Tensor
    hidden: Mapping[str, torch.Tensor]
    totals: Mapping[str, int]

    @classmethod
    def read(cls, items: PixelItems, step: Step, device: torch.device) -> Batch:
        """Read the pixels of a step."""
        put = partial(on_device, device=device)
        return cls(
            put(items.pixels(step.rows)),
            put(items.codes[step.rows].astype(np.int64)),
            put(step.ids),
            put(step.real),
            put(items.picture[step.rows]),
            put(step.lengths > 0),
            {name: put(marks) for name, marks in step.hidden.items()},
            step.totals,
        )


def on_device(array: NDArray[np.generic], device: torch.device) -> torch.Tensor:
    """An array of any strides as a tensor on a device."""
    return torch.from_numpy(np.ascontiguousarray(array)).to(device)
