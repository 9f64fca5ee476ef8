"""Training as a whole: it learns, stops, resumes to the byte, and speaks for items that nobody touched."""

from __future__ import annotations

import io
import math
import os
import signal
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from alignrec.aligner.content_space import centre
from alignrec.aligner.errors import AlignerError, EncoderError, FeatureError, ProcessesError, SplitError
from alignrec.aligner.evaluate.evaluation import evaluate
from alignrec.aligner.evaluate.ranking import dot_scorer
from alignrec.aligner.evaluate.splits import TRAIN, VALID, Split
from alignrec.aligner.landmarks.popularity import popularity
from alignrec.aligner.processes import Processes
from alignrec.aligner.train.aligned_encoder import AlignedEncoder
from alignrec.aligner.train.settings import TrainSettings
from alignrec.aligner.train.training import Trained, train
from alignrec.core.vectors import unit_rows
from tests.aligner.together import together
from tests.aligner.worlds import COLD, ITEMS, two_tastes

SMALL = {"dim": 8, "members": 2, "batch_size": 32, "epochs": 6, "patience": 6, "popularity": (0.0,)}
SMALL |= {"zero_shot": (0.0,), "learning_rate": 0.02, "uia_weight": 0.1, "device": "cpu"}


def run(seed: int = 1, **changes: Any) -> Trained:
    hooks = {name: changes.pop(name) for name in ("state", "save", "advance", "processes") if name in changes}
    return train(*two_tastes(), TrainSettings.model_validate(SMALL | changes), seed, **hooks)


@cache
def finished(**changes: Any) -> Trained:
    """A whole training that several tests look at."""
    return run(**changes)


def same(a: Trained, b: Trained) -> bool:
    return a.fit == b.fit and all(
        getattr(a, name).tobytes() == getattr(b, name).tobytes() for name in ("aligned", "content", "user")
    )


@pytest.mark.parametrize("loss", ["softmax", "bpr"])
def test_the_loss_falls_and_recommendations_beat_popularity(loss: str) -> None:
    done = finished(loss=loss, epochs=25, patience=25)
    parts = [curve[f"loss.{loss}"] for curve in done.fit.curves]
    assert parts[-1] < 0.8 * parts[0]
    assert all(np.isfinite(list(curve.values())).all() for curve in done.fit.curves)
    split = two_tastes()[2]
    found = evaluate(dot_scorer(done.user, done.aligned), split, ks=(10,)).mean("recall", 10)
    assert found > evaluate(popularity(split.matrix(TRAIN)), split, ks=(10,)).mean("recall", 10) + 0.1


@pytest.mark.parametrize("loss", ["softmax", "bpr"])
def test_killed_after_any_epoch_it_ends_in_the_same_bytes(loss: str) -> None:
    whole = finished(loss=loss)
    stored = io.BytesIO()

    class KilledError(Exception):
        pass

    def save(state: dict[str, Any]) -> None:
        stored.seek(0)
        stored.truncate()
        torch.save(state, stored)
        raise KilledError

    state = None
    for epoch in range(1, 7):
        with pytest.raises(KilledError):
            run(loss=loss, state=state, save=save)
        stored.seek(0)
        state = torch.load(stored, weights_only=True)
        assert len(state["curves"]) == epoch
    assert same(run(loss=loss, state=state), whole)


@pytest.mark.parametrize("members", [1, 2])
def test_every_member_speaks_with_the_same_weight(members: int) -> None:
    done = run(members=members)
    for vectors in (done.aligned[done.valid], done.user):
        lengths = np.linalg.norm(vectors.reshape(len(vectors), members, -1), axis=2)
        assert lengths == pytest.approx(members**-0.5, abs=1e-5)


def check_terms_of_new_items_and_validation(done: Trained, folder: Path) -> None:
    """A new item has the terms by the saved encoder, and validation is by vectors that have them."""
    features, valid, split = two_tastes()
    done.encoder.save_pretrained(folder)
    loaded = AlignedEncoder.from_pretrained(folder)
    assert loaded.encode(features, valid)[0][ITEMS - COLD].tobytes() == done.aligned[ITEMS - COLD].tobytes()
    warm = replace(split, candidates=done.origin)
    found = evaluate(dot_scorer(done.user, done.aligned), warm, VALID)
    assert done.validation["recall@20"] == pytest.approx(found.mean("recall", 20))


