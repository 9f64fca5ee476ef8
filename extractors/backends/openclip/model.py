"""Both sides of an open_clip model: images and texts."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors import SafetensorError, safe_open

from alignrec.core.display import printable_line
from alignrec.core.files import sha256_file
from alignrec.extractors.backends.openclip.files import CONFIG, LOCAL, OpenClipFiles, find_files, hint
from alignrec.extractors.contract import Embeddings, Extractor, ExtractorCard
from alignrec.extractors.errors import ExtractorError
from alignrec.extractors.modality import IMAGE, TEXT, Modality
from alignrec.extractors.names import ModelName
from alignrec.extractors.runtime import Runtime, to_numpy
from alignrec.extractors.sentence_folder import read_settings


@dataclass(frozen=True)
class _Loaded:
    """A model, the name its tokenizer goes by, and where its weights came from."""

    model: Any
    tokenizer: str
    files: OpenClipFiles


def load_open_clip(name: ModelName, modality: Modality, runtime: Runtime) -> Extractor:
    """Load one side of an open_clip model.

    Raises:
        ExtractorError: see `find_files`; or a model that gives no token sequences.
        DownloadError: see `find_files`.
    """
    kind = modality.kind.name
    if kind not in _SIDES:
        raise ExtractorError(f"{name.full}: expected {' or '.join(_SIDES)}, got {kind}")
    files = find_files(name)
    try:
        loaded = _from_tag(files) if files.architecture else _from_folder(files)
    except (OSError, ValueError, TypeError, KeyError, RuntimeError, SafetensorError) as error:
        ending = "" if files.architecture else hint(files.folder)
        raise ExtractorError(
            f"{name.full}: open_clip cannot load {files.weights}: {printable_line(str(error))[:300]}{ending}"
        ) from error
    try:
        return _SIDES[kind](name.full, loaded, runtime)
    except (AttributeError, NotImplementedError, AssertionError) as error:
        raise ExtractorError(f"{name.full}: this open_clip model gives no {kind} tokens: {error}") from error


def _from_folder(files: OpenClipFiles) -> _Loaded:
    """A model as open_clip saves it."""
    import open_clip
    from open_clip.factory import _find_checkpoint_in_dir

    # What an identity hashed must be the very file that open_clip picks when it loads the folder.
    chosen = _find_checkpoint_in_dir(files.folder)
    if Path(chosen) != files.weights:
        raise ValueError(f"it would read {chosen}: take one of the two away")
    config = read_settings(files.folder / CONFIG)
    stated = config.get("preprocess_cfg") or {}
    known = {field.name for field in fields(open_clip.transform.PreprocessCfg)}
    if not isinstance(stated, dict) or stated.keys() - known:
        raise ValueError(f"{CONFIG} states preprocess_cfg: {stated}; expected {', '.join(sorted(known))}")
    identifier = f"{LOCAL}{files.folder}"
    model = open_clip.create_model(identifier, pretrained_text=False)
    _check_sizes(model, files.weights)
    return _Loaded(model, identifier, files)


def _check_sizes(model: Any, weights: Path) -> None:
    """Refuse weights of other sizes than the config states: open_clip interpolates positions without a word.

    Raises:
        ValueError: some are.
    """
    sizes = {name: tensor.numel() for name, tensor in model.state_dict().items()}
    with safe_open(weights, framework="pt") as file:
        for key in file.keys():  # noqa: SIM118 — it is no mapping
            name = key.removeprefix("module.")
            # Older files have the text tower's weights without its name.
            size = sizes.get(name, sizes.get(f"text.{name}"))
            shape = file.get_slice(key).get_shape()
            if size is not None and size != math.prod(shape):
                raise ValueError(
                    f"{key} has the shape {shape}, which {CONFIG} does not state: correct one of them"
                )


def _from_tag(files: OpenClipFiles) -> _Loaded:
    """A built-in architecture with published weights."""
    import open_clip

    published = files.published or {}
    preprocessing = {
        key: published[key] for key in ("mean", "std", "interpolation", "resize_mode") if key in published
    }
    model = open_clip.create_model(
        files.architecture,
        pretrained=str(files.weights),
        pretrained_text=False,
        force_quick_gelu=published.get("quick_gelu", False),
        force_preprocess_cfg=preprocessing,
    )
    return _Loaded(model, files.architecture, files)


class OpenClipImage(Extractor):
    """Pooled: the projected image embedding. Tokens: the last layer's patches, row by row."""

    def __init__(self, name: str, loaded: _Loaded, runtime: Runtime) -> None:
        """Take a loaded model's image side."""
        from open_clip.transform import PreprocessCfg, image_transform_v2

        self._runtime = runtime
        self._model = runtime.place(loaded.model).to(memory_format=torch.channels_last)
        stated = loaded.model.visual.preprocess_cfg
        try:
            preparation = PreprocessCfg(**stated)
            self._transform = image_transform_v2(preparation, is_train=False)
            blank = self.prepare(Image.new("RGB", (64, 64)))
        except (AssertionError, TypeError, ValueError, KeyError, RuntimeError) as error:
            raise ExtractorError(
                f"{name}: open_clip cannot prepare a picture as preprocess_cfg states, {stated}: {error!r}"
            ) from error
        self.device = runtime.device.type
        self.batch_size = 128 if runtime.is_cuda else 8
        size = preparation.size
        self.picture_side = size if isinstance(size, int) else max(size)
        probe = self.embed([blank], tokens=True)
        self.card = _card(name, IMAGE.name, loaded, probe, stated)

    def prepare(self, value: Image.Image | str) -> NDArray[np.float32]:
        """The model's own transform: float32 `[3, h, w]`."""
        array: NDArray[np.float32] = self._transform(value).numpy()
        return array

    def embed(self, prepared: Sequence[NDArray[np.float32]], tokens: bool = False) -> Embeddings:
        """See `Extractor.embed`."""
        pixels = self._runtime.tensor(np.stack(prepared))
        with self._runtime.forward():
            pooled = to_numpy(self._model.encode_image(pixels))
            if not tokens:
                return Embeddings(pooled)
            layers = self._model.forward_intermediates(
                image=pixels, image_indices=1, normalize_intermediates=True, intermediates_only=True
            )
            states = to_numpy(layers["image_intermediates"][-1].flatten(2).transpose(1, 2))
        return Embeddings(pooled, states, np.ones(states.shape[:2], dtype=np.bool_))


