"""How large the components of each modality are in the item vector, where content decides."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from threadpoolctl import threadpool_limits
from torch import Tensor, nn

from alignrec.aligner.alignment.consensus import joint_covariance, mean_eigenvalue
from alignrec.aligner.alignment.strength import choose_strength
from alignrec.aligner.alignment.views import view_columns, view_parts, view_weights
from alignrec.aligner.components import Components
from alignrec.aligner.hardware import one_thread_if_small
from alignrec.aligner.inputs import Inputs

_SEED = 0  # of what content decides; the same whatever is trained


class PartScale(nn.Module):
    """What each component of a part is multiplied by.

    The encoder predicts components as it was taught to; that the vector gives them other sizes is no matter
    of training.
    """

    scale: Tensor

    def __init__(self, components: int, size: float, *, saved: bool) -> None:
        """Make one that multiplies all by `size`; `saved` if another is to be set, and is to be kept."""
        super().__init__()
        self.register_buffer("scale", torch.full((components,), size), persistent=saved)

    def forward(self, part: Tensor) -> Tensor:
        """A part `[b, components]`, as large as the item vector has it."""
        return part * self.scale


def scales_by_content(inputs: Inputs, components: Mapping[str, Components]) -> dict[str, Tensor]:
    """Scales that whiten every modality alone, as strongly as content says (see `choose_strength`).

    Whole items then have the vectors of `alignment.consensus.Consensus` without its alignment. The squared
    sizes of all modalities are 1 in the mean.

    Args:
        inputs: the catalogue.
        components: of each modality, fitted to it, by the alphabet.

    Returns:
        float32 `[components]` for each modality; 0 where nothing varies.
    """
    inputs = {m: inputs[m] for m in components}
    with one_thread_if_small(0), threadpool_limits(1):
        parts, valid = view_parts(inputs)
        strength = choose_strength(parts, valid, _SEED, view_columns(inputs))
        ridge = strength * mean_eigenvalue(joint_covariance(parts, valid))
    weights, scales, squares = view_weights(inputs), {}, 0.0
    for m, fitted in components.items():
        unscaled = Components(*fitted.basis.shape).fit(inputs[m].pooled[inputs[m].valid], whiten=0)
        deviation, spread = unscaled.spread.double(), fitted.spread.double()
        length = deviation / (deviation.square() + ridge / weights[m] ** 2).sqrt()
        scales[m] = torch.where(spread > 0, length / spread, 0.0)
        squares += float(length[spread > 0].square().sum())
    mean = math.sqrt(squares / len(scales)) or 1.0
    return {m: (scale / mean).float() for m, scale in scales.items()}
