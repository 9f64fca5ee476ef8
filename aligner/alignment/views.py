"""A view as alignment sees it: centred unit vectors in their principal components, and how large they are."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from alignrec.aligner.components import Components
from alignrec.aligner.inputs import Inputs, ModalityInput
from alignrec.core.vocabulary import IMAGE

_COMPONENTS = 256  # of a view, at most
_PICTURES = 0.2  # share of the squared length that pictures have at most, where there is anything else


def fit_view(source: ModalityInput, weight: float = 1.0) -> Components:
    """A view's principal components, at most 256, and no more than its vectors use.

    Args:
        source: the view.
        weight: root of the mean square length of its items' components.
    """
    width = source.pooled.shape[1]
    vectors = source.pooled[source.valid]
    used = int((Components(width, min(_COMPONENTS, width)).fit(vectors, 0).spread > 0).sum())
    components = Components(width, max(used, 1)).fit(vectors, 0)
    components.basis *= weight
    components.spread *= weight
    return components


def view_weights(inputs: Inputs) -> dict[str, float]:
    """How large each view is before all are whitened together.

    All are equally large, but pictures have no more than a fifth of the whole squared length: half the length
    of a single text, and that of each of four. How alike pictures look says less of what is liked together
    than how alike texts are; that is known of catalogues, and cannot be seen in one whose views do not tell
    of one another. The less whitening is damped, the less weights matter.
    """
    pictures = [m for m, source in inputs.items() if is_image(m, source)]
    others = len(inputs) - len(pictures)
    share = _PICTURES / (1 - _PICTURES) * others / max(len(pictures), 1) if others else 1.0
    return {m: min(1.0, share) ** 0.5 if m in pictures else 1.0 for m in inputs}


def is_image(name: str, source: ModalityInput) -> bool:
    """Whether a view is of pictures, by its kind or else its name."""
    return (source.kind or name) == IMAGE


def project_view(
    components: Components, source: ModalityInput, rows: slice | NDArray[np.int64] = slice(None)
) -> NDArray[np.float32]:
    """The components of some items, float32 `[b, used]`, zeros where the view is missing."""
    valid = source.valid[rows]
    out = np.zeros((len(valid), components.basis.shape[1]), dtype=np.float32)
    out[valid] = components(torch.from_numpy(source.pooled[rows][valid])).numpy()
    return out


def view_parts(inputs: Inputs) -> tuple[dict[str, NDArray[np.float32]], dict[str, NDArray[np.bool_]]]:
    """The weighted components of every view of a catalogue, float32 `[n, used]`, and who has it, bool `[n]`.

    Args:
        inputs: views that some item has.
    """
    weights = view_weights(inputs)
    parts = {m: project_view(fit_view(source, weights[m]), source) for m, source in inputs.items()}
    return parts, {m: source.valid for m, source in inputs.items()}


def view_columns(inputs: Inputs) -> dict[str, frozenset[str]]:
    """The columns of the catalogue that each view is made of."""
    return {m: source.columns for m, source in inputs.items()}


def members_by_kind(inputs: Inputs) -> dict[str, list[str]]:
    """The names of the views of each kind of content; a view without one is a kind by itself."""
    groups: dict[str, list[str]] = {}
    for m, source in inputs.items():
        groups.setdefault(source.kind or m, []).append(m)
    return groups
