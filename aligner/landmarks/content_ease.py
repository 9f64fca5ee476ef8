"""EASE that looks at content too: features beside users in its Gram matrix (Jeunen et al., RecSys 2020)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PositiveFloat

from alignrec.aligner.content_space import centre
from alignrec.aligner.evaluate.ranking import Scorer
from alignrec.aligner.evaluate.splits import TRAIN
from alignrec.aligner.landmarks.contract import Landmark, LandmarkInput
from alignrec.aligner.landmarks.ease import (
    MAX_ITEMS,
    START,
    EaseSettings,
    gram,
    linear_scorer,
    solve,
)
from alignrec.aligner.landmarks.search import climb, validation_recall


class ContentEaseSettings(EaseSettings):
    """Settings of EASE with content, among which validation chooses."""

    content: tuple[PositiveFloat, ...] = Field(
        (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0),
        min_length=1,
        description="how much the features weigh: at 1 as much as an average item's interactions",
    )
    budget: int = Field(18, ge=1, description="settings that are tried at most")


SETTINGS = ContentEaseSettings()


def add_content(
    shared: NDArray[np.float64], features: NDArray[np.floating], content: float
) -> NDArray[np.float64]:
    """A Gram matrix in which every dimension of the features is one more user, of weight `content`.

    Args:
        shared: float64 `[items, items]`, as `gram` gives it.
        features: float `[items, e]`, unit rows or zeros.
        content: times the mean of `shared`'s diagonal, which is an average item's interactions.

    Returns:
        float64 `[items, items]`.
    """
    rows = features.astype(np.float64)
    with_content: NDArray[np.float64] = shared + content * np.diag(shared).mean() * (rows @ rows.T)
    return with_content


def fit(data: LandmarkInput) -> Scorer:
    """Search for its settings, and solve it on the centred features."""
    features = centre(*data.content())
    history = data.split.matrix(TRAIN)
    shared = lru_cache(maxsize=1)(partial(gram, history))  # a search tries many other settings on one

    def solved(chosen: Mapping[str, float]) -> Scorer:
        both = add_content(shared(chosen["balance"]), features, chosen["content"])
        return linear_scorer(history, solve(both, chosen["penalty"]))

    best = climb(
        SETTINGS.model_dump(exclude={"budget"}),
        {**START, "content": 0.3},
        lambda chosen: validation_recall(solved(chosen), data.split),
        SETTINGS.budget,
    )
    return solved(best)


CONTENT_EASE = Landmark(
    "EASE with content",
    "EASE whose Gram matrix holds the centred multimodal features too; settings of the best validation "
    "Recall@20 of at most 18; left out above 20,000 items",
    fit,
    citation="Jeunen et al., RecSys 2020",
    year=2020,
    settings=SETTINGS,
    needs_features=True,
    max_items=MAX_ITEMS,
    without_content="EASE",
)
