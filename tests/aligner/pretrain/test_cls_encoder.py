"""`[CLS]` as an item's vector, from raw tokens to saved files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from alignrec.aligner.errors import EncoderError
from alignrec.aligner.pretrain.cls_encoder import ClsEncoder
from alignrec.aligner.pretrain.item_encoder import load_encoder
from alignrec.aligner.pretrain.pretraining import pretrain
from tests.aligner.pretrain.kinds import TINY, world

PAPER = TINY.model_copy(update={"vector": "cls"})


def test_vectors_are_of_the_encoders_width_and_have_no_common_part() -> None:
    inputs = world(lost_text=10)
    vectors, valid = pretrain(inputs, PAPER, seed=0).encoder.encode(inputs)
    assert vectors.shape == (80, PAPER.width) and valid.all()
    np.testing.assert_allclose(vectors.mean(axis=0), 0, atol=1e-5)
    assert vectors[:10].any(axis=1).all(), "an item without a text has a vector too"


def test_what_is_learned_tells_kinds_apart() -> None:
    inputs = world(160)
    settings = PAPER.model_copy(update={"epochs": 15, "learning_rate": 5e-3, "dropout": 0.0, "width": 32})
    vectors, _ = pretrain(inputs, settings, seed=0).encoder.encode(inputs)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    kind = np.random.default_rng(0).integers(4, size=160)
    cosine = unit @ unit.T
    same = kind[:, None] == kind
    assert cosine[same].mean() > cosine[~same].mean() + 0.5


def test_saved_it_names_its_form_and_is_found_again(tmp_path: Path) -> None:
    inputs = world(lost_text=5)
    encoder = pretrain(inputs, PAPER, seed=0).encoder
    encoder.save_pretrained(tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["settings"]["vector"] == "cls"
    loaded = load_encoder(tmp_path)
    assert isinstance(loaded, ClsEncoder)
    assert loaded.encode(inputs)[0].tobytes() == encoder.encode(inputs)[0].tobytes()
    config = json.loads((tmp_path / "config.json").read_text())
    config["settings"]["width"] = 8
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(EncoderError, match=r"model\.safetensors: the tensor"):
        ClsEncoder.from_pretrained(tmp_path)
