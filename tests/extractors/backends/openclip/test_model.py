"""Both sides of an open_clip model: its own vectors, patches and words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image

from alignrec.extractors.backends.openclip.model import load_open_clip
from alignrec.extractors.contract import Extractor
from alignrec.extractors.errors import ExtractorError
from alignrec.extractors.modality import MODALITIES, Kind, Modality
from alignrec.extractors.names import ModelName
from alignrec.extractors.runtime import Runtime
from alignrec.extractors.testing import sample_images
from tests.extractors import models


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return models.open_clip_model(tmp_path_factory.mktemp("open_clip"))


def side(folder: Path, modality: Modality) -> Extractor:
    return load_open_clip(ModelName.parse(f"open_clip:local-dir:{folder}"), modality, Runtime.resolve("cpu"))


def test_an_image_is_embedded_as_open_clip_does(folder: Path) -> None:
    """Of 32 pixels in patches of 8 there are 16; white is (1 - 0.5) / 0.5 by the folder's preprocessing."""
    found = side(folder, MODALITIES["image"])
    white = found.prepare(Image.new("RGB", (50, 20), "white"))
    np.testing.assert_allclose(white, np.ones((3, 32, 32)), atol=1e-6)
    prepared = [found.prepare(image) for image in sample_images(2)]
    embedded = found.embed(prepared, tokens=True)
    model = open_clip.create_model(f"local-dir:{folder}").eval()
    with torch.inference_mode():
        wanted = model.encode_image(torch.from_numpy(np.stack(prepared))).numpy()
    np.testing.assert_allclose(embedded.pooled, wanted, atol=1e-5)
    assert embedded.tokens is not None and embedded.tokens.shape == (2, 16, 32)
    assert embedded.mask is not None and embedded.mask.all()


def test_a_text_is_embedded_as_open_clip_does_and_ends_with_its_words(folder: Path) -> None:
    """A start, two words of one token each, an end; the rest of the sixteen is padding."""
    found = side(folder, MODALITIES["text"])
    prepared = [found.prepare(text) for text in ("red lamp", "lamp")]
    embedded = found.embed(prepared, tokens=True)
    model = open_clip.create_model(f"local-dir:{folder}").eval()
    with torch.inference_mode():
        wanted = model.encode_text(torch.from_numpy(np.stack(prepared))).numpy()
    np.testing.assert_allclose(embedded.pooled, wanted, atol=1e-5)
    assert embedded.tokens is not None and embedded.mask is not None
    assert embedded.mask.sum(axis=1).tolist() == [4, 3]
    assert embedded.mask[0].tolist() == [True] * 4 + [False] * 12
    assert not embedded.tokens[~embedded.mask].any()


def test_another_kind_of_content_is_refused(folder: Path) -> None:
    with pytest.raises(ExtractorError, match="expected image or text, got sound"):
        side(folder, Modality("sound", Kind("sound")))


def test_a_config_that_open_clip_cannot_read_is_refused(tmp_path: Path) -> None:
    models.open_clip_model(tmp_path)
    (tmp_path / "open_clip_config.json").write_text("{}")
    with pytest.raises(ExtractorError, match=r"open_clip cannot load .*open_clip_model\.safetensors"):
        side(tmp_path, MODALITIES["image"])
