"""IDs alone: recommenders that know interactions and no content, trained by the same loop as AlignRec."""

from __future__ import annotations

from typing import Unpack

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from alignrec.aligner.evaluate.ranking import Scorer, dot_scorer
from alignrec.aligner.evaluate.splits import TRAIN, Split
from alignrec.aligner.hardware import device_of
from alignrec.aligner.train.model import Collaborative
from alignrec.aligner.train.objective import Objective
from alignrec.aligner.train.settings import TrainSettings
from alignrec.aligner.train.task import UserItemTask
from alignrec.aligner.trainer import Hooks, Trainer


def collaborative(
    split: Split,
    settings: TrainSettings,
    seed: int,
    **hooks: Unpack[Hooks],
) -> Scorer:
    """IDs alone, without content: LightGCN (He et al., SIGIR 2020) when trained by BPR.

    Without layers it is matrix factorisation, and trained by BPR that is BPR-MF (Rendle et al., UAI 2009).
    Items that no training interaction touches take no part, as in AlignRec's own training, and come last: IDs
    know nothing of them.

    Args:
        split: training interactions, and validation to stop by.
        settings: of loss, layers and optimiser; what concerns content has no effect.
        seed: of initial vectors, batches and sampling.
        hooks: to follow and resume the training.
    """
    known = np.asarray(split.matrix(TRAIN).sum(axis=0)).ravel() > 0
    part = split.of_items(known)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Collaborative(part.users, part.items, settings.dim, settings.layers)
    among_known = fit_scorer(model, part, settings, seed, hooks)

    def score(users: NDArray[np.int64]) -> NDArray[np.float32]:
        scores = np.full((len(users), len(known)), np.finfo(np.float32).min, dtype=np.float32)
        scores[:, known] = among_known(users)
        return scores

    return score


def fit_scorer(
    model: nn.Module,
    split: Split,
    settings: TrainSettings,
    seed: int,
    hooks: Hooks,
) -> Scorer:
    """Train a model that represents users and items by interactions alone, and score with it.

    Args:
        model: untrained; it takes the graph of interactions.
        split: training interactions, and validation to stop by.
        settings: of loss and optimiser.
        seed: of batches and sampling.
        hooks: to follow and resume the training.
    """
    device = device_of(settings.device)
    objective = Objective(settings, split.matrix(TRAIN), None, device)
    task = UserItemTask(model.to(device), objective, split, settings, seed)
    Trainer(task).fit(**hooks)
    vectors = task.ranking_vectors(task.represent())
    return dot_scorer(vectors.user, vectors.item)
