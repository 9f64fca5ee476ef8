"""Encoders that earlier versions saved are read, and give the vectors they gave then."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from alignrec.aligner.inputs import ModalityInput, TokenSequences
from alignrec.aligner.pretrain.encoder import MultimodalEncoder

SAVED = Path(__file__).parents[1] / "saved"


def test_an_encoder_that_an_earlier_version_saved_gives_the_same_vectors(tmp_path: Path) -> None:
    expected = load_file(SAVED / "expected.safetensors")
    inputs = {}
    for m in ("image", "text"):
        pooled = expected[f"{m} pooled"]
        tokens = TokenSequences(expected[f"{m} tokens"], expected[f"{m} offsets"])
        inputs[m] = ModalityInput(pooled, pooled.any(axis=1), tokens)
    encoder = MultimodalEncoder.from_pretrained(SAVED / "multimodal")
    vectors, valid = encoder.encode(inputs, "cpu")
    assert valid.all()
    np.testing.assert_allclose(vectors, expected["multimodal"], atol=1e-6)
    encoder.save_pretrained(tmp_path)
    for name in ("config.json", "model.safetensors"):
        assert (tmp_path / name).read_bytes() == (SAVED / "multimodal" / name).read_bytes()
