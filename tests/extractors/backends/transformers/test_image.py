"""An image by a transformers model: its processor's pixels, and the pooling that it has."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from PIL import Image

from alignrec.extractors.backends.transformers.image import TransformersImage
from alignrec.extractors.errors import ExtractorError
from alignrec.extractors.runtime import Runtime
from alignrec.extractors.testing import sample_images
from tests.extractors import models


def load(folder: Path) -> TransformersImage:
    return TransformersImage("transformers:tiny", folder, None, "mit", Runtime.resolve("cpu"))


@pytest.mark.parametrize(
    ("make", "pooling", "dim", "tokens"),
    [
        (models.vit, "pooler", 32, 17),
        (lambda folder: models.vit(folder, pooler=False), "cls", 32, 17),
        (models.convnext, "pooler", 24, 1),
        (models.clip, "features", 24, 17),
        (models.siglip, "features", 32, 16),
    ],
)
def test_the_best_pooling_that_a_model_has(
    tmp_path: Path, make: Callable[[Path], Path], pooling: str, dim: int, tokens: int
) -> None:
    """Pictures of 32 pixels in patches of 8 are 16 tokens, and a class token where there is one."""
    model = load(make(tmp_path))
    assert (model.card.preprocessing["pooling"], model.card.dim) == (pooling, dim)
    assert (model.card.name, model.card.licence, model.card.revision) == ("transformers:tiny", "mit", None)
    found = model.embed([model.prepare(image) for image in sample_images(2)], tokens=True)
    assert found.pooled.shape == (2, dim)
    assert found.tokens is not None and found.tokens.shape == (2, tokens, model.card.token_dim)
    assert found.mask is not None and found.mask.all()
    if pooling == "cls":
        np.testing.assert_allclose(found.pooled, found.tokens[:, 0], atol=1e-6)


def test_pixels_are_the_processors(tmp_path: Path) -> None:
    """ViT's scales to 0…1, then (x - 0.5) / 0.5: white is 1, black -1."""
    model = load(models.vit(tmp_path))
    for colour, value in (("white", 1.0), ("black", -1.0)):
        pixels = model.prepare(Image.new("RGB", (50, 20), colour))["pixel_values"]
        np.testing.assert_allclose(pixels, np.full((3, 32, 32), value), atol=1e-6)


PROCESSORS = {
    "none": lambda: transformers.ViTImageProcessor(size={"height": 32, "width": 32}),
    "to the size": lambda: transformers.CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=32),
    "DINOv2's": lambda: transformers.BitImageProcessor(size={"shortest_edge": 64}, crop_size=32),
    "ConvNeXT's": lambda: transformers.ConvNextImageProcessor(size={"shortest_edge": 32}, crop_pct=0.5),
}


@pytest.mark.parametrize("name", PROCESSORS)
def test_the_crop_is_what_its_processor_leaves_of_a_square(name: str, tmp_path: Path) -> None:
    """A ramp from black to white: how much of it is left between the outermost pixels."""
    models.vit(tmp_path)
    PROCESSORS[name]().save_pretrained(tmp_path)
    model = load(tmp_path)
    ramp = np.repeat(np.linspace(0, 255, 256).round().astype(np.uint8)[None, :, None], 256, axis=0)
    rows, black, white = (
        model.prepare(Image.fromarray(pixels))["pixel_values"][0, 16]
        for pixels in (np.repeat(ramp, 3, axis=2), *(np.full((256, 256, 3), v, np.uint8) for v in (0, 255)))
    )
    seen = (rows[-1] - rows[0]) / (white[0] - black[0])
    assert model.crop == pytest.approx(seen, abs=0.04)
    assert model.crop == (0.5 if "'s" in name else 1.0)


def test_without_its_preprocessing_a_model_is_refused(tmp_path: Path) -> None:
    models.vit(tmp_path)
    (tmp_path / "preprocessor_config.json").unlink()
    with pytest.raises(ExtractorError, match=r"expected preprocessor_config\.json in"):
        load(tmp_path)


def test_images_of_different_sizes_share_no_batch(tmp_path: Path) -> None:
    model = load(models.vit(tmp_path))
    small, large = ({"pixel_values": np.zeros((3, side, side), np.float32)} for side in (32, 40))
    with pytest.raises(ExtractorError, match=r"does not crop: .* set extract\.batch_size to 1"):
        model.embed([small, large])


def without_crop(folder: Path) -> None:
    edge = {"shortest_edge": 32}
    transformers.CLIPImageProcessor(size=edge, do_center_crop=False).save_pretrained(folder)


def test_without_a_crop_pictures_come_one_by_one(tmp_path: Path) -> None:
    """A wide picture, twice as broad as high, keeps its shape: 32 rows and 64 columns."""
    models.resnet(tmp_path)
    without_crop(tmp_path)
    model = load(tmp_path)
    assert model.batch_size == 1
    square, wide = (model.prepare(Image.new("RGB", size, "red")) for size in ((50, 50), (100, 50)))
    assert wide["pixel_values"].shape == (3, 32, 64)
    assert model.embed([wide], tokens=True).mask is not None
    with pytest.raises(ExtractorError, match=r"set extract\.batch_size to 1"):
        model.embed([square, wide])


def test_a_model_that_needs_the_crop_is_refused(tmp_path: Path) -> None:
    models.vit(tmp_path)
    without_crop(tmp_path)
    with pytest.raises(ExtractorError, match=r"of shape \(3, 32, 64\) for a wide picture: .* lack a crop to"):
        load(tmp_path)


def test_a_tower_with_its_projection_gives_it(tmp_path: Path) -> None:
    model = load(models.clip_tower(tmp_path))
    assert (model.card.preprocessing["pooling"], model.card.dim, model.card.token_dim) == (
        "projection",
        24,
        32,
    )
    prepared = [model.prepare(image) for image in sample_images(3)]
    direct = transformers.CLIPVisionModelWithProjection.from_pretrained(tmp_path).eval()
    with torch.inference_mode():
        pixels = torch.from_numpy(np.stack([one["pixel_values"] for one in prepared]))
        wanted = direct(pixel_values=pixels).image_embeds.numpy()
    np.testing.assert_allclose(model.embed(prepared).pooled, wanted, atol=1e-5)


def test_a_picture_passes_no_sentence_transformers_modules(tmp_path: Path) -> None:
    models.clip(tmp_path)
    modules = [{"path": "", "type": "sentence_transformers.models.Transformer"}]
    (tmp_path / "modules.json").write_text(json.dumps(modules))
    assert load(tmp_path).card.dim == 24
    modules.append({"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"})
    (tmp_path / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(ExtractorError, match=r"modules\.json lists modules behind the transformer"):
        load(tmp_path)
