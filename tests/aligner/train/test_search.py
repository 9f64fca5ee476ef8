"""What a search tries next."""

from __future__ import annotations

import numpy as np
import pytest

from alignrec.aligner.train import search
from alignrec.aligner.train.search import propose, space
from alignrec.aligner.train.settings import TrainSettings

FORMS = {"softmax": TrainSettings(loss="softmax"), "bpr": TrainSettings.paper()}


@pytest.mark.parametrize("form", FORMS)
def test_a_trial_is_new_and_one_or_two_steps_from_the_best(form: str) -> None:
    best = FORMS[form]
    tried = [best]
    for number in range(60):
        trial = propose(best, tried, np.random.default_rng(number))
        assert trial is not None and trial not in tried
        changed = [name for name, value in trial if value != getattr(best, name)]
        assert 1 <= len(changed) <= 2
        assert all(getattr(trial, name) in space(best)[name] for name in changed)
        tried.append(trial)
    moved = {name for trial in tried for name, value in trial if value != getattr(best, name)}
    assert moved == set(space(best))


def test_the_same_draw_gives_the_same_trial() -> None:
    first, second = (propose(FORMS["bpr"], [], np.random.default_rng(5)) for _ in range(2))
    assert first == second


def test_a_neighbourhood_can_be_searched_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "SPACE", {"dim": (8, 16), "layers": (2,)})
    monkeypatch.setattr(search, "SPACE_OF_FORM", {"bpr": {}})
    tried = [TrainSettings.paper(dim=8)]
    trial = propose(tried[0], tried, np.random.default_rng(0))
    assert trial == TrainSettings.paper(dim=16)
    assert propose(tried[0], [*tried, trial], np.random.default_rng(0)) is None
