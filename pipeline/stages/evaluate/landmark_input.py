"""What a run gives to its landmarks."""

from __future__ import annotations

from alignrec.aligner.evaluate.splits import Split
from alignrec.aligner.landmarks.contract import LandmarkInput
from alignrec.core.features import FeatureSet
from alignrec.pipeline.config.settings import Config


def landmark_input(
    config: Config, split: Split, seed: int, features: FeatureSet | None = None
) -> LandmarkInput:
    """What landmarks learn from, within the limits of the run's own training."""
    return LandmarkInput(
        split,
        None if features is None else features.matrix,
        None if features is None else features.valid,
        seed,
        config.train.epochs,
        config.train.device,
    )
