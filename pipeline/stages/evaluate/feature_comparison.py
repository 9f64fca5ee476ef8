"""Features in other models: every method that learns from content, on other features than its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from alignrec.aligner.evaluate.baselines import CENTRED, CONCATENATION
from alignrec.aligner.evaluate.evaluator import Evaluator
from alignrec.aligner.evaluate.foretelling import FEWEST, rank_correlation
from alignrec.aligner.evaluate.protocols import feature_scorers
from alignrec.aligner.evaluate.top_k import Evaluations
from alignrec.aligner.landmarks.contract import Landmark
from alignrec.aligner.landmarks.registry import landmarks_of
from alignrec.aligner.train.ablations import OWN, Source, Variant
from alignrec.core.protocols import TOP_K
from alignrec.core.results import Measurement
from alignrec.core.vocabulary import ALIGNED, MULTIMODAL
from alignrec.pipeline.stages.evaluate.feature_sources import FeatureSources
from alignrec.pipeline.stages.evaluate.pieces import Piece
from alignrec.pipeline.stages.evaluate.trainings import Trainings

# The metric of how well numbers before training foretell those after it, and what it correlates.
RANK_CORRELATION, FEATURE_SETS = "rank correlation", "features"
_FORETOLD = "recall"


def compared_pieces(trainings: Trainings) -> Iterator[Piece]:
    """A piece for each method on each set that it is compared on, under the run's own seed.

    AlignRec learns from every set of untrained features, other methods from the simplest and from
    `multimodal`, each with the settings that it has on its own features.
    """
    config, untrained = trainings.context.config, trainings.sources.untrained
    for name in untrained:
        variant = Variant(_on(ALIGNED, name), config.train, Source(untrained=name))
        yield trainings.of_variant(variant, config.seed)
    for mark in landmarks_of(trainings.cut.split.items, full=True):
        for source in _others(mark, trainings.sources):
            yield trainings.of_landmark(mark, config.seed, source)


def compared_pairs(trainings: Trainings) -> list[tuple[str, str]]:
    """Other methods on `multimodal`, each against itself on other features."""
    pairs = []
    for mark in landmarks_of(trainings.cut.split.items, full=True):
        names = [_on(mark.name, source.features) for source in _others(mark, trainings.sources)]
        if mark.needs_modalities:
            ours, *others = names
            pairs += [(ours, other) for other in (mark.name, *others)]
        else:
            pairs += [(mark.name, other) for other in names]
    return pairs


def foretold(
    trained: Mapping[str, Evaluations], evaluator: Evaluator, sources: FeatureSources
) -> list[Measurement]:
    """How the order of sets before training agrees with that of AlignRec trained on them, on test.

    Args:
        trained: what AlignRec reached under the run's own seed, `aligned` on `multimodal` and by the names of
            `compared_pieces` on others.
        evaluator: of the run.
        sources: of the features.
    """
    features = {**sources.own(), **sources.untrained}
    if len(features) < FEWEST:
        return []
    names = [ALIGNED if name == MULTIMODAL else _on(ALIGNED, name) for name in features]
    after = [trained[name][TOP_K, "test"] for name in names]
    records = []
    for protocol, scorers in feature_scorers(features, evaluator).items():
        before = [evaluator.evaluate(scorer, "test") for scorer in scorers.values()]
        for k in evaluator.ks:
            if len(after[0].users):
                found = rank_correlation(before, after, _FORETOLD, k)
                bounds = (found.mean, found.low, found.high)
                records.append(
                    Measurement(protocol, FEATURE_SETS, RANK_CORRELATION, k, "test", *bounds, against=ALIGNED)
                )
    return records


def foretelling_words(sets: int) -> str:
    """What the correlation means, for `metrics.json`."""
    return (
        f"Spearman's, over {sets} sets of features, of their {_FORETOLD} under the protocol with that of "
        "aligned trained on them under top-k; its interval draws users anew, for all sets at once"
    )


def _others(mark: Landmark, sources: FeatureSources) -> list[Source]:
    """What a method learns from beside its own: `multimodal`, or what is simpler."""
    own = (OWN, CENTRED) if mark.needs_modalities else (CONCATENATION, CENTRED)
    found = [name if isinstance(name, Source) else Source(untrained=name) for name in own]
    return [s for s in found if mark.sees_content and (s == OWN or s.untrained in sources.untrained)]


def _on(method: str, features: str) -> str:
    return f"{method} on {features}"
