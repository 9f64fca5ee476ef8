"""EfficientNet-Lite0 on ImageNet: a small convolutional network that runs well on a CPU."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from alignrec.extractors.contract import Embeddings, Extractor, ExtractorCard
from alignrec.extractors.inputs.images import full_size, reduction
from alignrec.extractors.modality import IMAGE
from alignrec.extractors.precision import BFLOAT16
from alignrec.extractors.runtime import Runtime, to_numpy

SIZE = 224
PADDING = 32
DIM = 1280
FIRST_HALF_BLOCK = 3  # of 16, whose products bfloat16 may do

# Evaluation preprocessing of the authors' code (models/official/efficientnet/lite in tensorflow/tpu):
# a central square of 224/(224+32) of the shorter side, bicubic to 224, (pixel - 127) / 128. Pillow's
# bicubic filters before it shrinks; the authors' does not, and aliases.
PREPROCESSING = {
    "crop": "center",
    "crop_padding": PADDING,
    "size": SIZE,
    "resample": "bicubic-antialias",
    "mean": 127.0,
    "std": 128.0,
    "pooling": "mean",
}


class EfficientNetLite(Extractor):
    """Pooled: the mean of the last feature map, `[1280]`. Tokens: that map, `[49, 1280]`, row by row."""

    crop = SIZE / (SIZE + PADDING)
    picture_side = SIZE + PADDING

    def __init__(self, name: str, weights: Path, sha256: str, licence: str, runtime: Runtime) -> None:
        """Load pinned weights (their hash is already checked)."""
        from efficientnet_lite_pytorch import EfficientNet

        model = EfficientNet.from_name("efficientnet-lite0")
        model.load_state_dict(torch.load(weights, weights_only=True, map_location="cpu"))
        self._runtime = runtime
        model = runtime.place(_fold_norms(model.eval()), exact=True)
        if runtime.precision == BFLOAT16:
            _convert_late_products(model)
        if runtime.is_cuda:
            model = model.to(memory_format=torch.channels_last)
        self._features = model.extract_features
        # On two CPU cores, batches side by side: 90 images a second at 4 a batch, 63 at 8, 37 at 64; small
        # maps stay in the cache. Channels-last is slower there once the norms are folded (81 at 4).
        self.device = runtime.device.type
        self.batch_size = 256 if runtime.is_cuda else 4
        self.card = ExtractorCard(
            name=name,
            modality=IMAGE.name,
            revision=None,
            weights_sha256=sha256,
            dim=DIM,
            token_dim=DIM,
            preprocessing=dict(PREPROCESSING),
            licence=licence,
        )

    def prepare(self, value: Image.Image | str) -> NDArray[np.uint8]:
        """The cropped and resized image, uint8 `[224, 224, 3]`."""
        assert isinstance(value, Image.Image)
        width, height = full_size(value)
        side = max(1, int(self.crop * min(width, height)))
        left, top = (width - side + 1) // 2, (height - side + 1) // 2
        # Of a reduced picture the same square, to a part of a pixel.
        scale = reduction(value)
        box = (left / scale, top / scale, (left + side) / scale, (top + side) / scale)
        return np.asarray(value.resize((SIZE, SIZE), Image.Resampling.BICUBIC, box=box))

    def embed(self, prepared: Sequence[NDArray[np.uint8]], tokens: bool = False) -> Embeddings:
        """See `Extractor.embed`."""
        pixels = self._runtime.tensor(np.stack(prepared)).permute(0, 3, 1, 2)
        # What is to be in bfloat16 is so already.
        with self._runtime.forward(), torch.autocast(self.device, enabled=False):
            maps = self._features((pixels.float() - 127.0) / 128.0).float()
            sequence = maps.flatten(2).transpose(1, 2)
            pooled = to_numpy(sequence.mean(dim=1))
        if not tokens:
            return Embeddings(pooled)
        return Embeddings(pooled, to_numpy(sequence), np.ones(sequence.shape[:2], dtype=np.bool_))


class _HalfConvolution(nn.Module):
    """A convolution in bfloat16 between maps in float32."""

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.convolution = convolution.to(torch.bfloat16)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.convolution(maps.to(torch.bfloat16))
        return found.float()


def _convert_late_products(model: Any) -> None:
    """Have 1 x 1 convolutions in bfloat16, all but those of the first blocks.

    With every layer in bfloat16 the vectors of posters were off by cosines of up to 5e-3, with these those of
    120 posters and products by up to 6e-4.
    """
    for block in model._blocks[FIRST_HALF_BLOCK:]:
        for name in ("_expand_conv", "_project_conv"):
            if hasattr(block, name):
                setattr(block, name, _HalfConvolution(getattr(block, name)))
    model._conv_head = _HalfConvolution(model._conv_head)


def _fold_norms(model: Any) -> Any:
    """Fold every batch norm into the convolution before it: same values, fewer passes over memory."""
    pairs = [(model, "_conv_stem", "_bn0"), (model, "_conv_head", "_bn1")]
    for block in model._blocks:
        if hasattr(block, "_expand_conv"):
            pairs.append((block, "_expand_conv", "_bn0"))
        pairs += [(block, "_depthwise_conv", "_bn1"), (block, "_project_conv", "_bn2")]
    for module, conv, norm in pairs:
        setattr(module, conv, fuse_conv_bn_eval(getattr(module, conv), getattr(module, norm)))
        setattr(module, norm, nn.Identity())
    return model
