"""A trained run against the landmarks that take seconds, under one seed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from alignrec.aligner.evaluate.evaluator import Evaluator
from alignrec.aligner.evaluate.ranking import Scorer
from alignrec.aligner.evaluate.top_k import Evaluations, evaluate_all, measurements
from alignrec.aligner.landmarks.contract import Landmark, LandmarkInput
from alignrec.core.results import Measurement
from alignrec.core.vocabulary import ALIGNED, CONTROL


def quick_evaluation(
    evaluator: Evaluator,
    aligned: Scorer,
    control: Evaluations,
    landmarks: Iterable[Landmark],
    data: LandmarkInput,
    elsewhere: Mapping[str, Evaluations] | None = None,
) -> list[Measurement]:
    """Fit and measure the landmarks, and our own recommender against them.

    Args:
        evaluator: of the run.
        aligned: our own recommender, trained under the seed of `data`.
        control: what it reaches without content, under the same seed.
        landmarks: that it is compared with.
        data: what they learn from.
        elsewhere: what other systems reached, whose lists were read, by name.

    Returns:
        As `measurements`.
    """
    results: dict[str, Mapping[int | None, Evaluations]] = {
        ALIGNED: {data.seed: evaluate_all(aligned, evaluator)},
        CONTROL: {data.seed: control},
    }
    for landmark in landmarks:
        seed = data.seed if landmark.trained else None
        results[landmark.name] = {seed: evaluate_all(landmark.fit(data), evaluator)}
    results |= {name: {None: reached} for name, reached in (elsewhere or {}).items()}
    return measurements(results)


def rivals(landmarks: Iterable[Landmark], data: LandmarkInput) -> dict[str, dict[str, Scorer]]:
    """The landmarks that stand beside untrained features: by protocol, by their names there."""
    found: dict[str, dict[str, Scorer]] = {}
    for landmark in (landmark for landmark in landmarks if landmark.rivals):
        scorer = landmark.fit(data)
        for protocol, name in landmark.rivals.items():
            found.setdefault(protocol, {})[name] = scorer
    return found
