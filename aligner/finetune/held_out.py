"""Whether a model has learned what a text tells of a picture, and a picture of a text: on items held out.

Hidden patches' codes are predicted beside the item's own text, beside another item's and beside none, and
hidden word pieces likewise beside pictures. The same is hidden each time, and nothing of what is beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from alignrec.aligner.evaluate.bootstrap import interval
from alignrec.aligner.finetune.items import PAIR_PATCHES, PAIR_WORDS, PixelItems, Step, on_device
from alignrec.aligner.finetune.model import MaskedModel

OWN, OTHERS, NONE = "own", "another item's", "none"


@dataclass(frozen=True)
class Accuracy:
    """The share of hidden tokens that are predicted right, a mean over items.

    Attributes:
        what: `pair patches` or `pair words`.
        own: beside the item's own other content.
        beside: with what that is compared: `another item's`, or `none`.
        other: the accuracy beside that.
        low, high: bounds of the 95% interval of the paired difference.
    """

    what: str
    own: float
    beside: str
    other: float
    low: float
    high: float


@torch.no_grad()
def held_out_accuracy(
    model: MaskedModel,
    items: PixelItems,
    rows: NDArray[np.int64],
    seed: int,
    device: torch.device,
    batch_size: int = 64,
) -> list[Accuracy]:
    """How well what is hidden of pairs is predicted, beside their own content and other.

    Args:
        model: on its device, in evaluation mode.
        items: the catalogue.
        rows: items with picture and text, int64 `[h]`; two at least.
        seed: of what is hidden, and of whose content stands beside it.
        device: of the model.
        batch_size: items at once.
    """
    rng = np.random.default_rng(seed)
    step = Step.drawn(items, rows, rng)
    order = rng.permutation(len(rows))
    other = np.empty_like(order)
    other[order] = np.roll(order, 1)  # no item keeps its own
    correct: dict[tuple[str, str], NDArray[np.float64]] = {}
    for what in (PAIR_PATCHES, PAIR_WORDS):
        for beside, partner in ((OWN, np.arange(len(rows))), (OTHERS, other), (NONE, None)):
            parts = [
                _accuracy(model, items, step, what, places, partner, device)
                for places in np.array_split(np.arange(len(rows)), -(-len(rows) // batch_size))
            ]
            correct[what, beside] = np.concatenate(parts)
    found = []
    for what in (PAIR_PATCHES, PAIR_WORDS):
        counts = step.hidden[what].any(axis=1)  # a short text may hide nothing
        if not counts.any():
            continue
        own = correct[what, OWN][counts]
        for beside in (OTHERS, NONE):
            against = correct[what, beside][counts]
            bounds = interval(own, against)
            found.append(
                Accuracy(what, float(own.mean()), beside, float(against.mean()), bounds.low, bounds.high)
            )
    return found


def _accuracy(
    model: MaskedModel,
    items: PixelItems,
    step: Step,
    what: str,
    places: NDArray[np.int64],
    partner: NDArray[np.int64] | None,
    device: torch.device,
) -> NDArray[np.float64]:
    """The share of an item's hidden tokens that is right, float64 `[b]`; 0 where none is hidden."""
    put = partial(on_device, device=device)
    patches = what == PAIR_PATCHES
    pictures = places if patches else None if partner is None else partner[places]
    texts = places if not patches else None if partner is None else partner[places]
    hidden = put(step.hidden[what][places])
    pixels = None if pictures is None else put(items.pixels(step.rows[pictures]))
    ids = real = None
    if texts is not None:
        ids, real = put(step.ids[texts]), put(step.real[texts])
    if patches:
        targets = put(items.codes[step.rows[places]].astype(np.int64))
        states = model.states(pixels, ids, real, hidden, 1)[0][:, 1 : 1 + hidden.shape[1]]
        best = model.codes(states[hidden]).argmax(dim=1)
    else:
        assert ids is not None
        targets = ids
        ids = ids.masked_fill(hidden, model.mask_id)
        states = model.states(pixels, ids, real, None, 1)[0][:, -hidden.shape[1] :]
        best = model.words(states[hidden]).argmax(dim=1)
    right = torch.zeros(hidden.shape, dtype=torch.float64, device=device)
    right[hidden] = (best == targets[hidden]).double()
    share = right.sum(dim=1) / hidden.sum(dim=1).clamp(min=1)
    return np.asarray(share.cpu().numpy())
