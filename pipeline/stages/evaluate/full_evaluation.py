"""The full evaluation: every seed, landmark and ablation, one training at a time.

A training has a checkpoint after each epoch and, once it is measured, a file with what it reached; so a kill
loses an epoch at most. Both lie in a folder of their own, which outlives other runs of the stage.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from alignrec.aligner.evaluate.evaluator import Evaluator
from alignrec.aligner.evaluate.top_k import Evaluations, measurements
from alignrec.aligner.landmarks.registry import landmarks_of
from alignrec.aligner.train.ablations import Variant, variants
from alignrec.core.results import Measurement
from alignrec.core.vocabulary import ALIGNED
from alignrec.pipeline.runner.catalogue_split import CatalogueSplit
from alignrec.pipeline.runner.disk import check_disk
from alignrec.pipeline.runner.stage import StageContext
from alignrec.pipeline.stages.evaluate.pieces import Piece, control
from alignrec.pipeline.stages.evaluate.trainings import Trainings


def full_evaluation(
    context: StageContext,
    cut: CatalogueSplit,
    evaluator: Evaluator,
    parts: Mapping[str, str],
    scratch: Path,
    elsewhere: Mapping[str, Evaluations],
) -> list[Measurement]:
    """Train and measure everything that is not measured yet.

    Args:
        context: a finished training.
        cut: the run's split.
        evaluator: of the run.
        parts: hashes of all that decides a piece, but for its subject and seed.
        scratch: keeps checkpoints and what finished pieces reached.
        elsewhere: what other systems reached, whose lists were read, by name.

    Returns:
        As `measurements`.
    """
    config = context.config
    check_disk(context.run.path, 32 * config.train.dim * (cut.split.users + cut.split.items))
    pieces = list(_pieces(Trainings(context, cut, parts, scratch)))
    results: dict[str, dict[int | None, Evaluations]] = {}
    for number, piece in enumerate(pieces, 1):
        title = f"evaluate {number} of {len(pieces)}: {piece.name}"
        results.setdefault(piece.subject, {})[piece.seed] = piece.evaluate(evaluator, title)
    results |= {name: {None: reached} for name, reached in elsewhere.items()}
    return measurements(results)


def full_controls(context: StageContext, cut: CatalogueSplit) -> list[Piece]:
    """The control under every seed."""
    return [control(context, cut, seed) for seed in _seeds(context)]


def _seeds(context: StageContext) -> tuple[int, ...]:
    """The run's own training comes first, so that what is released is always among the seeds."""
    return tuple(dict.fromkeys((context.config.seed, *context.config.evaluate.seeds)))


def _pieces(trainings: Trainings) -> Iterator[Piece]:
    """Every piece of the table; features are made when the first piece that needs them is trained."""
    context, cut = trainings.context, trainings.cut
    config = context.config
    seeds = _seeds(context)
    landmarks = landmarks_of(cut.split.items, full=True)
    yield from (trainings.of_landmark(mark, config.seed) for mark in landmarks if not mark.trained)
    yield from full_controls(context, cut)
    own = Variant(ALIGNED, config.train)
    yield from (trainings.of_variant(own, seed) for seed in seeds)
    for mark in (mark for mark in landmarks if mark.trained):
        yield from (trainings.of_landmark(mark, seed) for seed in seeds)
    for variant in variants(config.train, config.modalities, pretrained=config.pretrain.epochs > 0):
        yield from (trainings.of_variant(variant, seed) for seed in seeds)
