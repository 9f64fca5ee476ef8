"""LightGCN is training by IDs alone, under BPR."""

from __future__ import annotations

from alignrec.aligner.landmarks.lightgcn import LIGHTGCN
from alignrec.aligner.train.collaborative import collaborative
from alignrec.aligner.train.settings import TrainSettings
from tests.aligner.landmarks.trainings import INPUT, SPLIT, scores, stopped_and_resumed

SETTINGS = TrainSettings.paper(uia_weight=0, layers=2, epochs=4, device="cpu")


def test_it_equals_a_direct_call() -> None:
    assert scores(LIGHTGCN.fit(INPUT)) == scores(collaborative(SPLIT, SETTINGS, INPUT.seed))


def test_stopped_it_ends_in_the_same_scores() -> None:
    assert stopped_and_resumed(LIGHTGCN) == (scores(LIGHTGCN.fit(INPUT)), 2)


def test_the_search_starts_from_its_own_settings_and_asks_for_layers_first() -> None:
    assert LIGHTGCN.search is not None and LIGHTGCN.settings is not None
    assert next(iter(LIGHTGCN.search.grid)) == "layers"
    own = LIGHTGCN.settings.model_dump()
    assert all(own[name] in values for name, values in LIGHTGCN.search.grid.items())
