"""Text by a transformers model: tokens, their mask, and the pooling its own files state."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from alignrec.extractors.backends.transformers.model import LoadedModel, load_model
from alignrec.extractors.backends.transformers.pooling import TextPooling
from alignrec.extractors.contract import Embeddings, Extractor, ExtractorCard
from alignrec.extractors.errors import ExtractorError
from alignrec.extractors.identity import weights_sha256
from alignrec.extractors.modality import TEXT
from alignrec.extractors.model_folder import safetensors_of
from alignrec.extractors.runtime import Runtime, to_numpy

# SigLIP's text tower was trained on sequences padded to their full length, without a mask.
FIXED_LENGTH = ("siglip", "siglip2", "siglip_text_model", "siglip2_text_model")


class TransformersText(Extractor):
    """A text encoder, or the text side of a dual encoder, from a folder."""

    def __init__(
        self, name: str, folder: Path, revision: str | None, licence: str | None, runtime: Runtime
    ) -> None:
        """Load tokenizer and model from a folder, without network.

        Raises:
            ExtractorError: files are missing, or name a pooling or module that is not supported.
        """
        from transformers import AutoTokenizer

        self._runtime = runtime
        loaded = load_model(folder, TEXT, main_input="input_ids", encoder_alone=True)
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError, KeyError) as error:
            raise ExtractorError(f"{name}: the tokenizer in {folder} cannot be loaded: {error}") from error
        self._lock = threading.Lock()
        self._model = runtime.place(loaded.model)
        self._fixed = loaded.config.model_type in FIXED_LENGTH
        self._pooling = TextPooling.read(folder, dual=loaded.dual, tower=loaded.tower)
        self._max_length = _max_length(self._tokenizer, loaded, self._pooling.max_length)
        self._pad = self._tokenizer.pad_token_id or 0
        self.device = runtime.device.type
        # On two CPU cores, side by side: 99 texts a second at 8 a batch, 75 at 32.
        self.batch_size = 256 if runtime.is_cuda else 8
        probe = self.embed([self.prepare("a")], tokens=True)
        assert probe.tokens is not None
        self.card = ExtractorCard(
            name=name,
            modality=TEXT.name,
            revision=revision,
            weights_sha256=weights_sha256(folder, safetensors_of(folder)),
            dim=probe.pooled.shape[1],
            token_dim=probe.tokens.shape[2],
            preprocessing={"max_length": self._max_length, "fixed_length": self._fixed}
            | self._pooling.describe(),
            licence=licence,
        )

    def prepare(self, value: Image.Image | str) -> dict[str, list[int]]:
        """Token ids and what goes with them, cut at the model's length, not padded."""
        assert isinstance(value, str)
        text = self._pooling.prompt + (value.lower() if self._pooling.lower else value)
        # A fast tokenizer's truncation is state of its own: two threads at once fail ("Already borrowed").
        with self._lock:
            encoded = self._tokenizer(text, truncation=True, max_length=self._max_length)
        return {key: list(ids) for key, ids in encoded.items()}

    def length(self, prepared: Mapping[str, list[int]]) -> int:
        """Number of tokens; 0 where every text is padded to one length."""
        return 0 if self._fixed else len(prepared["input_ids"])

    def embed(self, prepared: Sequence[Mapping[str, list[int]]], tokens: bool = False) -> Embeddings:
        """See `Extractor.embed`."""
        inputs, mask = self._collate(prepared)
        with self._runtime.forward():
            if self._pooling.mode == "features":
                output = self._model.get_text_features(**inputs)
            else:
                output = self._model(**inputs)
            states = output.last_hidden_state.float()
            pooled = to_numpy(self._pooling(output, states, mask))
            if not tokens:
                return Embeddings(pooled)
            return Embeddings(pooled, to_numpy(states * mask.unsqueeze(-1)), mask.cpu().numpy())

    def _collate(self, prepared: Sequence[Mapping[str, list[int]]]) -> tuple[dict[str, Any], torch.Tensor]:
        """Pad on the right to the longest; the model's inputs and the bool mask `[b, t]`."""
        lengths = [len(item["input_ids"]) for item in prepared]
        width = self._max_length if self._fixed else max(lengths)
        arrays: dict[str, NDArray[np.int64]] = {}
        for key in prepared[0]:
            fill = self._pad if key == "input_ids" else 0
            arrays[key] = np.full((len(prepared), width), fill, dtype=np.int64)
            for row, item in enumerate(prepared):
                arrays[key][row, : lengths[row]] = item[key]
        mask = np.arange(width)[None, :] < np.asarray(lengths)[:, None]
        if self._fixed:
            arrays.pop("attention_mask", None)
        else:
            arrays["attention_mask"] = mask.astype(np.int64)
        return {key: self._runtime.tensor(value) for key, value in arrays.items()}, self._runtime.tensor(mask)


def _max_length(tokenizer: Any, loaded: LoadedModel, stated: int | None) -> int:
    """The smallest length that the model's files state; 512 where they state none."""
    positions = getattr(loaded.config.get_text_config(), "max_position_embeddings", None)
    for name, module in loaded.model.named_modules():
        # RoBERTa and its like count positions from behind the padding index.
        if positions and name.endswith("position_embeddings") and getattr(module, "padding_idx", None):
            positions -= module.padding_idx + 1
    limits = [stated, tokenizer.model_max_length, positions]
    # A tokenizer without a length says 1e30.
    known = [limit for limit in limits if limit is not None and 0 < limit < 10**6]
    return int(min(known, default=512))
