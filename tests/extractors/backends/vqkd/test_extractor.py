"""The suite of every extractor, and codes that are the nearest vectors of the codebook."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from alignrec.extractors.backends.vqkd.extractor import VQKDExtractor
from alignrec.extractors.contract import Extractor
from alignrec.extractors.registry import load_extractor
from alignrec.extractors.testing import ExtractorSuite, sample_images
from tests.extractors.backends.vqkd.tokenizers import CODE_WIDTH, CODES, GRID, SIDE, save_tokenizer


class TestVQKD(ExtractorSuite):
    @pytest.fixture(scope="class")
    @classmethod
    def extractor(cls, tmp_path_factory: pytest.TempPathFactory) -> Extractor:
        path = save_tokenizer(tmp_path_factory.mktemp("vqkd"))
        return load_extractor(f"vqkd:{path}", "image", device="cpu")

    def test_it_has_a_codebook_among_its_tokens(self, extractor: Extractor) -> None:
        assert isinstance(extractor, VQKDExtractor)
        assert extractor.codebook is not None and extractor.codebook.shape == (CODES, CODE_WIDTH)
        found = extractor.embed([extractor.prepare(one) for one in sample_images(3)], tokens=True)
        assert found.tokens is not None and found.tokens.shape == (3, GRID**2, CODE_WIDTH)
        np.testing.assert_allclose(np.linalg.norm(found.tokens, axis=2), 1, atol=1e-5)
        assert extractor.crop == 1.0

    def test_a_picture_is_read_whole(self, extractor: Extractor) -> None:
        pixels = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
        assert np.array_equal(extractor.prepare(Image.fromarray(pixels)), pixels)
