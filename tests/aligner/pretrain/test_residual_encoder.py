"""Linear alignment with what a Transformer has learned on top of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alignrec.aligner.alignment.views import project_view
from alignrec.aligner.errors import EncoderError, FeatureError
from alignrec.aligner.inputs import Inputs, ModalityInput, TokenSequences
from alignrec.aligner.pretrain.item_encoder import load_encoder
from alignrec.aligner.pretrain.linear_encoder import LinearEncoder
from alignrec.aligner.pretrain.pretraining import pretrain
from alignrec.aligner.pretrain.residual_encoder import ResidualEncoder, better_told
from tests.aligner.pretrain.kinds import TINY, world

SETTINGS = TINY.model_copy(update={"vector": "residual", "epochs": 12})
LINEAR = SETTINGS.model_copy(update={"vector": "linear"})


def one_way(n: int = 400) -> Inputs:
    """A photo shows the product of a title's two signs, which no linear map tells."""
    rng = np.random.default_rng(0)
    signs = rng.choice([-1.0, 1.0], (n, 2))
    photo = np.stack([signs.prod(axis=1), np.zeros(n)], axis=1) @ rng.standard_normal((2, 6))
    pooled = {
        "photo": photo + 0.1 * rng.standard_normal((n, 6)),
        "title": np.hstack([signs, np.ones((n, 1))]),
    }
    pooled["title"] = pooled["title"] + 0.1 * rng.standard_normal((n, 3))
    tokens = TokenSequences(np.zeros((0, 2), np.float16), np.zeros(n + 1, np.int64))
    every = np.ones(n, dtype=np.bool_)
    return {m: ModalityInput(rows.astype(np.float32), every, tokens, m) for m, rows in pooled.items()}


def test_before_training_vectors_are_the_linear_ones_to_the_byte(tmp_path: Path) -> None:
    inputs = world(lost_text=9)
    expected = LinearEncoder.fitted(LINEAR, inputs, seed=1).encode(inputs)[0]
    untrained = ResidualEncoder.fitted(SETTINGS, inputs, seed=1)
    assert untrained.encode(inputs)[0].tobytes() == expected.tobytes()
    untrained.learned = ("image", "text")
    np.testing.assert_array_equal(untrained.encode(inputs)[0], expected)
    untrained.save_pretrained(tmp_path)
    inside = load_encoder(tmp_path / "linear")
    assert isinstance(inside, LinearEncoder) and inside.encode(inputs)[0].tobytes() == expected.tobytes()


def test_a_view_is_moved_only_where_held_out_items_show_it() -> None:
    inputs = one_way()
    settings = SETTINGS.model_copy(update={"epochs": 40, "learning_rate": 5e-3, "dropout": 0.0, "width": 32})
    trained = pretrain(inputs, settings, seed=0)
    assert trained.encoder.learned == ("photo",), "a product of signs does not say which signs"
    assert min(curve["held out photo"] for curve in trained.curves) < 0.3
    linear, residual = (e.encode(inputs)[0] for e in (trained.encoder.linear, trained.encoder))
    assert not np.allclose(linear, residual)
    lost = {**inputs, "photo": inputs["photo"].without(np.arange(400) < 100)}
    before, after = (e.encode(lost)[0][:100] for e in (trained.encoder.linear, trained.encoder))
    sides = project_view(trained.encoder.linear.components["photo"], inputs["photo"])[:100, 0] > 0

    def apart(vectors: np.ndarray) -> float:
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        cosine = unit @ unit.T
        same = sides[:, None] == sides
        return float(cosine[same].mean() - cosine[~same].mean())

    assert apart(after) > apart(before) + 0.2, "what was lost is told"


def test_nothing_to_learn_leaves_linear_vectors() -> None:
    rng = np.random.default_rng(3)
    inputs = dict(world(200))
    other = rng.permutation(200)
    inputs["text"] = inputs["text"].rows(other)
    trained = pretrain(inputs, SETTINGS, seed=0)
    assert trained.encoder.learned == ()
    expected = LinearEncoder.fitted(LINEAR, inputs, seed=0).encode(inputs)[0]
    assert trained.encoder.encode(inputs)[0].tobytes() == expected.tobytes()
    few = world(20)
    assert pretrain(few, SETTINGS, seed=0).encoder.learned == (), "two items judge nothing"
    alone = {"text": few["text"]}
    assert pretrain(alone, SETTINGS, seed=0).curves == []


def test_judges_need_more_than_a_standard_error() -> None:
    inputs = world()
    encoder = ResidualEncoder.fitted(SETTINGS, inputs, seed=0).eval()
    judges = np.arange(40)
    errors = {m: np.ones((80, used), np.float32) for m, used in encoder.linear.consensus.widths.items()}
    assert better_told(encoder, inputs, errors, judges, 20) == [], "no gain is no gain"
    encoder.predict["text"].bias.data += 0.1
    encoder.predict["image"].bias.data -= 0.1
    assert better_told(encoder, inputs, errors, judges, 20) == ["text"]
    assert better_told(encoder, inputs, errors, judges, 41) == []


def test_saved_and_loaded_it_gives_the_same_bytes(tmp_path: Path) -> None:
    inputs = world(300, lost_text=30)
    encoder = pretrain(inputs, SETTINGS, seed=0).encoder
    assert encoder.learned
    encoder.save_pretrained(tmp_path)
    loaded = load_encoder(tmp_path)
    assert isinstance(loaded, ResidualEncoder) and loaded.learned == encoder.learned
    assert loaded.encode(inputs)[0].tobytes() == encoder.encode(inputs)[0].tobytes()
    with pytest.raises(FeatureError, match="the encoder is for"):
        loaded.encode({"image": inputs["text"], "text": inputs["image"]})


HOSTILE: dict[str, Any] = {
    "a view it lacks": {"learned": ["sound"]},
    "kinds of other views": {"kinds": {"image": "image"}},
    "other widths": {"widths": {"image": [3, 10], "text": [3, 8]}},
    "a learned number": {"learned": [1]},
    "another key": {"more": 1},
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE)
def test_files_that_do_not_fit_together_are_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    ResidualEncoder.fitted(SETTINGS, world(), seed=0).save_pretrained(tmp_path)
    config = tmp_path / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | change))
    with pytest.raises(EncoderError, match=str(tmp_path)):
        ResidualEncoder.from_pretrained(tmp_path)


@pytest.mark.parametrize("name", ["linear/model.safetensors", "linear/config.json", "model.safetensors"])
def test_a_file_that_is_gone_is_named(tmp_path: Path, name: str) -> None:
    ResidualEncoder.fitted(SETTINGS, world(), seed=0).save_pretrained(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(EncoderError, match=Path(name).name):
        ResidualEncoder.from_pretrained(tmp_path)


def test_heads_that_do_not_divide_the_width_are_refused(tmp_path: Path) -> None:
    ResidualEncoder.fitted(SETTINGS, world(), seed=0).save_pretrained(tmp_path)
    config = tmp_path / "config.json"
    found = json.loads(config.read_text())
    found["settings"]["heads"] = 3
    config.write_text(json.dumps(found))
    with pytest.raises(EncoderError, match="heads must divide the width"):
        ResidualEncoder.from_pretrained(tmp_path)
