"""What every extractor must do, as tests for those who add one; it needs pytest.

A test module subclasses `ExtractorSuite` and gives the extractor as a class-scoped fixture:

    from pathlib import Path

    import pytest

    from alignrec.core.plugins import load_plugins
    from alignrec.extractors.registry import load_extractor
    from alignrec.extractors.testing import ExtractorSuite

    class TestColour(ExtractorSuite):
        @pytest.fixture(scope="class")
        @classmethod
        def extractor(cls):
            load_plugins([Path("colour.py")])
            return load_extractor("colour:histogram", "image", device="cpu")

pytest then finds the suite's tests in that class. Values may differ between batches by `tolerance`, relative
to the largest value; an extractor of a kind of content of one's own also gives `samples`.
"""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from PIL import Image

from alignrec.extractors.contract import Embeddings, Extractor
from alignrec.extractors.inputs.audio import Sound
from alignrec.extractors.inputs.images import MARGIN, decode_image, reduction
from alignrec.extractors.inputs.pair import Pair
from alignrec.extractors.modality import AUDIO, IMAGE, PAIR, TEXT

COUNT = 64
REDUCED_COSINE = 1e-3  # how far a reduced picture's vector may be from the full one's
WORDS = ("a", "red", "cotton", "shirt", "with", "long", "sleeves", "for", "summer", "days")


def sample_images(count: int = COUNT) -> list[Image.Image]:
    """Distinct smooth pictures of varying size and shape."""
    generator = np.random.default_rng(7)
    pictures = []
    for index in range(count):
        coarse = generator.integers(0, 256, (4, 5, 3), dtype=np.uint8)
        size = (48 + 7 * (index % 9), 40 + 11 * (index % 7))
        pictures.append(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC))
    return pictures


def sample_photograph(side: int, seed: int, fall: float = 1.2) -> bytes:
    """A JPEG, `side` pixels high and a third more wide, detailed as photographs are.

    Args:
        side: in pixels.
        seed: what it shows.
        fall: the power of a frequency with whose inverse its amplitude falls; in photographs 0.7 to 1.5
            (D. J. Field, JOSA A 4 (1987), 2379).
    """
    generator = np.random.default_rng(seed)
    height, width = side, side * 4 // 3
    down, across = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    falling = 1 / np.maximum(np.hypot(down, across), 1 / width) ** fall
    shape = (*falling.shape, 3)
    waves = generator.standard_normal(shape) + 1j * generator.standard_normal(shape)
    waves = 0.4 * waves + 0.8 * waves[..., :1]  # brightness varies more than colour
    planes = np.fft.irfft2(waves * falling[..., None], (height, width), axes=(0, 1))
    pixels = (128 + 45 * planes / planes.std()).clip(0, 255).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=90)
    return stream.getvalue()


def sample_texts(count: int = COUNT) -> list[str]:
    """Texts from one word to far more than a small model reads."""
    return [
        " ".join(WORDS[(index * 3 + k) % len(WORDS)] for k in range(1 + index % 40)) for index in range(count)
    ]


def sample_sounds(count: int = COUNT) -> list[Sound]:
    """Distinct tones with some noise, of several lengths and rates, two of them longer than most windows."""
    generator = np.random.default_rng(7)
    sounds = []
    for index in range(count):
        rate = (16_000, 8_000, 22_050, 44_100)[index % 4]
        seconds = 11.5 if index in (5, 40) else 0.15 + 0.11 * (index % 9)
        time = np.arange(int(seconds * rate)) / rate
        wave = np.sin(2 * np.pi * (110 + 60 * index) * time) + 0.3 * np.sign(np.sin(50 * (index % 5) * time))
        wave += 0.1 * generator.standard_normal(len(time))
        sounds.append(Sound((0.4 * wave).astype(np.float32), rate))
    return sounds


def sample_pairs(count: int = COUNT) -> list[Pair]:
    """Pictures with texts; of every ten items one has no picture, and another no text."""
    pictures, texts = sample_images(count), sample_texts(count)
    return [
        Pair(None if index % 10 == 3 else picture, None if index % 10 == 7 else text)
        for index, (picture, text) in enumerate(zip(pictures, texts, strict=True))
    ]


SAMPLES: dict[str, Callable[[], Sequence[Any]]] = {
    IMAGE.name: sample_images,
    TEXT.name: sample_texts,
    AUDIO.name: sample_sounds,
    PAIR.name: sample_pairs,
}


