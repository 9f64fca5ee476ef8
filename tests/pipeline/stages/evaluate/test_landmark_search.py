"""The search of a trained landmark's settings: logged, resumed, and no worse than what it saw."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from alignrec.aligner.errors import AlignerError
from alignrec.aligner.landmarks.bpr_mf import BPR_MF
from alignrec.pipeline.stages.evaluate.landmark_search import LandmarkLog, searched

# The recall rises with L2 up to 0.01, then with width.
RECALLS = {0.0: 0.1, 1e-4: 0.2, 1e-3: 0.3, 1e-2: 0.4, 3e-2: 0.2, 1e-1: 0.1}


def recall(settings: Mapping[str, float]) -> float:
    return RECALLS[settings["l2_weight"]] + settings["dim"] / 1e4


class Trainings:
    """Counts them, and is stopped before one of them."""

    def __init__(self, stop: int = 0) -> None:
        self.titles: list[str] = []
        self.stop = stop

    def __call__(self, settings: Mapping[str, float], title: str) -> float:
        if len(self.titles) + 1 == self.stop:
            raise KeyboardInterrupt
        self.titles.append(title)
        return recall(settings)


def test_the_best_of_what_was_tried_is_chosen_and_every_trial_is_on_record(tmp_path: Path) -> None:
    score = Trainings()
    log = searched(BPR_MF, tmp_path / "tune" / "log.json", score)
    assert BPR_MF.search is not None and len(score.titles) == BPR_MF.search.budget == len(log.trials)
    assert log.trials[0].settings == {"l2_weight": 1e-4, "learning_rate": 0.003, "dim": 64}
    assert log.chosen == {"l2_weight": 1e-2, "learning_rate": 0.003, "dim": 256}
    assert max(trial.validation for trial in log.trials) == pytest.approx(recall(log.chosen))
    assert score.titles[0] == (
        "BPR-MF, settings 1 of at most 10: dim 64, l2_weight 0.0001, learning_rate 0.003"
    )
    words = "dim 256, l2_weight 0.01, learning_rate 0.003: the best validation Recall@20, 0.4256, of 10"
    assert str(log) == f"{words} trainings"
    kept = json.loads((tmp_path / "tune" / "log.json").read_bytes())
    assert kept["landmark"] == "BPR-MF" and kept["chosen"] == log.chosen


def test_stopped_it_goes_on_and_done_it_trains_no_more(tmp_path: Path) -> None:
    whole = searched(BPR_MF, tmp_path / "whole.json", Trainings())
    path, first, second, third = tmp_path / "log.json", Trainings(stop=4), Trainings(), Trainings()
    with pytest.raises(KeyboardInterrupt):
        searched(BPR_MF, path, first)
    assert searched(BPR_MF, path, second) == whole == searched(BPR_MF, path, third)
    assert (len(first.titles), len(second.titles), len(third.titles)) == (3, 7, 0)
    assert path.read_bytes() == (tmp_path / "whole.json").read_bytes()
    path.write_bytes(path.read_bytes()[:-20])
    again = Trainings()
    assert searched(BPR_MF, path, again) == whole and len(again.titles) == 10, "damaged, it begins anew"


def test_what_fails_is_never_chosen_and_nothing_to_validate_by_chooses_nothing(tmp_path: Path) -> None:
    def diverges(settings: Mapping[str, float], _title: str) -> float:
        if settings["l2_weight"] != 1e-4:
            raise AlignerError("training diverged")
        return 0.1

    log = searched(BPR_MF, tmp_path / "log.json", diverges)
    assert log.chosen is not None and log.chosen["l2_weight"] == 1e-4
    assert {t.validation for t in log.trials if t.settings["l2_weight"] != 1e-4} == {-1.0}
    blind = searched(BPR_MF, tmp_path / "blind.json", lambda *_: float("nan"))
    assert blind.chosen == blind.trials[0].settings
    assert LandmarkLog.model_validate(json.loads((tmp_path / "blind.json").read_bytes())) == blind
