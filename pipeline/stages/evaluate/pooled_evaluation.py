"""Several random splits of the run's interactions, with everything that depends on them trained anew.

The encoder is pretrained on content alone, so its features serve every split. The first split is the run's
own; split n is the one that a run of the seed `seed + n` would cut.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from alignrec.aligner.evaluate.evaluation import Evaluation
from alignrec.aligner.evaluate.evaluator import PARTS, Evaluator, Part
from alignrec.aligner.evaluate.pooling import compare_splits
from alignrec.aligner.evaluate.protocols import feature_scorers
from alignrec.aligner.evaluate.top_k import Evaluations, pairs_of
from alignrec.aligner.landmarks.contract import Landmark
from alignrec.aligner.landmarks.quick_evaluation import rivals
from alignrec.aligner.landmarks.registry import content_pairs, landmarks_of
from alignrec.aligner.landmarks.thinned_evaluation import features_on
from alignrec.aligner.train.ablations import Source, Variant
from alignrec.core.protocols import TOP_K
from alignrec.core.results import Measurement
from alignrec.core.vocabulary import ALIGNED, CONTROL, MULTIMODAL, SHUFFLED_CONTROL
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.stages.evaluate.feature_sources import FeatureSources
from alignrec.pipeline.stages.evaluate.metrics_file import search_words
from alignrec.pipeline.stages.evaluate.pieces import Piece
from alignrec.pipeline.stages.evaluate.thinned import thinned_subjects
from alignrec.pipeline.stages.evaluate.trainings import Trainings
from alignrec.pipeline.stages.split import cut_interactions

# Protocol, part and share of what subjects are compared by.
_Row = tuple[str, Part, float | None]
# For each subject what it reached split by split, under each of its seeds.
_Reached = dict[_Row, dict[str, list[list[Evaluation]]]]


def split_seeds(config: Config) -> list[int | None]:
    """What draws each split: None for the run's own, then the seeds of the others."""
    return [None, *range(config.seed + 1, config.seed + config.evaluate.splits)]


def pooled_evaluation(sources: FeatureSources) -> tuple[list[Measurement], list[Piece], dict[str, str]]:
    """Train and measure on every split what is not measured yet, and take the splits together.

    Measured are the features before training, and after it `aligned`, its control and the landmarks, all of
    them on thinned histories too; with `evaluate.full` the landmarks that take longer, and shuffled content.

    Args:
        sources: of the features, of a finished training.

    Returns:
        As `compare_splits`, of zero-shot, item-CF, all protocols of `evaluate_all` and thinned histories; and
        the controls that were measured, and with which settings landmarks were trained, where a search on the
        run's own split chose.
    """
    context = sources.context
    config, run = context.config, context.run
    item_ids, interactions = run.items(), run.interactions()
    reached: _Reached = defaultdict(lambda: defaultdict(list))
    controls: list[Piece] = []
    own = Trainings(sources, run.split())
    for number, redrawn in enumerate(split_seeds(config), 1):
        trainings = own
        if redrawn is not None:
            cut = cut_interactions(config.model_copy(update={"seed": redrawn}), item_ids, interactions)
            trainings = Trainings(sources, cut, redrawn, tuned=own)
        evaluator = Evaluator(trainings.cut.split, config.evaluate.k, config.evaluate.exclude_valid)
        title = f"evaluate split {number} of {config.evaluate.splits}"
        context.console.note(f"{title}: zero-shot and item-CF")
        _before_training(trainings, evaluator, title, reached)
        for pieces in _subjects(trainings):
            found = [piece.evaluate(evaluator, f"{title}: {piece.name}") for piece in pieces]
            less = pieces[0].less
            share = None if less is None else less.share
            for protocol, part in found[0]:
                one = [evaluations[protocol, part] for evaluations in found]
                reached[protocol, part, share][pieces[0].subject].append(one)
            controls += [piece for piece in pieces if piece.subject == CONTROL]
    words = search_words(own.search_logs()) if config.evaluate.full else {}
    return [record for key in reached for record in _compared(*key, reached[key])], controls, words


def _subjects(trainings: Trainings) -> Iterator[list[Piece]]:
    """The pieces of each subject on one split, a piece a seed."""
    config = trainings.context.config
    seeds = config.evaluate.seeds
    for mark in landmarks_of(trainings.cut.split.items, full=config.evaluate.full):
        yield [trainings.of_landmark(mark, seed) for seed in (seeds if mark.trained else seeds[:1])]
    yield [trainings.control(seed) for seed in seeds]
    variants = [Variant(ALIGNED, config.train)]
    if config.evaluate.full:
        variants.append(Variant(SHUFFLED_CONTROL, config.train, Source(shuffled=True)))
    for variant in variants:
        yield [trainings.of_variant(variant, seed) for seed in seeds]
    for share in config.evaluate.thinned:
        yield from thinned_subjects(trainings.thinned(share), seeds, full=config.evaluate.full)


def _before_training(
    trainings: Trainings,
    evaluator: Evaluator,
    title: str,
    reached: _Reached,
) -> None:
    """Add what features reach on one split before anything learns from interactions."""
    seeds = trainings.context.config.evaluate.seeds

    def reach(mark: Landmark) -> Evaluations:
        piece = trainings.of_landmark(mark, seeds[0])
        return piece.evaluate(evaluator, f"{title}: {piece.name}")

    for row, found in _pretrained(trainings, evaluator):
        reached[row][MULTIMODAL].append(found)
    beside = rivals(landmarks_of(trainings.cut.split.items, full=False), reach)
    for protocol, scorers in feature_scorers(trainings.sources.untrained, evaluator).items():
        for part in PARTS:
            once = {name: evaluator.evaluate(scorer, part) for name, scorer in scorers.items()}
            once |= {name: other[TOP_K, part] for name, other in beside.get(protocol, {}).items()}
            for name, one in once.items():
                reached[protocol, part, None][name].append([one])


def _pretrained(trainings: Trainings, evaluator: Evaluator) -> Iterator[tuple[_Row, list[Evaluation]]]:
    """What `multimodal` reaches in each row, under each seed of pretraining."""
    evaluate = trainings.context.config.evaluate
    own = [trainings.sources.own(seed) for seed in evaluate.seeds]
    by_seed = [feature_scorers(features, evaluator) for features in own]
    for protocol in by_seed[0]:
        for part in PARTS:
            found = [evaluator.evaluate(scorers[protocol][MULTIMODAL], part) for scorers in by_seed]
            yield (protocol, part, None), found
    for share in evaluate.thinned:
        kept = trainings.thinned(share).cut.split
        thinned = [features_on(kept, features, evaluator)[MULTIMODAL] for features in own]
        for protocol, part in thinned[0]:
            yield (protocol, part, share), [evaluations[protocol, part] for evaluations in thinned]


def _compared(
    protocol: str, part: Part, share: float | None, results: Mapping[str, list[list[Evaluation]]]
) -> list[Measurement]:
    pairs = pairs_of(results, content_pairs()) if part == "test" else ()
    return compare_splits(protocol, results, pairs, split=part, share=share)
