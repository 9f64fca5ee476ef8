"""How many epochs a training is taken to have."""

from __future__ import annotations

from pathlib import Path

import pytest

from alignrec.aligner.train.settings import TrainSettings
from alignrec.pipeline.runner.run_folder import RunFolder
from alignrec.pipeline.stages import epochs
from alignrec.pipeline.stages.epochs import epochs_with_content, epochs_without_content

SETTINGS = TrainSettings(dim=8, members=2, epochs=100, patience=4)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What the small training stops after, to be set; nothing is trained."""
    found = [13]
    monkeypatch.setattr(epochs, "_epochs_of_a_small_one", lambda *_: float(found[0]))
    return found


def test_without_content_it_is_about_what_a_small_training_has(small: list[int]) -> None:
    run = RunFolder(Path("run"))
    assert epochs_without_content(run, SETTINGS, 1) == pytest.approx((10, 16.9))
    small[0] = 5
    assert epochs_without_content(run, SETTINGS, 1) == pytest.approx((5, 6.5))
    small[0] = 99
    assert epochs_without_content(run, SETTINGS, 1)[1] == 100


def test_with_content_it_is_from_what_patience_allows_to_as_many(small: list[int]) -> None:
    run = RunFolder(Path("run"))
    assert epochs_with_content(run, SETTINGS, 1) == (5, 13)
    few = SETTINGS.model_copy(update={"epochs": 3})
    small[0] = 3
    assert epochs_with_content(run, few, 1) == pytest.approx((3, 3))


def test_the_small_training_is_done_to_its_end_or_until_it_takes_too_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trained: list[TrainSettings] = []

    def collaborative(_split: object, settings: TrainSettings, _seed: int, advance: object) -> None:
        trained.append(settings)
        for epoch in range(1, 8):
            advance(epoch, {})  # type: ignore[operator]

    monkeypatch.setattr("alignrec.aligner.train.collaborative.collaborative", collaborative)
    monkeypatch.setattr(RunFolder, "split", lambda _: type("Cut", (), {"split": None}))
    found = epochs._epochs_of_a_small_one.__wrapped__
    assert found(RunFolder(Path("run")), SETTINGS, 1) == 7
    assert (trained[0].members, trained[0].dim, trained[0].patience) == (1, 64, 4)
    monkeypatch.setattr(epochs, "_SECONDS", -1.0)
    assert found(RunFolder(Path("run")), SETTINGS, 1) == 20
