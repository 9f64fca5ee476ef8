"""Several random splits of the run's interactions, with everything that depends on them trained anew.

The encoder is pretrained on content alone, so its features serve every split. The first split is the run's
own; split n is the one that a run of the seed `seed + n` would cut.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

from alignrec.aligner.evaluate.baselines import baselines
from alignrec.aligner.evaluate.evaluation import Evaluation
from alignrec.aligner.evaluate.evaluator import PARTS, Evaluator, Part
from alignrec.aligner.evaluate.pooling import compare_splits
from alignrec.aligner.evaluate.protocols import Matrix, feature_scorers
from alignrec.aligner.evaluate.top_k import pairs_of
from alignrec.aligner.landmarks.quick_evaluation import rivals
from alignrec.aligner.landmarks.registry import landmarks_of
from alignrec.aligner.train.ablations import OWN, Source, Variant
from alignrec.core.features import FeatureSet
from alignrec.core.results import Measurement
from alignrec.core.vocabulary import ALIGNED, MULTIMODAL, SHUFFLED_CONTROL
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.runner.catalogue_split import CatalogueSplit
from alignrec.pipeline.runner.stage import StageContext
from alignrec.pipeline.stages.evaluate.landmark_input import landmark_input
from alignrec.pipeline.stages.evaluate.pieces import Piece, control
from alignrec.pipeline.stages.evaluate.trainings import Trainings
from alignrec.pipeline.stages.split import cut_interactions

# By protocol and part, for each subject what it reached split by split, under each of its seeds.
_Reached = dict[tuple[str, Part], dict[str, list[list[Evaluation]]]]


def split_seeds(config: Config) -> list[int | None]:
    """What draws each split: None for the run's own, then the seeds of the others."""
    return [None, *range(config.seed + 1, config.seed + config.evaluate.splits)]


def pooled_evaluation(context: StageContext, parts: Mapping[str, str], scratch: Path) -> list[Measurement]:
    """Train and measure on every split what is not measured yet, and take the splits together.

    Measured are the features before training, and after it `aligned`, its control and the landmarks; with
    `evaluate.full` the landmarks that are trained, and shuffled content, too.

    Args:
        context: a finished training.
        parts: hashes of all that decides a piece, but for its subject, its seed and the split.
        scratch: keeps checkpoints and what finished pieces reached.

    Returns:
        As `compare_splits`, of zero-shot, item-CF and all protocols of `evaluate_all`.
    """
    config, run = context.config, context.run
    item_ids, interactions = run.items(), run.interactions()
    features: dict[Source, FeatureSet] = {OWN: run.features(MULTIMODAL)}
    untrained = baselines(run.inputs())
    reached: _Reached = defaultdict(lambda: defaultdict(list))
    for number, redrawn in enumerate(split_seeds(config), 1):
        if redrawn is None:
            cut = run.split()
        else:
            cut = cut_interactions(config.model_copy(update={"seed": redrawn}), item_ids, interactions)
        evaluator = Evaluator(cut.split, config.evaluate.k, config.evaluate.exclude_valid)
        title = f"evaluate split {number} of {config.evaluate.splits}"
        context.console.note(f"{title}: zero-shot and item-CF")
        _before_training(context, cut, evaluator, {MULTIMODAL: features[OWN].matrix, **untrained}, reached)
        trainings = Trainings(context, cut, parts, scratch, redrawn, features)
        for pieces in _subjects(trainings):
            found = [piece.evaluate(evaluator, f"{title}: {piece.name}") for piece in pieces]
            for key in found[0]:
                reached[key][pieces[0].subject].append([evaluations[key] for evaluations in found])
    return [record for key in reached for record in _compared(*key, reached[key])]


def pooled_controls(context: StageContext) -> Iterator[Piece]:
    """The controls on every split, by what marks them; none of these is trained from here."""
    cut, seeds = context.run.split(), context.config.evaluate.seeds
    for redrawn in split_seeds(context.config):
        yield from (control(context, cut, seed, redrawn) for seed in seeds)


def _subjects(trainings: Trainings) -> Iterator[list[Piece]]:
    """The pieces of each subject on one split, a piece a seed."""
    context, cut = trainings.context, trainings.cut
    config = context.config
    seeds = config.evaluate.seeds
    for mark in landmarks_of(cut.split.items, full=config.evaluate.full):
        yield [trainings.of_landmark(mark, seed) for seed in (seeds if mark.trained else seeds[:1])]
    yield [control(context, cut, seed, trainings.redrawn) for seed in seeds]
    variants = [Variant(ALIGNED, config.train)]
    if config.evaluate.full:
        variants.append(Variant(SHUFFLED_CONTROL, config.train, Source(shuffled=True)))
    for variant in variants:
        yield [trainings.of_variant(variant, seed) for seed in seeds]


def _before_training(
    context: StageContext,
    cut: CatalogueSplit,
    evaluator: Evaluator,
    features: Mapping[str, Matrix],
    reached: _Reached,
) -> None:
    """Add what features reach on one split before anything learns from interactions."""
    config = context.config
    landmarks = [
        replace(mark, fit=cache(mark.fit))
        for mark in landmarks_of(cut.split.items, full=False)
        if not mark.needs_features
    ]
    beside = rivals(landmarks, landmark_input(config, cut.split, config.seed))
    for protocol, scorers in feature_scorers(features, evaluator).items():
        for part in PARTS:
            for name, scorer in {**scorers, **beside.get(protocol, {})}.items():
                reached[protocol, part][name].append([evaluator.evaluate(scorer, part)])


def _compared(protocol: str, part: Part, results: Mapping[str, list[list[Evaluation]]]) -> list[Measurement]:
    if part != "test":
        return compare_splits(protocol, results, (), split=part)
    if ALIGNED in results:
        return compare_splits(protocol, results, pairs_of(results))
    pairs = [(MULTIMODAL, name) for name in results if name != MULTIMODAL]
    return compare_splits(protocol, results, pairs)