class ExtractorSuite:
    """The contract, as tests.

    Attributes:
        tolerance: the largest difference allowed across batches, relative to the largest value.
    """

    tolerance = 1e-5

    @pytest.fixture(scope="class")
    @classmethod
    def extractor(cls) -> Extractor:
        """The extractor under test; every subclass has its own."""
        raise NotImplementedError("give the extractor under test as a class-scoped fixture")

    @pytest.fixture(scope="class")
    @classmethod
    def samples(cls, extractor: Extractor) -> Sequence[Any]:
        """`COUNT` distinct values to embed, by default of the kind that the card states."""
        return SAMPLES[extractor.card.modality]()

    @pytest.fixture(scope="class")
    @classmethod
    def prepared(cls, extractor: Extractor, samples: Sequence[Any]) -> list[Any]:
        return [extractor.prepare(value) for value in samples]

    @pytest.fixture(scope="class")
    @classmethod
    def together(cls, extractor: Extractor, prepared: list[Any]) -> Embeddings:
        return extractor.embed(prepared, tokens=True)

    def close(self, left: np.ndarray, right: np.ndarray) -> bool:
        scale = max(1.0, float(np.abs(left).max()))
        return left.shape == right.shape and float(np.abs(left - right).max()) <= self.tolerance * scale

    def test_shapes_and_types(self, extractor: Extractor, together: Embeddings) -> None:
        card = extractor.card
        assert together.pooled.shape == (COUNT, card.dim) and together.pooled.dtype == np.float32
        assert together.tokens is not None and together.mask is not None
        assert together.tokens.dtype == np.float32 and together.tokens.shape[2] == card.token_dim
        assert together.mask.dtype == np.bool_ and together.mask.shape == together.tokens.shape[:2]

    def test_values_are_finite_and_differ(self, together: Embeddings) -> None:
        assert together.tokens is not None
        assert np.isfinite(together.pooled).all() and np.isfinite(together.tokens).all()
        assert len(np.unique(together.pooled, axis=0)) > 8

    def test_mask_is_a_prefix_and_padding_is_zero(self, together: Embeddings) -> None:
        assert together.tokens is not None and together.mask is not None
        assert together.mask.any(axis=1).all()
        assert (np.diff(together.mask.astype(int), axis=1) <= 0).all()
        assert not together.tokens[~together.mask].any()

    def test_pooled_does_not_depend_on_asking_for_tokens(
        self, extractor: Extractor, prepared: list[Any], together: Embeddings
    ) -> None:
        alone = extractor.embed(prepared)
        assert alone.tokens is None and alone.mask is None
        assert self.close(alone.pooled, together.pooled)

    def test_one_by_one_equals_together(
        self, extractor: Extractor, prepared: list[Any], together: Embeddings
    ) -> None:
        assert together.tokens is not None and together.mask is not None
        for row in range(0, COUNT, 7):
            one = extractor.embed([prepared[row]], tokens=True)
            assert self.close(one.pooled[0], together.pooled[row])
            assert one.tokens is not None and one.mask is not None
            assert self.close(one.tokens[one.mask], together.tokens[row][together.mask[row]])

    def test_order_does_not_matter(
        self, extractor: Extractor, prepared: list[Any], together: Embeddings
    ) -> None:
        order = np.random.default_rng(3).permutation(COUNT)
        shuffled = extractor.embed([prepared[row] for row in order])
        assert self.close(shuffled.pooled, together.pooled[order])

    def test_the_same_batch_gives_the_same_bytes(
        self, extractor: Extractor, prepared: list[Any], together: Embeddings
    ) -> None:
        assert extractor.embed(prepared, tokens=True).pooled.tobytes() == together.pooled.tobytes()

    def test_prepare_from_many_threads(
        self, extractor: Extractor, samples: Sequence[Any], together: Embeddings
    ) -> None:
        with ThreadPoolExecutor(8) as pool:
            prepared = list(pool.map(extractor.prepare, samples))
        assert self.close(extractor.embed(prepared).pooled, together.pooled)

    def test_length_follows_the_mask(
        self, extractor: Extractor, prepared: list[Any], together: Embeddings
    ) -> None:
        assert together.mask is not None
        lengths = [extractor.length(item) for item in prepared]
        assert set(lengths) == {0} or lengths == together.mask.sum(axis=1).tolist()

    def test_reduced_pictures_give_nearly_the_same_vectors(self, extractor: Extractor) -> None:
        side = extractor.picture_side
        if not side:
            pytest.skip("reads no pictures, or resizes them to no one size")
        pair = extractor.card.modality == PAIR.name
        for seed, scale in enumerate((2, 2, 4)):
            data = sample_photograph(3 * scale * (int(MARGIN * side / 3) + 1), seed)
            reduced, full = decode_image(data, side), decode_image(data)
            assert reduction(reduced) == scale and reduction(full) == 1
            values = [extractor.prepare(Pair(one, None) if pair else one) for one in (reduced, full)]
            left, right = extractor.embed(values).pooled.astype(np.float64)
            cosine = left @ right / np.linalg.norm(left) / np.linalg.norm(right)
            assert 1 - cosine < REDUCED_COSINE

    def test_the_card_is_json_and_complete(self, extractor: Extractor) -> None:
        card = dataclasses.asdict(extractor.card)
        assert json.loads(json.dumps(card)) == card
        assert len(bytes.fromhex(card["weights_sha256"])) == 32
        assert card["preprocessing"] and extractor.batch_size >= 1
