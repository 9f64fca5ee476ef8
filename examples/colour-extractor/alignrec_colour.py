"""Colour histograms as features of pictures: an extractor without any weights."""

import hashlib

import numpy as np

from alignrec.extractors.contract import Backend, Embeddings, Extractor, ExtractorCard
from alignrec.extractors.identity import ExtractorIdentity

BINS = 8
NO_WEIGHTS = hashlib.sha256(b"no weights").hexdigest()


class ColourHistogram(Extractor):
    """Pooled: share of pixels a bin and channel. Tokens: the same for each of 16 tiles."""

    batch_size = 64

    def __init__(self, name):
        self.card = ExtractorCard(
            name=name,
            modality="image",
            revision=None,
            weights_sha256=NO_WEIGHTS,
            dim=3 * BINS,
            token_dim=3 * BINS,
            preprocessing={"size": 64, "bins": BINS},
            licence=None,
        )

    def prepare(self, value):
        return np.asarray(value.resize((64, 64))) // (256 // BINS)

    def embed(self, prepared, tokens=False):
        tiles = np.stack(prepared).reshape(-1, 4, 16, 4, 16, 3).transpose(0, 1, 3, 2, 4, 5)
        onehot = np.eye(BINS, dtype=np.float32)[tiles.reshape(-1, 16, 256, 3)]
        sequence = onehot.mean(axis=2).reshape(-1, 16, 3 * BINS)
        if not tokens:
            return Embeddings(sequence.mean(axis=1))
        return Embeddings(sequence.mean(axis=1), sequence, np.ones(sequence.shape[:2], dtype=bool))


def identify(name, modality, sha256):
    return ExtractorIdentity.of_name(name, modality, weights_sha256=NO_WEIGHTS, libraries=["numpy"])


def load(name, modality, runtime):
    return ColourHistogram(name.full)


BACKEND = Backend("colour", identify, load)
