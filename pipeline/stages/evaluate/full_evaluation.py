"""The full evaluation: every seed, landmark and ablation, one training at a time.

A training has a checkpoint after each epoch and, once it is measured, a file with what it reached; so a kill
loses an epoch at most. Both lie in a folder of their own, which outlives other runs of the stage.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from alignrec.aligner.evaluate.evaluator import Evaluator
from alignrec.aligner.evaluate.top_k import Evaluations, measurements, renamed
from alignrec.aligner.landmarks.registry import content_pairs, landmarks_of
from alignrec.aligner.landmarks.thinned_evaluation import features_on
from alignrec.aligner.train.ablations import Variant, variants
from alignrec.core.protocols import THINNED, trained_mask_protocol
from alignrec.core.results import Measurement
from alignrec.core.vocabulary import ALIGNED, CONTROL
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.runner.disk import check_disk
from alignrec.pipeline.stages.evaluate.feature_comparison import (
    compared_pairs,
    compared_pieces,
    foretold,
)
from alignrec.pipeline.stages.evaluate.pieces import Less, Piece
from alignrec.pipeline.stages.evaluate.thinned import thinned_subjects
from alignrec.pipeline.stages.evaluate.trainings import Trainings

_Results = dict[Less | None, dict[str, dict[int | None, Evaluations]]]


def full_evaluation(
    trainings: Trainings, evaluator: Evaluator, elsewhere: Mapping[str, Evaluations]
) -> tuple[list[Measurement], list[Piece]]:
    """Train and measure everything that is not measured yet.

    Args:
        trainings: on the run's own split.
        evaluator: of the run.
        elsewhere: what other systems reached, whose lists were read, by name.

    Returns:
        As `measurements`, of whole histories and of thinned ones, and as `foretold`; and the controls that
        were measured.
    """
    context, config = trainings.context, trainings.context.config
    split = trainings.cut.split
    check_disk(context.run.path, 32 * config.train.dim * (split.users + split.items))
    pieces = list(full_pieces(trainings))
    results: _Results = {None: {}}
    for share in config.evaluate.thinned:
        reached = features_on(trainings.thinned(share).cut.split, trainings.sources.own(), evaluator)
        results[Less(THINNED, share)] = {name: {None: found} for name, found in reached.items()}
    for number, piece in enumerate(pieces, 1):
        title = f"evaluate {number} of {len(pieces)}: {piece.name}"
        seeds = results.setdefault(piece.less, {}).setdefault(piece.subject, {})
        seeds[piece.seed] = piece.evaluate(evaluator, title)
    foretelling = foretold(
        {name: seeds[config.seed] for name, seeds in results[None].items() if config.seed in seeds},
        evaluator,
        trainings.sources,
    )
    results |= _with_control(results, config)
    results[None] |= {name: {None: reached} for name, reached in elsewhere.items()}
    pairs = [*content_pairs(), *compared_pairs(trainings)]
    records = [
        record
        for less, subjects in results.items()
        for record in measurements(subjects, pairs, None if less is None else less.share)
    ]
    return records + foretelling, [piece for piece in pieces if piece.subject == CONTROL]


def _with_control(results: _Results, config: Config) -> _Results:
    """The protocols of lost modalities, from nothing lost on, beside the control, which has none to lose."""
    found: _Results = {}
    whole = results[None]
    for modality in _masked(config):
        protocol = trained_mask_protocol(modality)
        control, own = (
            {seed: renamed(reached, protocol) for seed, reached in whole[name].items()}
            for name in (CONTROL, ALIGNED)
        )
        for share in (0.0, *sorted(config.evaluate.masked)):
            less = Less(protocol, share)
            found[less] = {ALIGNED: results[less][ALIGNED] if share else own, CONTROL: control}
    return found


def _masked(config: Config) -> Sequence[str]:
    """The modalities that items lose, each in its turn, where shares are asked for."""
    return config.modalities if config.evaluate.masked else ()


def full_seeds(config: Config) -> tuple[int, ...]:
    """The seeds of a full evaluation; the run's own comes first, so that what is released is among them."""
    return tuple(dict.fromkeys((config.seed, *config.evaluate.seeds)))


def full_pieces(trainings: Trainings) -> Iterator[Piece]:
    """Every piece of the table; features are made when the first piece that needs them is trained."""
    config = trainings.context.config
    seeds = full_seeds(config)
    landmarks = landmarks_of(trainings.cut.split.items, full=True)
    yield from (trainings.of_landmark(mark, config.seed) for mark in landmarks if not mark.trained)
    yield from (trainings.control(seed) for seed in seeds)
    own = Variant(ALIGNED, config.train)
    yield from (trainings.of_variant(own, seed) for seed in seeds)
    for mark in (mark for mark in landmarks if mark.trained):
        yield from (trainings.of_landmark(mark, seed) for seed in seeds)
    for variant in variants(config.train, config.modalities, pretrained=config.pretrain.epochs > 0):
        yield from (trainings.of_variant(variant, seed) for seed in seeds)
    yield from compared_pieces(trainings)
    for share in config.evaluate.thinned:
        for found in thinned_subjects(trainings.thinned(share), seeds, full=True):
            yield from found
    for modality in _masked(config):
        for share in sorted(config.evaluate.masked):
            yield from (trainings.without(modality, share, seed) for seed in seeds)