def test_a_popularity_term_is_the_last_column_of_every_vector(tmp_path: Path) -> None:
    split = two_tastes()[2]
    without, done = finished(), run(popularity=(0.25,))
    assert done.popularity == 0.25
    assert done.aligned[:, :-1].tobytes() == without.aligned.tobytes(), "the cosines are what they were"
    assert done.user[:, :-1].tobytes() == without.user.tobytes()
    assert (done.user[:, -1] == 1).all()
    counts = np.bincount(split.item[split.label == TRAIN], minlength=ITEMS)
    logarithm = np.log1p(counts) - np.log1p(counts[done.origin]).mean()
    assert done.aligned[done.valid, -1] == pytest.approx(0.25 * logarithm[done.valid], abs=1e-6)
    assert not done.aligned[~done.valid].any()
    check_terms_of_new_items_and_validation(done, tmp_path)


def test_a_zero_shot_term_has_columns_of_its_own_before_that_one(tmp_path: Path) -> None:
    features, valid, split = two_tastes()
    without, done = finished(), run(zero_shot=(0.3,), popularity=(0.25,))
    dim, root = SMALL["dim"], np.float32(math.sqrt(0.3))
    assert (done.zero_shot, done.popularity) == (0.3, 0.25)
    assert done.aligned[:, :dim].tobytes() == without.aligned.tobytes(), "the cosines are what they were"
    assert done.user[:, :dim].tobytes() == without.user.tobytes()
    content = centre(features, valid)
    liked = unit_rows(split.matrix(TRAIN) @ content)
    assert done.aligned[:, dim:-1] == pytest.approx(root * content, abs=1e-6)
    assert done.user[:, dim:-1] == pytest.approx(root * liked, abs=1e-6)
    assert (done.user[:, -1] == 1).all() and not done.aligned[~done.valid].any()
    check_terms_of_new_items_and_validation(done, tmp_path)


def test_a_term_of_no_weight_changes_no_byte() -> None:
    assert same(run(popularity=(0.0,)), finished())
    assert same(run(zero_shot=(0.0,)), finished())
    assert same(run(loss="bpr", zero_shot=(0.3,)), finished(loss="bpr")), "under BPR it has no measure"
    assert finished().zero_shot == 0
    assert same(run(loss="bpr", popularity=(0.25,)), finished(loss="bpr")), "under BPR length says it"
    assert finished().popularity == 0


def test_seeds_decide_everything() -> None:
    assert same(run(seed=1), finished())
    assert finished().aligned.tobytes() != run(seed=2).aligned.tobytes()


def test_the_best_epoch_is_kept_and_patience_ends() -> None:
    epochs: list[int] = []
    done = run(epochs=60, patience=2, advance=lambda epoch, _curve: epochs.append(epoch))
    recalls = [curve["recall@20"] for curve in done.fit.curves]
    assert epochs == list(range(1, len(recalls) + 1))
    assert done.fit.best_epoch == int(np.argmax(recalls)) + 1
    assert len(recalls) == min(60, done.fit.best_epoch + 2)
    assert done.fit.validation["recall@20"] == max(recalls)
    warm = replace(two_tastes()[2], candidates=done.origin)
    found = evaluate(dot_scorer(done.user, done.aligned), warm, VALID, ks=(10,))
    assert done.fit.validation["recall@10"] == pytest.approx(found.mean("recall", 10))


def test_items_that_nobody_touched_stand_where_their_content_puts_them() -> None:
    features, valid, split = two_tastes()
    done = finished(loss="softmax", epochs=25, patience=25)
    cold = np.arange(ITEMS) >= ITEMS - COLD
    assert np.array_equal(done.origin, np.bincount(split.item[split.label == TRAIN], minlength=ITEMS) > 0)
    assert not done.origin[cold].any()
    assert done.valid.tolist() == [True] * (ITEMS - 1) + [False]
    assert not done.aligned[-1].any() and not done.content[-1].any()
    assert np.linalg.norm(done.aligned[done.valid], axis=1) == pytest.approx(1, abs=1e-5)
    new = ITEMS - COLD
    likes = done.user @ done.aligned[new]
    assert (
        likes[np.arange(len(likes)) % 2 == new % 2].mean()
        > likes[np.arange(len(likes)) % 2 != new % 2].mean()
    )
    moved = features.copy()
    moved[~valid] = 7
    again = train(moved, valid, split, TrainSettings.model_validate(SMALL), 1)
    assert same(again, finished()), "features of items that are not valid are not looked at"


