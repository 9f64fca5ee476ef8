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
    form = {"loss": "bpr", "dim": 64, "members": 1, "batch_size": 2048, "patience": 30}
    form |= {"learning_rate": 0.003, "uia_weight": 0.1}
    assert TrainSettings.paper().model_dump() == TrainSettings().model_dump() | form
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
