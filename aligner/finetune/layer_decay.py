"""Layer-wise decay of the learning rate (Clark et al., arXiv 2003.10555): what lies deep moves less."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from torch import nn

from alignrec.aligner.finetune.model import MaskedModel


def parameter_groups(
    objective: nn.Module, model: MaskedModel, prefix: str, layer_decay: float, weight_decay: float
) -> list[dict[str, Any]]:
    """The parameters in groups for an optimizer, each with its `rate_scale` and weight decay.

    What embeds learns at `layer_decay ** (layers + 1)` times the rate, the last layer at `layer_decay` times
    it, and what follows the layers at the whole. Vectors (norms, biases) and embeddings are not decayed.

    Args:
        objective: all that learns; what is not the model's learns at the whole rate.
        model: tells how deep its parameters lie.
        prefix: of its parameters' names in the objective.
        layer_decay: see above.
        weight_decay: of matrices.
    """
    groups: dict[tuple[float, float], list[nn.Parameter]] = defaultdict(list)
    top = model.layers + 1
    for name, parameter in objective.named_parameters():
        depth = model.depth_of(name.removeprefix(prefix)) if name.startswith(prefix) else top
        decayed = parameter.ndim > 1 and depth > 0
        groups[layer_decay ** (top - depth), weight_decay * decayed].append(parameter)
    return [
        {"params": parameters, "rate_scale": scale, "weight_decay": decay}
        for (scale, decay), parameters in groups.items()
    ]