def test_the_encoder_says_the_same_after_a_round_trip(tmp_path: Path) -> None:
    features, valid, _ = two_tastes()
    done = run(content_layers=2)
    done.encoder.save_pretrained(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {"config.json", "model.safetensors"}
    loaded = AlignedEncoder.from_pretrained(tmp_path)
    aligned, content = loaded.encode(features, valid)
    assert aligned[ITEMS - COLD].tobytes() == done.aligned[ITEMS - COLD].tobytes()
    assert content[ITEMS - COLD].tobytes() == done.content[ITEMS - COLD].tobytes()
    alone, _ = loaded.encode(features[5:6], valid[5:6])
    assert alone[0] == pytest.approx(aligned[5], abs=1e-5), "a vector depends on its item alone"
    with pytest.raises(FeatureError, match="features"):
        loaded.encode(features[:, :2], valid)
    (tmp_path / "config.json").write_text('{"format": 2}')
    with pytest.raises(EncoderError, match="format 2"):
        AlignedEncoder.from_pretrained(tmp_path)
    with pytest.raises(EncoderError, match="no aligner"):
        AlignedEncoder.from_pretrained(tmp_path / "nowhere")


def test_what_cannot_be_trained_on_is_refused() -> None:
    features, valid, split = two_tastes()
    settings = TrainSettings.model_validate(SMALL)
    with pytest.raises(FeatureError, match="80 items"):
        train(features[:3], valid[:3], split, settings, 1)
    with pytest.raises(FeatureError, match="NaN"):
        train(np.full_like(features, np.nan), valid, split, settings, 1)
    untested = Split(split.users, split.items, split.user, split.item, split.label * 0)
    with pytest.raises(SplitError, match="valid"):
        train(features, valid, untested, settings, 1)
    with pytest.raises(AlignerError, match="cpu"):
        run(device="abacus")
    with pytest.raises(AlignerError, match="diverged"):
        run(learning_rate=1e30, loss="bpr", epochs=30, patience=30)


# All interactions at once: an epoch is a step.
STEPS = {"batch_size": 4096, "epochs": 20, "patience": 20}
FORMS: list[dict[str, Any]] = [{}, {"members": 1}, {"loss": "bpr", "members": 1}, {"content_layers": 2}]


def trained_in_each(processes: Processes) -> list[Trained]:
    return [run(**STEPS, **form, processes=processes) for form in FORMS]


@pytest.mark.slow
def test_processes_that_share_a_training_end_where_one_does() -> None:
    first, _ = together(2, trained_in_each)
    for form, done in zip(FORMS, first, strict=True):
        alone = finished(**STEPS, **form)
        assert len(done.fit.curves) == 20
        for wanted, curve in zip(alone.fit.curves, done.fit.curves, strict=True):
            assert curve == pytest.approx(wanted, abs=1e-4), form
        assert done.validation == pytest.approx(alone.validation, abs=0.003)
        np.testing.assert_allclose(done.aligned, alone.aligned, atol=1e-3)


class Stored:
    """The state after the last epoch, in a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def save(self, state: dict[str, Any]) -> None:
        torch.save(state, self.path)

    def load(self) -> dict[str, Any] | None:
        state: dict[str, Any] | None = (
            torch.load(self.path, weights_only=True) if self.path.exists() else None
        )
        return state


def trained_until_killed(processes: Processes, path: Path, epochs: int | None) -> Trained:
    """Trains from where the file has come to; after so many epochs the second process is killed."""
    stored = Stored(path)

    def save(state: dict[str, Any]) -> None:
        if processes.first:
            stored.save(state)
        elif len(state["curves"]) == epochs:
            os.kill(os.getpid(), signal.SIGKILL)

    return run(processes=processes, state=stored.load(), save=save)


@pytest.mark.slow
def test_where_a_process_is_killed_the_training_ends_with_words_and_goes_on(tmp_path: Path) -> None:
    whole, _ = together(2, trained_until_killed, tmp_path / "whole", None)
    first, killed = together(2, trained_until_killed, tmp_path / "killed", 2)
    assert killed is None and isinstance(first, ProcessesError)
    assert "another process of this training ended" in str(first)
    state = Stored(tmp_path / "killed").load()
    assert state is not None and len(state["curves"]) == 2
    resumed, _ = together(2, trained_until_killed, tmp_path / "killed", None)
    assert same(resumed, whole)
