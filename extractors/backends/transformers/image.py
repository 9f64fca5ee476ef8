"""Images by a transformers model: its own processor, its own pooling."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from alignrec.extractors.backends.transformers.model import LoadedModel, load_model
from alignrec.extractors.contract import Embeddings, Extractor, ExtractorCard
from alignrec.extractors.errors import ExtractorError
from alignrec.extractors.identity import weights_sha256
from alignrec.extractors.modality import IMAGE
from alignrec.extractors.model_folder import weights_of
from alignrec.extractors.runtime import Runtime, to_numpy
from alignrec.extractors.sentence_folder import MODULES, sentence_modules, transformer_folder


class TransformersImage(Extractor):
    """A vision model, or the image side of a dual encoder, from a folder.

    Pooled: a dual encoder's projection, or that of its tower; else the model's pooler where its checkpoint
    has one; else the class token where the model has one; else the mean of the tokens.
    """

    def __init__(
        self, name: str, folder: Path, revision: str | None, licence: str | None, runtime: Runtime
    ) -> None:
        """Load image processor and model from a folder, without network.

        Raises:
            ExtractorError: files are missing, or the model does not embed images.
        """
        from transformers import AutoImageProcessor

        self._runtime = runtime
        if len(sentence_modules(folder)) > 1:
            raise ExtractorError(
                f"{folder / MODULES} lists modules behind the transformer, which are not supported "
                "for pictures: choose another model"
            )
        place = transformer_folder(folder)
        loaded = load_model(place, IMAGE, main_input=("pixel_values",))
        self._dual = loaded.dual
        self._model = runtime.place(loaded.model).to(memory_format=torch.channels_last)
        try:
            self._processor = AutoImageProcessor.from_pretrained(place, local_files_only=True)
        except (OSError, ValueError) as error:
            raise ExtractorError(
                f"{name}: its image preprocessing cannot be read: {error}; "
                f"expected preprocessor_config.json in {place}"
            ) from error
        self.device, self.crop = runtime.device.type, _crop(self._processor)
        blank, wide = (self.prepare(Image.new("RGB", size)) for size in ((64, 64), (96, 48)))
        self.batch_size = 128 if runtime.is_cuda else 8
        if _shapes(blank) != _shapes(wide):  # no crop: pictures keep their shapes, and share no batch
            self.batch_size = 1
        else:
            self.picture_side = _side(json.loads(self._processor.to_json_string()))
        try:
            self._pooling = _pooling(loaded, self._forward([blank])[0])
            self._forward([wide])
        except (ValueError, RuntimeError) as error:
            raise ExtractorError(
                f"{name}: the model cannot read what its preprocessing gives, of shape "
                f"{_shapes(wide)['pixel_values']} for a wide picture: {error}; it may lack a crop to the "
                f"size that the model reads: correct preprocessor_config.json in {place}, or choose another"
            ) from error
        probe = self.embed([blank], tokens=True)
        if probe.tokens is None or not np.allclose(probe.pooled, self.embed([blank]).pooled, atol=1e-5):
            raise ExtractorError(f"{name}: the same image gives other values each time: choose another model")
        self.card = ExtractorCard(
            name=name,
            modality=IMAGE.name,
            revision=revision,
            weights_sha256=weights_sha256(folder, weights_of(folder)),
            dim=probe.pooled.shape[1],
            token_dim=probe.tokens.shape[2],
            preprocessing={**json.loads(self._processor.to_json_string()), "pooling": self._pooling},
            licence=licence,
        )

    def prepare(self, value: Image.Image | str) -> dict[str, NDArray[np.generic]]:
        """The processor's arrays for one image, without the batch dimension."""
        batch = self._processor(images=value, return_tensors="pt")
        return {key: tensor[0].numpy() for key, tensor in batch.items()}

    def embed(
        self, prepared: Sequence[Mapping[str, NDArray[np.generic]]], tokens: bool = False
    ) -> Embeddings:
        """See `Extractor.embed`."""
        output, real = self._forward(prepared)
        states = output.last_hidden_state.float()
        if states.ndim == 4:
            states = states.flatten(2).transpose(1, 2)
        pooled = to_numpy(self._pool(output, states))
        if not tokens:
            return Embeddings(pooled)
        if real is None or real.shape != states.shape[:2]:
            real = torch.ones(states.shape[:2], device=states.device)
        mask = real.bool()
        return Embeddings(pooled, to_numpy(states * mask.unsqueeze(-1)), mask.cpu().numpy())

    def _forward(
        self, prepared: Sequence[Mapping[str, NDArray[np.generic]]]
    ) -> tuple[Any, torch.Tensor | None]:
        """The model's output, and the mask of real patches where the processor pads."""
        inputs = {key: self._runtime.tensor(self._stack(prepared, key)) for key in prepared[0]}
        with self._runtime.forward():
            output = self._model.get_image_features(**inputs) if self._dual else self._model(**inputs)
        return output, inputs.get("pixel_attention_mask")

    def _stack(self, prepared: Sequence[Mapping[str, NDArray[np.generic]]], key: str) -> NDArray[np.generic]:
        """One input of the whole batch."""
        if len({item[key].shape for item in prepared}) > 1:
            raise ExtractorError(
                f"the model's preprocessing does not crop: it gives pictures of different sizes ({key}), "
                "which cannot share a batch; set extract.batch_size to 1, or choose a model with a fixed size"
            )
        return np.stack([item[key] for item in prepared])

    def _pool(self, output: Any, states: torch.Tensor) -> torch.Tensor:
        """`[b, d]` from the model's output and its tokens `[b, t, d]`."""
        if self._pooling == "projection":
            projected: torch.Tensor = output.image_embeds
            return projected.float()
        if self._pooling in ("features", "pooler"):
            pooled: torch.Tensor = output.pooler_output
            return pooled.float().flatten(1)
        return states[:, 0] if self._pooling == "cls" else states.mean(dim=1)


