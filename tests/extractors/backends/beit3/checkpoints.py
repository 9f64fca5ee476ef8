"""Tiny BEiT-3 checkpoints of random weights, in the published form, and word pieces to go with them."""

from __future__ import annotations

from pathlib import Path

import sentencepiece
import torch

from alignrec.extractors.backends.beit3.model import PublishedBEiT3, Sizes
from alignrec.extractors.testing import WORDS

TINY = Sizes(
    width=64, layers=2, hidden=96, heads=1, patch=8, image=32, vocabulary=64, positions=34, retrieval=True
)


def random_model(sizes: Sizes = TINY, seed: int = 0) -> PublishedBEiT3:
    """Weights spread so that outputs differ as a trained model's do."""
    generator = torch.Generator().manual_seed(seed)
    model = PublishedBEiT3(sizes).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            centre = 1.0 if name.endswith(("norm.weight", "_ln.A.weight", "_ln.B.weight")) else 0.0
            weight.copy_(torch.randn(weight.shape, generator=generator) * 0.2 + centre)
    return model


def save_word_pieces(folder: Path, size: int = 40) -> Path:
    """A SentencePiece file of `size` pieces, learned from the suite's words."""
    path = folder / "beit3.spm"
    with path.open("wb") as file:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter([" ".join(WORDS), *WORDS] * 20),
            model_writer=file,
            vocab_size=size,
            hard_vocab_limit=False,
            minloglevel=2,
        )
    return path


def save_published(folder: Path, sizes: Sizes = TINY) -> Path:
    """A folder with a checkpoint as published, `.pth` with everything under `model`, and word pieces."""
    torch.save({"model": random_model(sizes).state_dict()}, folder / "beit3_tiny.pth")
    save_word_pieces(folder)
    return folder