class OpenClipText(Extractor):
    """Pooled: the projected text embedding. Tokens: the last layer's states up to the end of text."""

    def __init__(self, name: str, loaded: _Loaded, runtime: Runtime) -> None:
        """Take a loaded model's text side."""
        import open_clip

        self._runtime = runtime
        self._model = runtime.place(loaded.model)
        self._tokenizer = open_clip.get_tokenizer(loaded.tokenizer)
        self._lock = threading.Lock()
        # open_clip's own tokenizer pads with 0; the others wrap one that says what it pads with.
        self._pad = getattr(getattr(self._tokenizer, "tokenizer", None), "pad_token_id", None) or 0
        self.device = runtime.device.type
        self.batch_size = 256 if runtime.is_cuda else 8
        probe = self.embed([self.prepare("a")], tokens=True)
        stated = {"tokenizer": type(self._tokenizer).__name__, "max_length": self._tokenizer.context_length}
        self.card = _card(name, TEXT.name, loaded, probe, stated)

    def prepare(self, value: Image.Image | str) -> NDArray[np.int64]:
        """Token ids padded to the model's context, int64 `[context]`."""
        # A wrapped fast tokenizer keeps its truncation as state of its own: one thread at a time.
        with self._lock:
            ids: NDArray[np.int64] = self._tokenizer([value])[0].numpy()
        return ids

    def embed(self, prepared: Sequence[NDArray[np.int64]], tokens: bool = False) -> Embeddings:
        """See `Extractor.embed`."""
        ids = np.stack(prepared)
        batch = self._runtime.tensor(ids)
        with self._runtime.forward():
            pooled = to_numpy(self._model.encode_text(batch))
            if not tokens:
                return Embeddings(pooled)
            layers = self._model.forward_intermediates(
                text=batch, text_indices=1, normalize_intermediates=True, intermediates_only=True
            )
            states = to_numpy(layers["text_intermediates"][-1])
        # Real tokens end at the last id that is no padding; the same id may be a word before it.
        lengths = ids.shape[1] - np.argmax(ids[:, ::-1] != self._pad, axis=1)
        mask = np.arange(ids.shape[1])[None, :] < lengths[:, None]
        return Embeddings(pooled, states * mask[:, :, None], mask)


def _card(
    name: str, modality: str, loaded: _Loaded, probe: Embeddings, stated: dict[str, Any]
) -> ExtractorCard:
    """The card, with widths read off one embedding."""
    assert probe.tokens is not None
    return ExtractorCard(
        name=name,
        modality=modality,
        revision=loaded.files.revision,
        weights_sha256=sha256_file(loaded.files.weights),
        dim=probe.pooled.shape[1],
        token_dim=probe.tokens.shape[2],
        preprocessing=json.loads(json.dumps(stated)),
        licence=loaded.files.licence,
    )


_SIDES: dict[str, Callable[[str, _Loaded, Runtime], Extractor]] = {
    IMAGE.name: OpenClipImage,
    TEXT.name: OpenClipText,
}
