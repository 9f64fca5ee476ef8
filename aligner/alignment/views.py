"""A view as alignment sees it: centred unit vectors in their principal components."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from alignrec.aligner.components import Components
from alignrec.aligner.inputs import Inputs, ModalityInput

_COMPONENTS = 256  # of a view, at most


def fit_view(source: ModalityInput) -> Components:
    """A view's principal components, at most 256, and no more than its vectors use."""
    width = source.pooled.shape[1]
    vectors = source.pooled[source.valid]
    used = int((Components(width, min(_COMPONENTS, width)).fit(vectors, 0).spread > 0).sum())
    return Components(width, max(used, 1)).fit(vectors, 0)


def project_view(
    components: Components, source: ModalityInput, rows: slice = slice(None)
) -> NDArray[np.float32]:
    """The components of some items, float32 `[b, used]`, zeros where the view is missing."""
    valid = source.valid[rows]
    out = np.zeros((len(valid), components.basis.shape[1]), dtype=np.float32)
    out[valid] = components(torch.from_numpy(source.pooled[rows][valid])).numpy()
    return out


def view_parts(inputs: Inputs) -> tuple[dict[str, NDArray[np.float32]], dict[str, NDArray[np.bool_]]]:
    """The components of every view of a catalogue, float32 `[n, used]`, and who has it, bool `[n]`.

    Args:
        inputs: views that some item has.
    """
    parts = {m: project_view(fit_view(source), source) for m, source in inputs.items()}
    return parts, {m: source.valid for m, source in inputs.items()}


def view_columns(inputs: Inputs) -> dict[str, frozenset[str]]:
    """The columns of the catalogue that each view is made of."""
    return {m: source.columns for m, source in inputs.items()}
