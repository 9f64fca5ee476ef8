"""Batches of token sequences."""

from __future__ import annotations

import numpy as np

from alignrec.aligner.inputs import ModalityInput, TokenSequences
from alignrec.aligner.pretrain.batches import LONGEST, gather


def test_a_sequence_beyond_the_longest_is_cut() -> None:
    rng = np.random.default_rng(0)
    tokens = TokenSequences(
        rng.standard_normal((LONGEST + 50, 8)).astype(np.float16), np.array([0, LONGEST + 50])
    )
    source = ModalityInput(np.ones((1, 8), dtype=np.float32), np.ones(1, dtype=np.bool_), tokens)
    assert gather({"text": source}, np.array([0]), most=10**6)["text"].tokens.shape[1] == LONGEST
    drawn = gather({"text": source}, np.array([0]), most=5, rng=rng)["text"]
    assert int(drawn.position.max()) < LONGEST
