"""Aligned encoders that earlier versions saved are read, and give the vectors they gave then."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from alignrec.aligner.train.aligned_encoder import AlignedEncoder

SAVED = Path(__file__).parents[1] / "saved"


def test_an_encoder_that_an_earlier_version_saved_gives_the_same_vectors(tmp_path: Path) -> None:
    expected = load_file(SAVED / "expected.safetensors")
    features = expected["features"]
    encoder = AlignedEncoder.from_pretrained(SAVED / "aligner")
    aligned, content = encoder.encode(features, features.any(axis=1))
    np.testing.assert_allclose(aligned, expected["aligned"], atol=1e-6)
    np.testing.assert_allclose(content, expected["content"], atol=1e-6)
    encoder.save_pretrained(tmp_path)
    for name in ("config.json", "model.safetensors"):
        assert (tmp_path / name).read_bytes() == (SAVED / "aligner" / name).read_bytes()
