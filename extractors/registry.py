"""From a model's name to its identity or its extractor, by the backend of its scheme: ours or a plugin's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from alignrec.core.errors import suggest
from alignrec.core.files import sha256_file
from alignrec.core.names import check_path
from alignrec.core.plugins import Registry, adding
from alignrec.extractors.contract import Backend, Extractor
from alignrec.extractors.errors import ExtractorError
from alignrec.extractors.identity import ExtractorIdentity, FileHash
from alignrec.extractors.modality import Modality, find_modality
from alignrec.extractors.names import ModelName
from alignrec.extractors.precision import check_precision

BACKENDS: Registry[Backend] = Registry(Backend, "model scheme", "alignrec.extractors.backends")


@contextmanager
def adding_backends(backends: Iterable[Backend]) -> Iterator[None]:
    """Have models of a caller's own families found by name while the block runs.

    Raises:
        TypeError: one is no `Backend`.
        PluginError: as the block looks for a model: a scheme is one of ours, or is there twice.
    """
    given = list(backends)
    for one in given:
        if not isinstance(one, Backend):
            raise TypeError(f"loaders: expected objects of alignrec.extractors.contract.Backend, got {one!r}")
    with adding(given):
        yield


def identify_extractor(
    name: str,
    modality: Modality | str,
    *,
    precision: str = "float32",
    sha256: FileHash = sha256_file,
) -> ExtractorIdentity:
    """What decides an extractor's values; neither torch nor the model is loaded.

    A Hub model that is not in the local cache is fetched.

    Args:
        name: see `load_extractor`.
        modality: see `load_extractor`.
        precision: see `load_extractor`.
        sha256: hashes a file, for callers that remember hashes.

    Raises:
        See `load_extractor`; what only loading finds is not found here.
    """
    parsed, backend, side = _find(name, modality, precision)
    return replace(backend.identify(parsed, side, sha256), precision=precision)


def load_extractor(
    name: str,
    modality: Modality | str,
    *,
    device: str = "auto",
    precision: str = "float32",
) -> Extractor:
    """Load an extractor by name.

    Args:
        name: `open_clip:NAME/PRETRAINED`, `open_clip:local-dir:PATH`, `transformers:ID_OR_PATH`,
            `packaged:efficientnet-lite0` or `packaged:all-minilm-l6-v2`, each with an optional
            `@revision`; `beit3:PATH`, a published checkpoint; `vqkd:PATH`, a published tokenizer;
            `signal:log-mel`; `given:PATH.npy`, features that somebody else made; or a plugin's.
        modality: which of the model's sides to use; by name one of a kind of content.
        device: `auto` (a GPU where there is one), `cpu`, `cuda` or `cuda:N`.
        precision: `float32`, or `bfloat16` (see `Runtime`).

    Raises:
        ExtractorError: the name is unknown or its model cannot be loaded.
        DownloadError: the Hub cannot be reached and the model is not in the local cache.
        WeightsMismatchError: packaged weights are not the pinned ones.
    """
    parsed, backend, side = _find(name, modality, precision)
    from alignrec.extractors.runtime import Runtime  # loads torch

    return backend.load(parsed, side, Runtime.resolve(device, precision))


def may_be_local(name: str) -> bool:
    """Whether a model's name is a path of this machine, or could be taken for one; nothing is opened.

    For names that somebody else wrote. What is published has a name of letters, digits, `_`, `-`, inner dots
    and `/`, and so has its revision; whatever else, such as `/…`, `..`, `~` or `local-dir:`, is a path.
    """
    scheme, _, model = name.partition(":")
    bare, at, revision = model.partition("@")
    try:
        check_path(bare)
        if at:
            check_path(revision)
    except ValueError:
        return bool(model)
    paths = BACKENDS[scheme].paths if scheme in BACKENDS else "none"
    return paths == "all" or (paths == "some" and any(Path(path).exists() for path in (bare, model)))


def _find(name: str, modality: Modality | str, precision: str) -> tuple[ModelName, Backend, Modality]:
    parsed = ModelName.parse(name)
    if parsed.scheme not in BACKENDS:
        raise ExtractorError(
            f"model name {name!r}: unknown scheme {parsed.scheme!r}, and no plugin that is loaded adds it "
            "(--plugin FILE, `plugins:` of a config, an installed package, or loaders= in Python); "
            f"{suggest(parsed.scheme, BACKENDS)}"
        )
    check_precision(precision)
    side = modality if isinstance(modality, Modality) else find_modality(modality)
    return parsed, BACKENDS[parsed.scheme], side
