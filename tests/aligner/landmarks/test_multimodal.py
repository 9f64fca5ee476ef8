"""Landmarks that learn from modalities: what each has, and what a class gets that is loaded late."""

from __future__ import annotations

import pytest

from alignrec.aligner.landmarks.multimodal import multimodal_landmark
from alignrec.aligner.recommenders.settings import RecommenderSettings
from tests.aligner.landmarks.trainings import INPUT


def test_its_class_is_loaded_when_it_is_trained_with_its_own_settings_and_not_before() -> None:
    given: list[dict[str, int]] = []

    class StopError(Exception):
        pass

    def build(*_arguments: object, **sizes: int) -> object:
        given.append(sizes)
        raise StopError

    mark = multimodal_landmark(
        "last",
        lambda: build,  # type: ignore[arg-type,return-value]
        RecommenderSettings(dim=8),
        {"dim": (4, 8)},
        citation="Nobody, 2026",
        year=2026,
    )
    assert given == [] and mark.needs_modalities and mark.trained and not mark.quick
    assert mark.search is not None and mark.search.grid == {"dim": (4, 8)} and mark.identity["code"] is None
    with pytest.raises(StopError):
        mark.fit(INPUT)
    assert given == [{"dim": 8}]
