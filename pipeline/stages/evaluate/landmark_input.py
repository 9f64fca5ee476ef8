"""What a run gives to its landmarks."""

from __future__ import annotations

from alignrec.aligner.evaluate.splits import Split
from alignrec.aligner.inputs import Inputs
from alignrec.aligner.landmarks.contract import LandmarkInput
from alignrec.core.features import FeatureSet
from alignrec.pipeline.config.settings import Config


def landmark_input(
    config: Config,
    split: Split,
    seed: int,
    features: FeatureSet | None = None,
    inputs: Inputs | None = None,
) -> LandmarkInput:
    """What landmarks learn from, within the limits of the run's own training.

    Args:
        config: of the run.
        split: to learn from, and to be measured on.
        seed: of a training.
        features: the multimodal set, for landmarks that learn from it.
        inputs: what was extracted, for landmarks that learn from that.
    """
    return LandmarkInput(
        split,
        None if features is None else features.matrix,
        None if features is None else features.valid,
        {name: (given.pooled, given.valid) for name, given in (inputs or {}).items()},
        seed,
        config.train.epochs,
        config.train.device,
    )
