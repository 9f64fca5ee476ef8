"""Thinned histories: what is measured where only a share of each user's training interactions is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from alignrec.aligner.landmarks.registry import landmarks_of
from alignrec.aligner.train.ablations import Variant
from alignrec.core.protocols import THINNED
from alignrec.core.vocabulary import ALIGNED
from alignrec.pipeline.stages.evaluate.pieces import Less, Piece
from alignrec.pipeline.stages.evaluate.trainings import Trainings

# The share at which there are trainings, too: a training at every share would be too much.
TRAINED_SHARE = 0.2


def thinned_subjects(trainings: Trainings, seeds: Sequence[int], *, full: bool) -> Iterator[list[Piece]]:
    """The pieces of each subject under one share, a piece a seed; trained ones at `TRAINED_SHARE` alone.

    Args:
        trainings: on thinned histories.
        seeds: of what is trained.
        full: whether the landmarks that take longer belong to it.
    """
    trained = trainings.less == Less(THINNED, TRAINED_SHARE)
    for mark in landmarks_of(trainings.cut.split.items, full=full):
        if trained or not mark.trained:
            yield [trainings.of_landmark(mark, seed) for seed in (seeds if mark.trained else seeds[:1])]
    if trained:
        own = Variant(ALIGNED, trainings.context.config.train)
        yield [trainings.control(seed) for seed in seeds]
        yield [trainings.of_variant(own, seed) for seed in seeds]
