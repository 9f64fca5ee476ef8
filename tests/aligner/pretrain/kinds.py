"""Items of four kinds, and an encoder small enough to learn them at once."""

from __future__ import annotations

import numpy as np

from alignrec.aligner.inputs import Inputs, ModalityInput, TokenSequences
from alignrec.aligner.pretrain.pretraining import Pretrained
from alignrec.aligner.pretrain.settings import PretrainSettings

TINY = PretrainSettings(
    dim=12, width=16, depth=1, heads=2, tokens=3, codes=4, batch_size=16, epochs=4, dropout=0.1, device="cpu"
)


def world(n: int = 80, *, lost_text: int = 0, seed: int = 0) -> Inputs:
    """Items of four kinds; picture and text both show the kind, in their own noisy way."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(4, size=n)
    inputs = {}
    for modality, width in (("image", 10), ("text", 8)):
        pooled = (rng.standard_normal((4, width))[kind] + 0.2 * rng.standard_normal((n, width))).astype(
            np.float32
        )
        lengths = rng.integers(2, 6, size=n)
        tokens = np.repeat(pooled, lengths, axis=0) + 0.2 * rng.standard_normal((lengths.sum(), width))
        sequences = TokenSequences(tokens.astype(np.float16), np.concatenate([[0], lengths.cumsum()]))
        inputs[modality] = ModalityInput(pooled, np.ones(n, dtype=np.bool_), sequences)
    lost = np.arange(n) < lost_text
    inputs["text"] = inputs["text"].without(lost)
    return inputs


def weights(trained: Pretrained) -> dict[str, bytes]:
    return {name: t.numpy().tobytes() for name, t in trained.encoder.state_dict().items()}
