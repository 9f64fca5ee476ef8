"""What is recommended from thinned histories without training, by features and by landmarks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from alignrec.aligner.evaluate.evaluator import Evaluator
from alignrec.aligner.evaluate.scorers import zero_shot
from alignrec.aligner.evaluate.splits import TRAIN, Split
from alignrec.aligner.evaluate.top_k import Evaluations, evaluate_as, measurements
from alignrec.aligner.landmarks.contract import Landmark, LandmarkInput
from alignrec.aligner.landmarks.registry import content_pairs
from alignrec.core.protocols import THINNED
from alignrec.core.results import Measurement


def thinned_evaluation(
    evaluator: Evaluator,
    shares: Sequence[float],
    features: Mapping[str, NDArray[np.float32]],
    landmarks: Iterable[Landmark],
    data: LandmarkInput,
) -> list[Measurement]:
    """Fit the landmarks that are not trained to thinned histories, and measure them and the features.

    Args:
        evaluator: of the run.
        shares: of each user's training interactions that are kept, in (0, 1).
        features: float32 `[items, ·]` by name, which recommend as in zero-shot.
        landmarks: those that are trained are left out.
        data: what they learn from on whole histories; its seed draws what is kept.

    Returns:
        As `measurements`, share by share.
    """
    fitted = [mark for mark in landmarks if not mark.trained]
    records = []
    for share in shares:
        kept = evaluator.split.thinned(share, data.seed)
        results: dict[str, Mapping[int | None, Evaluations]] = {
            name: {None: reached} for name, reached in features_on(kept, features, evaluator).items()
        }
        for mark in fitted:
            scorer = mark.fit(replace(data, split=kept))
            results[mark.name] = {None: evaluate_as(THINNED, scorer, evaluator)}
        records += measurements(results, content_pairs(), share) if results else []
    return records


def features_on(
    kept: Split, features: Mapping[str, NDArray[np.float32]], evaluator: Evaluator
) -> dict[str, Evaluations]:
    """What features float32 `[items, ·]` reach that know a thinned split's histories, as in zero-shot."""
    history = kept.matrix(TRAIN)
    return {
        name: evaluate_as(THINNED, zero_shot(matrix, history), evaluator) for name, matrix in features.items()
    }
