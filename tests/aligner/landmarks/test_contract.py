"""What a landmark is given."""

from __future__ import annotations

from dataclasses import replace

from alignrec.aligner.train.settings import TrainSettings
from tests.aligner.landmarks.trainings import FEATURES, INPUT, VALID


def test_settings_keep_to_the_limits_of_the_run() -> None:
    own = TrainSettings.paper(layers=0)
    assert replace(INPUT, epochs=7, device="cuda:1").within(own) == TrainSettings.paper(
        layers=0, epochs=7, device="cuda:1"
    )


def test_content_is_features_and_marks() -> None:
    assert INPUT.content() == (FEATURES, VALID)
