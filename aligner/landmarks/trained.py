"""Recommenders that are trained by the same loop as AlignRec, to be measured against it."""

from __future__ import annotations

from typing import Unpack

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from alignrec.aligner.evaluate.protocols import ContentSpace
from alignrec.aligner.evaluate.ranking import Scorer, dot_scorer
from alignrec.aligner.evaluate.splits import TRAIN, Split
from alignrec.aligner.hardware import device_of
from alignrec.aligner.train.graphs import Graph
from alignrec.aligner.train.model import Collaborative, Representations, Sides
from alignrec.aligner.train.objective import Objective
from alignrec.aligner.train.settings import TrainSettings
from alignrec.aligner.train.task import UserItemTask
from alignrec.aligner.trainer import Hooks, Trainer

_SCALE = 0.1


class VisualBPR(nn.Module):
    """VBPR (He and McAuley, AAAI 2016), for any features: u·i + t·(E f) + b, half of `dim` for each product.

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
        sides = Sides(user, torch.cat([self.item, self.embed(self.features), self.bias], dim=1))
        return Representations(sides, sides)


def collaborative(
    split: Split,
    settings: TrainSettings,
    seed: int,
    **hooks: Unpack[Hooks],
) -> Scorer:
    """IDs alone, without content: LightGCN (He et al., SIGIR 2020) when trained by BPR.

    Without layers it is matrix factorisation, and trained by BPR that is BPR-MF (Rendle et al., UAI 2009).

    Args:
        split: training interactions, and validation to stop by.
        settings: of loss, layers and optimiser; what concerns content has no effect.
        seed: of initial vectors, batches and sampling.
        hooks: to follow and resume the training.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Collaborative(split.users, split.items, settings.dim, settings.layers)
    return _fitted(model, split, settings, seed, hooks)


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
    return _fitted(model, split, settings, seed, hooks)


def _fitted(
    model: nn.Module,
    split: Split,
    settings: TrainSettings,
    seed: int,
    hooks: Hooks,
) -> Scorer:
    device = device_of(settings.device)
    objective = Objective(settings, split.matrix(TRAIN), None, device)
    task = UserItemTask(model.to(device), objective, split, settings, seed)
    Trainer(task).fit(**hooks)
    return dot_scorer(*task.vectors(task.represent()))
