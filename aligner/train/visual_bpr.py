"""VBPR (He and McAuley, AAAI 2016): matrix factorisation with a second product, of users with features."""

from __future__ import annotations

from typing import Unpack

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from alignrec.aligner.content_space import ContentSpace
from alignrec.aligner.evaluate.ranking import Scorer
from alignrec.aligner.evaluate.splits import Split
from alignrec.aligner.train.collaborative import fit_scorer
from alignrec.aligner.train.graphs import Graph
from alignrec.aligner.train.model import Representations, UserItemVectors
from alignrec.aligner.train.settings import TrainSettings
from alignrec.aligner.trainer import Hooks

_SCALE = 0.1


class VisualBPR(nn.Module):
    """For any features: u·i + t·(E f) + b, half of `dim` for each product.

    The bias rides along as one more dimension in which every user is 1.
    """

    features: torch.Tensor

    def __init__(self, users: int, features: torch.Tensor, dim: int) -> None:
        """Make an untrained model; features float32 `[items, e]`."""
        super().__init__()
        half = dim // 2
        self.user = nn.Parameter(torch.randn(users, 2 * half) * _SCALE)
        self.item = nn.Parameter(torch.randn(len(features), half) * _SCALE)
        self.bias = nn.Parameter(torch.zeros(len(features), 1))
        self.embed = nn.Linear(features.shape[1], half, bias=False)
        self.register_buffer("features", features, persistent=False)

    def forward(self, _interactions: Graph) -> Representations:
        """All users and items; the interactions are only learned from."""
        user = torch.cat([self.user, torch.ones_like(self.user[:, :1])], dim=1)
        vectors = UserItemVectors(user, torch.cat([self.item, self.embed(self.features), self.bias], dim=1))
        return Representations(vectors, vectors)


def vbpr(
    features: NDArray[np.floating],
    valid: NDArray[np.bool_],
    split: Split,
    settings: TrainSettings,
    seed: int,
    **hooks: Unpack[Hooks],
) -> Scorer:
    """VBPR on centred features, float `[items, e]`, of which the rows in `valid` count."""
    space = ContentSpace.of(features, valid)(features, valid)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = VisualBPR(split.users, torch.from_numpy(space), settings.dim)
    return fit_scorer(model, split, settings, seed, hooks)
