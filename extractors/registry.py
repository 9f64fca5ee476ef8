"""From a model's name to its extractor: an explicit dict, scheme to loader."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from alignrec.core.errors import suggest
from alignrec.extractors.contract import Extractor, Modality
from alignrec.extractors.errors import ExtractorError
from alignrec.extractors.names import ModelName

if TYPE_CHECKING:
    from alignrec.extractors.runtime import Runtime


Loader = Callable[[ModelName, Modality, "Runtime"], Extractor]


# Each loader imports its backend when called, so that naming models costs no import of torch.
def _load_open_clip(name: ModelName, modality: Modality, runtime: Runtime) -> Extractor:
    from alignrec.extractors.backends.openclip import load_open_clip

    return load_open_clip(name, modality, runtime)


def _load_transformers(name: ModelName, modality: Modality, runtime: Runtime) -> Extractor:
    from alignrec.extractors.backends.transformers.load import load_transformers

    return load_transformers(name, modality, runtime)


def _load_packaged(name: ModelName, modality: Modality, runtime: Runtime) -> Extractor:
    from alignrec.extractors.backends.packaged.models import load_packaged

    return load_packaged(name, modality, runtime)


def _load_given(name: ModelName, modality: Modality, runtime: Runtime) -> Extractor:  # noqa: ARG001
    from alignrec.extractors.backends.precomputed import load_given

    return load_given(name, modality)


LOADERS: dict[str, Loader] = {
    "open_clip": _load_open_clip,
    "transformers": _load_transformers,
    "packaged": _load_packaged,
    "given": _load_given,
}


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
