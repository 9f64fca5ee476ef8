"""Settings of training: what must fit together, and the paper's form."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from alignrec.aligner.train.settings import TrainSettings


def test_dim_is_shared_out_evenly() -> None:
    assert TrainSettings(dim=24, members=3).members == 3
    with pytest.raises(ValidationError, match="dim 25 cannot be shared out among 3 members evenly"):
        TrainSettings(dim=25, members=3)


def test_the_papers_form_is_bpr_with_an_alignment_of_its_own() -> None:
    form = {"form": "paper", "loss": "bpr", "dim": 64, "members": 1, "batch_size": 2048, "patience": 30}
    form |= {"learning_rate": 0.003, "uia_weight": 0.1}
    assert TrainSettings.model_validate({"form": "paper"}) == TrainSettings.paper()
    assert TrainSettings.paper().model_dump() == TrainSettings().model_dump() | form
    assert TrainSettings.model_validate(TrainSettings.paper().model_dump()) == TrainSettings.paper()
    changed = TrainSettings.paper(dim=32, epochs=5).model_dump()
    assert changed == TrainSettings().model_dump() | form | {"dim": 32, "epochs": 5}


@pytest.mark.parametrize(
    "wrong", [{"dimension": 8}, {"loss": "hinge"}, {"decay": 0}, {"balance": 1.1}, {"epochs": 0}]
)
def test_what_is_no_setting_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TrainSettings.model_validate(wrong)
    with pytest.raises(ValidationError):
        TrainSettings.paper(**wrong)


def test_what_belongs_to_the_papers_form_alone_is_refused_elsewhere() -> None:
    with pytest.raises(ValidationError, match="trained_features belongs to form: paper"):
        TrainSettings(trained_features=True)
    with pytest.raises(ValidationError, match="neighbours counts the item itself: give 2 or more"):
        TrainSettings.paper(neighbours=1)


def test_the_papers_form_counts_the_item_among_its_neighbours() -> None:
    assert TrainSettings(neighbours=10).other_neighbours == 10
    assert TrainSettings.paper(neighbours=10).other_neighbours == 9


@pytest.mark.parametrize(
    ("interactions", "size"),
    [(1, 4096), (65_536, 4096), (70_000, 4375), (1_351_350, 84_460), (10**7, 131_072)],
)
def test_steps_grow_with_the_interactions(interactions: int, size: int) -> None:
    assert TrainSettings().step_size(interactions) == size
    assert TrainSettings(batch_size=100).step_size(interactions) == 100
    assert TrainSettings.paper().step_size(interactions) == 2048
