"""What a landmark is given."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version

import pytest

from alignrec.aligner.errors import FeatureError
from alignrec.aligner.evaluate.ranking import Scorer
from alignrec.aligner.landmarks.bpr_mf import BPR_MF
from alignrec.aligner.landmarks.contract import Landmark, LandmarkInput, Search
from alignrec.aligner.train.settings import TrainSettings
from tests.aligner.landmarks.trainings import FEATURES, INPUT, VALID


def no_fit(data: LandmarkInput) -> Scorer:
    raise NotImplementedError


def test_settings_keep_to_the_limits_of_the_run() -> None:
    own = TrainSettings.paper(layers=0)
    assert replace(INPUT, epochs=7, device="cuda:1").within(own) == TrainSettings.paper(
        layers=0, epochs=7, device="cuda:1"
    )


def test_what_a_search_chose_takes_the_place_of_the_landmark_s_own() -> None:
    chosen = replace(INPUT, chosen={"dim": 32, "l2_weight": 0.1}, epochs=7)
    wanted = TrainSettings.paper(dim=32, l2_weight=0.1, epochs=7, device="cpu")
    assert chosen.within(TrainSettings.paper()) == wanted


def test_a_search_begins_with_settings_of_its_grid() -> None:
    search = Search({"dim": (32, 128)}, 3)
    with pytest.raises(FeatureError, match="the search of own begins with dim 64"):
        Landmark("own", "with a search", no_fit, settings=TrainSettings.paper(), search=search)
    with pytest.raises(FeatureError, match="begins with dim None"):
        Landmark("own", "without settings", no_fit, search=search)


def test_content_is_features_and_marks() -> None:
    assert INPUT.content() == (FEATURES, VALID)


def test_modalities_are_given_or_missed() -> None:
    assert INPUT.by_modality() is INPUT.modalities
    with pytest.raises(FeatureError, match="learns from modalities, and there are none"):
        replace(INPUT, modalities={}).by_modality()


def test_content_is_the_multimodal_set_or_the_modalities() -> None:
    own = Landmark("own", "of IDs", no_fit)
    assert [replace(own, **{need: True}).sees_content for need in ("needs_features", "needs_modalities")] == [
        True,
        True,
    ]
    assert not own.sees_content


def test_identity_is_settings_and_the_code_of_strangers() -> None:
    assert BPR_MF.settings is not None and BPR_MF.search is not None
    assert BPR_MF.identity == {
        "settings": BPR_MF.settings.model_dump(mode="json"),
        "search": {"grid": BPR_MF.search.grid, "budget": 10},
        "code": None,
    }
    own = Landmark("own", "by the alphabet", no_fit)
    assert own.identity == {"settings": None, "search": None, "code": {"module": __name__, "versions": {}}}


def test_a_landmark_of_an_installed_package_is_known_by_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(no_fit, "__module__", "scipy.sparse.linalg")
    installed = Landmark("installed", "by another package", no_fit)
    code = {"module": "scipy.sparse.linalg", "versions": {"scipy": version("scipy")}}
    assert installed.identity == {"settings": None, "search": None, "code": code}
