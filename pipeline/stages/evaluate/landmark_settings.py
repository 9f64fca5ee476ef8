"""How the landmarks that are trained are trained."""

from __future__ import annotations

from alignrec.aligner.train.settings import TrainSettings
from alignrec.pipeline.config.settings import Config


def landmark_settings(config: Config) -> TrainSettings:
    """How landmarks are trained: by BPR, within the limits of the run's own training."""
    own = config.train
    return TrainSettings.paper(uia_weight=0.0, device=own.device, epochs=own.epochs)
