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
from tokenizers import Tokenizer, normalizers

from alignrec.extractors.backends.transformers.layers import read_layers
from alignrec.extractors.backends.transformers.model import LoadedModel, load_model
from alignrec.extractors.backends.transformers.sentence import check_width, read_pooling
from alignrec.extractors.contract import Embeddings, Extractor, ExtractorCard
from alignrec.extractors.errors import ExtractorError
from alignrec.extractors.identity import weights_sha256
from alignrec.extractors.modality import TEXT
from alignrec.extractors.model_folder import weights_of
from alignrec.extractors.runtime import Runtime, to_numpy
from alignrec.extractors.sentence_folder import transformer_folder

# SigLIP's text tower was trained on sequences padded to their full length, without a mask.
FIXED_LENGTH = ("siglip", "siglip2", "siglip_text_model", "siglip2_text_model")


class TransformersText(Extractor):
    """A text encoder, or the text side of a dual encoder, from a folder."""

    def __init__(
        self, name: str, folder: Path, revision: str | None, licence: str | None, runtime: Runtime
    ) -> None:
        """Load tokenizer and model from a folder, without network.

        Raises:
            ExtractorError: files are missing, or state what is not supported.
        """
        from transformers import AutoTokenizer

        self._runtime = runtime
        place = transformer_folder(folder)
        loaded = load_model(place, TEXT, main_input=("input_ids",), encoder_alone=True)
        self._pooling = read_pooling(folder, dual=loaded.dual, tower=loaded.tower, projected=loaded.projected)
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(place, local_files_only=True)
        except (OSError, ValueError, KeyError) as error:
            raise ExtractorError(f"{name}: the tokenizer in {place} cannot be loaded: {error}") from error
        if self._pooling.lower:
            lower_case(self._tokenizer.backend_tokenizer)
        self._lock = threading.Lock()
        self._model = runtime.place(loaded.model)
        self._fixed = loaded.config.model_type in FIXED_LENGTH
        self._max_length = _max_length(self._tokenizer, loaded, self._pooling.max_length)
        self._prompt_length = self._tokens_of_prompt()
        self._pad = self._tokenizer.pad_token_id or 0
        self.device = runtime.device.type
        # On two CPU cores, side by side: 99 texts a second at 8 a batch, 75 at 32.
        self.batch_size = 256 if runtime.is_cuda else 8
        width = self._forward([self.prepare("a")])[1].shape[2]
        check_width(folder, width)
        self._layers = runtime.place(read_layers(folder, width * len(self._pooling.modes)), exact=True)
        probe = self.embed([self.prepare("a")], tokens=True)
        assert probe.tokens is not None
        self.card = ExtractorCard(
            name=name,
            modality=TEXT.name,
            revision=revision,
            weights_sha256=weights_sha256(folder, weights_of(folder)),
            dim=probe.pooled.shape[1],
            token_dim=probe.tokens.shape[2],
            preprocessing={"max_length": self._max_length, "fixed_length": self._fixed}
            | self._pooling.describe()
            | {"layers": [type(layer).__name__ for layer in self._layers]},
            licence=licence,
        )

    def prepare(self, value: Image.Image | str) -> dict[str, list[int]]:
        """Token ids and what goes with them, cut at the model's length, not padded."""
        assert isinstance(value, str)
        text = self._pooling.prompt + value
        # A fast tokenizer's truncation is state of its own: two threads at once fail ("Already borrowed").
        with self._lock:
            encoded = self._tokenizer(text, truncation=True, max_length=self._max_length)
        return {key: list(ids) for key, ids in encoded.items()}

    def length(self, prepared: Mapping[str, list[int]]) -> int:
        """Number of tokens; 0 where every text is padded to one length."""
        return 0 if self._fixed else len(prepared["input_ids"])

    def embed(self, prepared: Sequence[Mapping[str, list[int]]], tokens: bool = False) -> Embeddings:
        """See `Extractor.embed`."""
        with self._runtime.forward():
            output, states, mask = self._forward(prepared)
            vectors = self._layers(self._pooling(output, states, mask, self._prompt_length))
            pooled = to_numpy(vectors[:, : self._pooling.truncate])
            if not tokens:
                return Embeddings(pooled)
            return Embeddings(pooled, to_numpy(states * mask.unsqueeze(-1)), mask.cpu().numpy())

    def _forward(self, prepared: Sequence[Mapping[str, list[int]]]) -> tuple[Any, torch.Tensor, torch.Tensor]:
        """The model's output, its tokens `[b, t, d]` in float32, and the bool mask `[b, t]` of real ones."""
        inputs, mask = self._collate(prepared)
        with self._runtime.forward():
            if self._pooling.modes == ("features",):
                output = self._model.get_text_features(**inputs)
            else:
                output = self._model(**inputs)
            return output, output.last_hidden_state.float(), mask

    def _tokens_of_prompt(self) -> int:
        """How many tokens of every text are the prompt's, as sentence-transformers counts them.

        Raises:
            ExtractorError: its tokens are not pooled, and there would be no others.
        """
        if self._pooling.include_prompt or not self._pooling.prompt:
            return 0
        ids = self.prepare("")["input_ids"]
        ends = bool(ids) and ids[-1] in self._tokenizer.all_special_ids
        length = len(ids) - ends
        if length >= self._max_length:
            raise ExtractorError(
                f"the prompt {self._pooling.prompt!r} fills all {self._max_length} tokens that the model "
                "reads, and its files state include_prompt: false: choose another model"
            )
        return length

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


def lower_case(tokenizer: Tokenizer) -> None:
    """Have a tokenizer lower-case texts first, if it does not already, special tokens aside."""
    first = tokenizer.normalizer
    parts: list[Any] = [] if first is None else [first]
    if isinstance(first, normalizers.Sequence):
        parts = [first[place] for place in range(len(first))]
    if not any(isinstance(part, normalizers.Lowercase) for part in parts):
        tokenizer.normalizer = normalizers.Sequence([normalizers.Lowercase(), *parts])


def _max_length(tokenizer: Any, loaded: LoadedModel, stated: int | None) -> int:
    """The length that sentence-transformers' file states, else the tokenizer's; at most what the model reads.

    512 where none of them is stated.
    """
    positions = getattr(loaded.config.get_text_config(), "max_position_embeddings", None)
    for name, module in loaded.model.named_modules():
        # RoBERTa and its like count positions from behind the padding index.
        if positions and name.endswith("position_embeddings") and getattr(module, "padding_idx", None):
            positions -= module.padding_idx + 1
    limits = [tokenizer.model_max_length if stated is None else stated, positions]
    # A tokenizer without a length says 1e30.
    known = [limit for limit in limits if limit is not None and 0 < limit < 10**6]
    return int(min(known, default=512))
