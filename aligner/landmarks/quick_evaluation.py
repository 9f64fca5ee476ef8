"""A trained run against the landmarks that take seconds, under one seed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from alignrec.aligner.evaluate.evaluator import Evaluator
from alignrec.aligner.evaluate.ranking import Scorer
from alignrec.aligner.evaluate.top_k import Evaluations, evaluate_all, measurements
from alignrec.aligner.landmarks.contract import Landmark
from alignrec.aligner.landmarks.registry import content_pairs
from alignrec.core.results import Measurement
from alignrec.core.vocabulary import ALIGNED, CONTROL

# Fits and measures a landmark, once however often it is asked.
Reach = Callable[[Landmark], Evaluations]


def quick_evaluation(
    evaluator: Evaluator,
    aligned: Scorer,
    control: Evaluations,
    landmarks: Iterable[Landmark],
    reach: Reach,
    seed: int,
    elsewhere: Mapping[str, Evaluations] | None = None,
) -> list[Measurement]:
    """Our own recommender against the landmarks.

    Args:
        evaluator: of the run.
        aligned: our own recommender.
        control: what it reaches without content, under the same seed.
        landmarks: that it is compared with.
        reach: what each of them reaches.
        seed: of whatever is trained.
        elsewhere: what other systems reached, whose lists were read, by name.

    Returns:
        As `measurements`.
    """
    results: dict[str, Mapping[int | None, Evaluations]] = {
        ALIGNED: {seed: evaluate_all(aligned, evaluator)},
        CONTROL: {seed: control},
    }
    for landmark in landmarks:
        results[landmark.name] = {seed if landmark.trained else None: reach(landmark)}
    results |= {name: {None: reached} for name, reached in (elsewhere or {}).items()}
    return measurements(results, content_pairs())


def rivals(landmarks: Iterable[Landmark], reach: Reach) -> dict[str, dict[str, Evaluations]]:
    """What the landmarks reach that stand beside untrained features: by protocol, by their names there."""
    found: dict[str, dict[str, Evaluations]] = {}
    for landmark in (landmark for landmark in landmarks if landmark.rivals):
        for protocol, name in landmark.rivals.items():
            found.setdefault(protocol, {})[name] = reach(landmark)
    return found
