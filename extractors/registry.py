"""From a model's name to its extractor: an explicit dict, scheme to loader."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from alignrec.extractors.contract import Extractor, Modality
from alignrec.extractors.errors import ExtractorError

if TYPE_CHECKING:
    from alignrec.extractors.runtime import Runtime


@dataclass(frozen=True)
class ModelName:
    """A model's name taken apart: `scheme:model[@revision]`.

    Attributes:
        full: the name as given.
        scheme: what decides the loader.
        model: what the loader reads: an id, a path, a package's model.
        revision: a Hub branch, tag or commit, or None.
    """

    full: str
    scheme: str
    model: str
    revision: str | None

    @classmethod
    def parse(cls, name: str) -> ModelName:
        """Take a name apart; an `@` inside the path of an existing folder is part of the path.

        Raises:
            ExtractorError: there is no scheme or no model.
        """
        scheme, colon, model = name.partition(":")
        if not colon or not model:
            raise ExtractorError(
                f"model name {name!r} has no scheme: write scheme:model, such as packaged:efficientnet-lite0 "
                "or transformers:google/siglip2-base-patch16-224"
            )
        revision: str | None = None
        if "@" in model and not Path(model.removeprefix("local-dir:")).exists():
            model, _, revision = model.rpartition("@")
            if not model or not revision:
                raise ExtractorError(f"model name {name!r}: expected a model before and a revision after '@'")
        return cls(name, scheme, model, revision)


Loader = Callable[["ModelName", Modality, "Runtime"], Extractor]


# Each loader imports its backend when called, so that naming models costs no import of torch.
def _load_open_clip(name: ModelName, modality: Modality, runtime: Runtime) -> Extractor:
    from alignrec.extractors.openclip import load_open_clip

    return load_open_clip(name, modality, runtime)


def _load_transformers(name: ModelName, modality: Modality, runtime: Runtime) -> Extractor:
    from alignrec.extractors.hf import load_transformers

    return load_transformers(name, modality, runtime)


def _load_packaged(name: ModelName, modality: Modality, runtime: Runtime) -> Extractor:
    from alignrec.extractors.packaged import load_packaged

    return load_packaged(name, modality, runtime)


def _load_given(name: ModelName, modality: Modality, runtime: Runtime) -> Extractor:  # noqa: ARG001
    from alignrec.extractors.given import load_given

    return load_given(name, modality)


LOADERS: dict[str, Loader] = {
    "open_clip": _load_open_clip,
    "transformers": _load_transformers,
    "packaged": _load_packaged,
    "given": _load_given,
}


def suggest(unknown: str, known: Iterable[str]) -> str:
    """The end of an error message: the nearest known word, or all of them."""
    words = sorted(known)
    near = difflib.get_close_matches(unknown, words, n=1, cutoff=0.5)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(words)}"


def load_extractor(
    name: str,
    modality: Modality,
    *,
    device: str = "auto",
    precision: str = "float32",
    loaders: Mapping[str, Loader] = LOADERS,
) -> Extractor:
    """Load an extractor by name.

    Args:
        name: `open_clip:NAME/PRETRAINED`, `open_clip:local-dir:PATH`, `transformers:ID_OR_PATH`,
            `packaged:efficientnet-lite0` or `packaged:all-minilm-l6-v2`, each with an optional
            `@revision`; or `given:PATH.npy`, features that somebody else made.
        modality: which of the model's sides to use.
        device: `auto` (a GPU where there is one), `cpu`, `cuda` or `cuda:N`.
        precision: `float32`, or `bfloat16` (see `Runtime`).
        loaders: scheme to loader; add an entry to add a backend.

    Raises:
        ExtractorError: the name is unknown or its model cannot be loaded.
        DownloadError: the Hub cannot be reached and the model is not in the local cache.
        WeightsMismatchError: packaged weights are not the pinned ones.
    """
    parsed = ModelName.parse(name)
    if parsed.scheme not in loaders:
        raise ExtractorError(
            f"model name {name!r}: unknown scheme {parsed.scheme!r}; {suggest(parsed.scheme, loaders)}"
        )
    if modality not in ("image", "text"):
        raise ExtractorError(f"modality {modality!r} is unknown: use image or text")
    from alignrec.extractors.runtime import Runtime

    return loaders[parsed.scheme](parsed, modality, Runtime.resolve(device, precision))
