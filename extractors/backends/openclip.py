"""`open_clip:NAME/PRETRAINED` and `open_clip:local-dir:PATH`: both sides of an open_clip model."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from alignrec.core.errors import suggest
from alignrec.core.files import sha256_file
from alignrec.extractors.backends.model_folder import licence_of, local_folder
from alignrec.extractors.contract import Embeddings, Extractor, ExtractorCard, Modality
from alignrec.extractors.errors import DownloadError, ExtractorError
from alignrec.extractors.names import ModelName
from alignrec.extractors.runtime import Runtime, to_numpy


@dataclass(frozen=True)
class _Loaded:
    """A model, the name its tokenizer goes by, and where its weights came from."""

    model: Any
    tokenizer: str
    weights: Path
    revision: str | None
    licence: str | None


def load_open_clip(name: ModelName, modality: Modality, runtime: Runtime) -> Extractor:
    """Load one side of an open_clip model.

    Raises:
        ExtractorError: unknown architecture or tag, a folder without config or safetensors, or a
            model that gives no token sequences.
        DownloadError: the weights cannot be fetched and are not in the local cache.
    """
    loaded = _from_folder(name) if name.model.startswith("local-dir:") else _from_tag(name)
    kind = OpenClipImage if modality == "image" else OpenClipText
    try:
        return kind(name.full, loaded, runtime)
    except (AttributeError, NotImplementedError, AssertionError) as error:
        raise ExtractorError(
            f"{name.full}: this open_clip model gives no {modality} tokens: {error}"
        ) from error


def _from_folder(name: ModelName) -> _Loaded:
    """A folder with open_clip_config.json and safetensors, as open_clip saves models."""
    import open_clip
    from open_clip.factory import _find_checkpoint_in_dir

    path = name.model.removeprefix("local-dir:")
    folder = local_folder(name, path)
    if folder is None or not (folder / "open_clip_config.json").is_file():
        raise ExtractorError(f"{name.full}: expected a folder with open_clip_config.json at {path}")
    # The very file that open_clip picks when it loads the folder.
    found = _find_checkpoint_in_dir(folder)
    if found is None or Path(found).suffix != ".safetensors":
        raise ExtractorError(f"{name.full}: {folder} has no .safetensors weights; other formats are not read")
    identifier = f"local-dir:{folder}"
    try:
        model = open_clip.create_model(identifier, pretrained_text=False)
    except (OSError, ValueError, TypeError, KeyError, RuntimeError) as error:
        raise ExtractorError(f"{name.full}: open_clip cannot load this folder: {error}") from error
    return _Loaded(model, identifier, Path(found), None, licence_of(folder))


def _from_tag(name: ModelName) -> _Loaded:
    """A built-in architecture with published weights."""
    import open_clip

    architecture, _, tag = name.model.partition("/")
    if open_clip.get_model_config(architecture) is None:
        hint = suggest(architecture, open_clip.list_models())
        raise ExtractorError(f"{name.full}: unknown architecture {architecture!r}; {hint}")
    published = open_clip.get_pretrained_cfg(architecture, tag)
    if not published:
        known = open_clip.list_pretrained_tags_by_model(architecture)
        raise ExtractorError(f"{name.full}: {architecture} has no weights {tag!r}; {suggest(tag, known)}")
    weights = _fetch(name, published)
    preprocessing = {
        key: published[key] for key in ("mean", "std", "interpolation", "resize_mode") if key in published
    }
    try:
        model = open_clip.create_model(
            architecture,
            pretrained=str(weights),
            pretrained_text=False,
            force_quick_gelu=published.get("quick_gelu", False),
            force_preprocess_cfg=preprocessing,
        )
    except (OSError, ValueError, TypeError, KeyError, RuntimeError) as error:
        raise ExtractorError(f"{name.full}: open_clip cannot load {weights}: {error}") from error
    # A file in the Hub's cache lies in snapshots/<commit>/.
    commit = weights.parent.name if weights.parent.parent.name == "snapshots" else None
    return _Loaded(model, architecture, weights, commit, None)


def _fetch(name: ModelName, published: dict[str, Any]) -> Path:
    """The weights of a published tag, from the Hub (safetensors first) or their own address."""
    from open_clip.pretrained import download_pretrained, download_pretrained_from_hf

    try:
        if published.get("hf_hub"):
            repository, _, filename = published["hf_hub"].rpartition("/")
            return Path(
                download_pretrained_from_hf(repository, filename=filename or None, revision=name.revision)
            )
        if name.revision is not None:
            raise ExtractorError(f"{name.full}: these weights are not on the Hub and have no revisions")
        return Path(download_pretrained(published))
    except (OSError, RuntimeError) as error:
        raise DownloadError(
            f"{name.full}: the weights could not be fetched and are not in the local cache: {error}; "
            "go online, or save the model to a folder elsewhere and use open_clip:local-dir:PATH"
        ) from error


class OpenClipImage(Extractor):
    """Pooled: the projected image embedding. Tokens: the last layer's patches, row by row."""

    def __init__(self, name: str, loaded: _Loaded, runtime: Runtime) -> None:
        """Take a loaded model's image side."""
        from open_clip.transform import PreprocessCfg, image_transform_v2

        self._runtime = runtime
        self._model = runtime.place(loaded.model).to(memory_format=torch.channels_last)
        stated = loaded.model.visual.preprocess_cfg
        self._transform = image_transform_v2(PreprocessCfg(**stated), is_train=False)
        self.device = runtime.device.type
        self.batch_size = 128 if runtime.is_cuda else 8
        probe = self.embed([self.prepare(Image.new("RGB", (64, 64)))], tokens=True)
        self.card = _card(name, "image", loaded, probe, stated)

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
        self.card = _card(name, "text", loaded, probe, stated)

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
    name: str, modality: Modality, loaded: _Loaded, probe: Embeddings, stated: dict[str, Any]
) -> ExtractorCard:
    """The card, with widths read off one embedding."""
    assert probe.tokens is not None
    return ExtractorCard(
        name=name,
        modality=modality,
        revision=loaded.revision,
        weights_sha256=sha256_file(loaded.weights),
        dim=probe.pooled.shape[1],
        token_dim=probe.tokens.shape[2],
        preprocessing=json.loads(json.dumps(stated)),
        licence=loaded.licence,
    )
