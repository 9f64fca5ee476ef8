"""Full AlignRec training: pretrained features in, aligned, content and user vectors out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Unpack

import numpy as np
import scipy.sparse as sp
import torch
from numpy.typing import NDArray

from alignrec.aligner.content_space import ContentSpace
from alignrec.aligner.errors import FeatureError
from alignrec.aligner.evaluate.splits import TRAIN, Split
from alignrec.aligner.hardware import device_of
from alignrec.aligner.train.aligned_encoder import AlignedEncoder
from alignrec.aligner.train.graphs import content_neighbours, graph, symmetric
from alignrec.aligner.train.model import AlignRec
from alignrec.aligner.train.objective import Objective
from alignrec.aligner.train.settings import TrainSettings
from alignrec.aligner.train.task import UserItemTask
from alignrec.aligner.train.whole_log import Chosen, WholeLogTask
from alignrec.aligner.trainer import Fit, Hooks, Trainer

Floats = NDArray[np.float32]
Neighbours = Callable[[Floats, int, int], sp.csr_array]


@dataclass(frozen=True, eq=False)
class Trained:
    """What training gives.

    Attributes:
        aligned: float32 `[items, ·]`, the final item representations; their dot product with `user` is the
            score that recommends. After `train.dim` columns come those of the zero-shot term, as many as
            features have, if its weight is not 0, and last one of the popularity term, if there is one.
        content: float32 `[items, d]`, the refined content vectors.
        user: float32, as wide as `aligned`; zeros for users without training interactions, but for the ones
            of the popularity term's column.
        origin: bool `[items]`: trained on interactions; the others come from their content and neighbours.
        valid: bool `[items]`: has a vector; False, and zeros, without interactions and without features.
        fit: curves and the best epoch.
        encoder: gives vectors of new items.
        validation: recall and NDCG at 10 and 20 by these vectors; empty where nothing was held out.
        popularity: the weight of the popularity term; 0 without one.
        zero_shot: the weight of the zero-shot term; 0 without one.
    """

    aligned: Floats
    content: Floats
    user: Floats
    origin: NDArray[np.bool_]
    valid: NDArray[np.bool_]
    fit: Fit
    encoder: AlignedEncoder
    validation: dict[str, float]
    popularity: float
    zero_shot: float


def train(
    features: NDArray[np.floating],
    valid: NDArray[np.bool_],
    split: Split,
    settings: TrainSettings,
    seed: int,
    *,
    neighbours: Neighbours = content_neighbours,
    chosen: Chosen | None = None,
    **hooks: Unpack[Hooks],
) -> Trained:
    """Train content-category and user-item alignment on top of pretrained features.

    Items that no training interaction touches take no part: an ID vector that nothing moved is noise, and
    would spread to similar items. They get their vectors afterwards, as any new item does.

    Args:
        features: float `[items, e]`, as a rule the `multimodal` set.
        valid: bool `[items]`, which items have features.
        split: training interactions to learn from, validation to stop by; test is not looked at.
        settings: of model, loss and optimiser.
        seed: of initial vectors, batches and sampling; with one CPU, thread count and set of versions, the
            same seed gives the same bytes.
        neighbours: finds the content graph; a caller may keep what `content_neighbours` found.
        chosen: what validation chose in an earlier training: how long to train, and the weights of the
            terms.
            With it, interactions of all parts are learned from: vectors to serve with, and not to measure.
        hooks: to follow and resume the training.

    Raises:
        FeatureError: features do not fit the split, are not finite, or need FAISS that is not installed.
        SplitError: there is nothing to train on, or without `chosen` to validate on.
        AlignerError: the device is absent, or training diverged.
    """
    if chosen is not None:
        split = split.undivided()
    if features.shape[:1] != (split.items,) or valid.shape != (split.items,):
        raise FeatureError(
            f"expected features and marks of {split.items} items, got {features.shape} and {valid.shape}"
        )
    if not np.isfinite(features).all():
        raise FeatureError("features hold NaN or infinite values: mark such items as not valid, with zeros")
    warm = np.asarray(split.matrix(TRAIN).sum(axis=0)).ravel() > 0
    space = ContentSpace.of(features, valid)
    known = space(features[warm], valid[warm])
    part = split.of_items(warm)
    device = device_of(settings.device)
    similar = neighbours(known, settings.other_neighbours, settings.exact_neighbours)
    model = build(known, similar, part.users, settings, seed, device)
    objective = Objective(settings, part.matrix(TRAIN), torch.from_numpy(known).to(device), device)
    task = (
        UserItemTask(model, objective, part, settings, seed)
        if chosen is None
        else WholeLogTask(model, objective, part, settings, seed, chosen)
    )
    fit = Trainer(task).fit(**hooks)
    representations = task.represent()
    assert representations.content is not None
    ranking = task.ranking_vectors(representations)
    encoder = AlignedEncoder.from_model(model, representations, space, known, similar, settings, ranking)
    aligned, content = encoder.encode(features, valid & ~warm)
    aligned[warm], content[warm] = ranking.item, representations.content.item.cpu().numpy()
    return Trained(
        aligned,
        content,
        ranking.user,
        warm,
        warm | valid,
        fit,
        encoder,
        task.ranking_validation(ranking),
        0.0 if ranking.popularity is None else ranking.popularity.weight,
        ranking.zero_shot,
    )


def build(
    features: Floats,
    neighbours: sp.csr_array,
    users: int,
    settings: TrainSettings,
    seed: int,
    device: torch.device,
) -> AlignRec:
    """An untrained model; its parameters are the same on every device.

    Args:
        features: float32 `[items, e]`, unit rows or zeros.
        neighbours: their content graph, as `content_neighbours` makes it.
        users: how many there are.
        settings: sizes and layers.
        seed: of the initial parameters.
        device: where it goes.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = AlignRec(
            users,
            torch.from_numpy(features),
            graph(symmetric(neighbours) if settings.form == "paper" else neighbours).to(device),
            settings.dim,
            settings.layers,
            settings.content_layers,
            paper=settings.form == "paper",
            trained_features=settings.trained_features,
        )
    return model.to(device)
