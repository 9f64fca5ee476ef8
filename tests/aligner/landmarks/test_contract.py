"""What a landmark is given."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version

import pytest

from alignrec.aligner.evaluate.ranking import Scorer
from alignrec.aligner.landmarks.bpr_mf import BPR_MF
from alignrec.aligner.landmarks.contract import Landmark, LandmarkInput
from alignrec.aligner.train.settings import TrainSettings
from tests.aligner.landmarks.trainings import FEATURES, INPUT, VALID


def no_fit(data: LandmarkInput) -> Scorer:
    raise NotImplementedError


def test_settings_keep_to_the_limits_of_the_run() -> None:
    own = TrainSettings.paper(layers=0)
    assert replace(INPUT, epochs=7, device="cuda:1").within(own) == TrainSettings.paper(
        layers=0, epochs=7, device="cuda:1"
    )


def test_content_is_features_and_marks() -> None:
    assert INPUT.content() == (FEATURES, VALID)


def test_identity_is_settings_and_the_code_of_strangers() -> None:
    assert BPR_MF.identity == {"settings": BPR_MF.settings.model_dump(mode="json"), "code": None}
    own = Landmark("own", "by the alphabet", no_fit)
    assert own.identity == {"settings": None, "code": {"module": __name__, "versions": {}}}


def test_a_landmark_of_an_installed_package_is_known_by_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(no_fit, "__module__", "scipy.sparse.linalg")
    installed = Landmark("installed", "by another package", no_fit)
    code = {"module": "scipy.sparse.linalg", "versions": {"scipy": version("scipy")}}
    assert installed.identity == {"settings": None, "code": code}
