"""Both sides of an open_clip model: its own vectors, patches and words."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

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
        side(folder, Modality("sound", Kind("sound", "sound")))


def configure(folder: Path, part: str, **settings: object) -> None:
    file = folder / "open_clip_config.json"
    config = json.loads(file.read_text())
    place = config
    for key in part.split("."):
        place = place[key]
    place.update(settings)
    file.write_text(json.dumps(config))


def wrong(folder: Path, modality: str = "image") -> str:
    with pytest.raises(ExtractorError) as caught:
        side(folder, MODALITIES[modality])
    message = str(caught.value)
    assert "\n" not in message and len(message) < 1_000
    return message


@pytest.mark.parametrize("content", ["{}", "{", "[]", '{"model_cfg": 1}', '{"model_cfg": {}}'])
def test_a_config_that_open_clip_cannot_read_is_refused(tmp_path: Path, content: str) -> None:
    models.open_clip_model(tmp_path)
    (tmp_path / "open_clip_config.json").write_text(content)
    assert "open_clip_model.safetensors" in wrong(tmp_path) or "open_clip_config.json" in wrong(tmp_path)


@pytest.mark.parametrize(
    ("part", "settings", "message"),
    [
        ("model_cfg", {"colour": 1}, "unexpected keyword argument 'colour'"),
        (
            "model_cfg.vision_cfg",
            {"image_size": 48},
            "visual.positional_embedding has the shape [17, 32], which",
        ),
        ("model_cfg.text_cfg", {"context_length": 20}, "positional_embedding has the shape [16, 32], which"),
        ("preprocess_cfg", {"crop": 0.9}, "open_clip_config.json states preprocess_cfg: "),
        ("preprocess_cfg", {"resize_mode": "wild"}, "open_clip cannot prepare a picture as preprocess_cfg"),
        ("preprocess_cfg", {"mean": "wild"}, "open_clip cannot prepare a picture as preprocess_cfg"),
    ],
)
def test_what_a_config_states_is_applied_or_refused(
    tmp_path: Path, part: str, settings: dict[str, object], message: str
) -> None:
    """open_clip itself passes over unknown preprocessing and interpolates positions without a word."""
    configure(models.open_clip_model(tmp_path), part, **settings)
    assert message in wrong(tmp_path)


def test_weights_are_all_and_no_others(tmp_path: Path) -> None:
    file = models.open_clip_model(tmp_path) / "open_clip_model.safetensors"
    weights = load_file(file)
    save_file({f"module.{key}": tensor for key, tensor in weights.items()}, file)
    assert side(tmp_path, MODALITIES["image"]).card.dim == 24, "as several processes save them"
    save_file({**weights, "extra": torch.zeros(1)}, file)
    assert 'Unexpected key(s) in state_dict: "extra"' in wrong(tmp_path)
    kept = {key: tensor for key, tensor in weights.items() if key != "visual.proj"}
    save_file(kept, file)
    assert 'Missing key(s) in state_dict: "visual.proj"' in wrong(tmp_path)
    save_file(weights, file)
    file.write_bytes(file.read_bytes()[:-100])
    assert "open_clip cannot load" in wrong(tmp_path)


def test_weights_of_transformers_are_none_of_open_clip(tmp_path: Path) -> None:
    models.open_clip_model(tmp_path)
    (tmp_path / "open_clip_model.safetensors").unlink()
    models.clip(tmp_path)
    message = wrong(tmp_path)
    assert "Missing key(s)" in message and f"transformers:{tmp_path} may be what you want" in message
    (tmp_path / "open_clip_pytorch_model.bin").touch()
    assert "it would read" in wrong(tmp_path)