def _pooling(loaded: LoadedModel, output: Any) -> str:
    """The pooling that a loaded model supports, best first, given one of its outputs."""
    if loaded.dual:
        return "features"
    if loaded.projected:
        return "projection"
    if loaded.pooler and getattr(output, "pooler_output", None) is not None:
        return "pooler"
    names = (name for name, _ in loaded.model.named_parameters())
    return "cls" if any(name.endswith(("cls_token", "class_embedding")) for name in names) else "mean"


def _crop(processor: Any) -> float:
    """The share of a square picture's side that a processor leaves, as its settings state it."""
    size, cut = (dict(getattr(processor, name, None) or {}) for name in ("size", "crop_size"))
    side = size.get("shortest_edge") or size.get("height")
    if getattr(processor, "do_center_crop", False) and side and cut.get("height"):
        return min(1.0, float(cut["height"]) / float(side))
    share = getattr(processor, "crop_pct", None)  # ConvNeXT's, of pictures below 384
    return float(share) if share and side and side < 384 else 1.0


def _side(stated: Mapping[str, Any]) -> int:
    """Pixels to which a processor that gives one shape resizes a picture's shorter side; 0 where it does not.

    It may be fewer; LevIT's eighth of more is within what `decode_image` keeps beyond.
    """
    if not stated.get("do_resize") or not stated.get("size"):
        return 0
    sizes = [stated["size"], stated.get("crop_size")]
    listed = [one.values() if isinstance(one, Mapping) else [one] for one in sizes]
    longest = max((side for sides in listed for side in sides if isinstance(side, int)), default=0)
    return math.ceil(longest / (stated.get("crop_pct") or 1))


def _shapes(prepared: Mapping[str, NDArray[np.generic]]) -> dict[str, tuple[int, ...]]:
    return {key: array.shape for key, array in prepared.items()}
