"""A saved encoder is found again, whichever form it has."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alignrec.aligner.errors import EncoderError
from alignrec.aligner.pretrain.encoder import MultimodalEncoder
from alignrec.aligner.pretrain.item_encoder import load_encoder
from alignrec.aligner.pretrain.linear_encoder import LinearEncoder
from alignrec.aligner.pretrain.settings import PretrainSettings
from tests.aligner.pretrain.test_linear_encoder import inputs

SAVED = Path(__file__).parents[1] / "saved" / "multimodal"


def test_each_form_is_read_as_what_it_is(tmp_path: Path) -> None:
    assert isinstance(load_encoder(SAVED), MultimodalEncoder), "earlier versions did not name the form"
    settings = PretrainSettings(vector="linear", dim=4)
    LinearEncoder.fitted(settings, inputs(), seed=1).save_pretrained(tmp_path)
    found = load_encoder(tmp_path)
    assert isinstance(found, LinearEncoder) and found.settings == settings


def test_a_form_that_is_not_known_is_refused(tmp_path: Path) -> None:
    config = json.loads((SAVED / "config.json").read_text())
    config["settings"]["vector"] = "round"
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "model.safetensors").write_bytes((SAVED / "model.safetensors").read_bytes())
    with pytest.raises(EncoderError, match="vector"):
        load_encoder(tmp_path)
