"""What a model is made with, apart from what trains it."""

from __future__ import annotations

from alignrec.aligner.recommenders.settings import RecommenderSettings


def test_the_model_knows_nothing_of_the_optimiser() -> None:
    class Own(RecommenderSettings):
        layers: int = 2

    assert Own(dim=8, epochs=3).of_the_model() == {"dim": 8, "layers": 2}
