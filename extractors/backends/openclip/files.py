"""Where an open_clip model's files are: in a folder, or published and fetched; torch is not loaded."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from alignrec.core.errors import suggest
from alignrec.core.network import is_offline
from alignrec.extractors.errors import DownloadError, ExtractorError
from alignrec.extractors.model_folder import licence_of, local_folder, other_files
from alignrec.extractors.names import ModelName

LOCAL = "local-dir:"
CONFIG = "open_clip_config.json"
# The order in which open_clip looks for weights in a folder; of others it takes the first by name.
_PREFERRED = ("open_clip_model.safetensors", "open_clip_pytorch_model.safetensors", "model.safetensors")


@dataclass(frozen=True)
class OpenClipFiles:
    """A model's files.

    Attributes:
        weights: the file of its weights.
        folder: where the other files are.
        others: what is read beside the weights.
        architecture: a published model's, or "" for one in a local folder.
        published: what open_clip states of published weights: their address and preprocessing.
        revision: the Hub commit of published weights, or None.
        licence: what a folder's README states.
    """

    weights: Path
    folder: Path
    others: tuple[Path, ...]
    architecture: str = ""
    published: dict[str, Any] | None = None
    revision: str | None = None
    licence: str | None = None


def find_files(name: ModelName) -> OpenClipFiles:
    """The files of a model, fetched if they are published and not here yet.

    Raises:
        ExtractorError: unknown architecture or tag, a folder without config or safetensors.
        DownloadError: the weights cannot be fetched and are not in the local cache.
    """
    return _in_folder(name) if name.model.startswith(LOCAL) else _published(name)


def hint(folder: Path) -> str:
    """What else a folder could be, to end a message with."""
    if not (folder / "config.json").is_file():
        return ""
    return f"; it has a config.json as transformers writes it: transformers:{folder} may be what you want"


def package_folder() -> Path:
    """Where open_clip is installed; the package is not imported."""
    spec = find_spec("open_clip")
    if spec is None or not spec.submodule_search_locations:
        raise ExtractorError("open_clip is not installed; install it with: pip install open_clip_torch")
    return Path(spec.submodule_search_locations[0])


def _in_folder(name: ModelName) -> OpenClipFiles:
    """A folder with open_clip_config.json and safetensors, as open_clip saves models."""
    path = name.model.removeprefix(LOCAL)
    folder = local_folder(name, path)
    if folder is None or not (folder / CONFIG).is_file():
        raise ExtractorError(
            f"{name.full}: expected a folder with {CONFIG} at {path}{hint(folder) if folder else ''}"
        )
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise ExtractorError(
            f"{name.full}: {folder} has no .safetensors weights; other formats are not read, since they may "
            f"run code: fetch {_PREFERRED[0]}, or save the weights anew with safetensors under that name"
        )
    preferred = [folder / file for file in _PREFERRED if folder / file in files]
    others = tuple(other_files(folder))
    return OpenClipFiles((preferred or files)[0], folder, others, licence=licence_of(folder))


def _published(name: ModelName) -> OpenClipFiles:
    """A built-in architecture with published weights."""
    architecture, _, tag = name.model.partition("/")
    configs = package_folder() / "model_configs"
    known = sorted(path.stem for path in configs.glob("*.json"))
    if architecture not in known:
        hint = suggest(architecture, known)
        raise ExtractorError(f"{name.full}: unknown architecture {architecture!r}; {hint}")
    published = _table().get_pretrained_cfg(architecture, tag)
    if not published:
        tags = _table().list_pretrained_tags_by_model(architecture)
        raise ExtractorError(f"{name.full}: {architecture} has no weights {tag!r}; {suggest(tag, tags)}")
    weights = _fetch(name, published)
    # A file in the Hub's cache lies in snapshots/<commit>/.
    commit = weights.parent.name if weights.parent.parent.name == "snapshots" else None
    config = configs / f"{architecture}.json"
    return OpenClipFiles(weights, configs, (config,), architecture, published, commit)


def _fetch(name: ModelName, published: dict[str, Any]) -> Path:
    """The weights of a published tag, from the Hub (safetensors first) or their own address."""
    try:
        if published.get("hf_hub"):
            repository, _, filename = published["hf_hub"].rpartition("/")
            return Path(
                _table().download_pretrained_from_hf(
                    repository, filename=filename or None, revision=name.revision
                )
            )
        if name.revision is not None:
            raise ExtractorError(f"{name.full}: these weights are not on the Hub and have no revisions")
        if is_offline():  # open_clip has no way to look at its own cache alone
            raise DownloadError(f"{name.full}: nothing is fetched now, and these weights are not on the Hub")
        return Path(_table().download_pretrained(published))
    except (OSError, RuntimeError) as error:
        raise DownloadError(
            f"{name.full}: the weights could not be fetched and are not in the local cache: {error}; "
            "go online, or save the model to a folder elsewhere and use open_clip:local-dir:PATH"
        ) from error


def _table() -> ModuleType:
    """open_clip's module of published weights; alone, so without torch, where the package is not loaded."""
    return sys.modules.get("open_clip.pretrained") or _table_alone()


@cache
def _table_alone() -> ModuleType:
    package = ModuleType("alignrec_open_clip")
    package.__path__ = [str(package_folder())]
    sys.modules[package.__name__] = package
    absent = "safetensors.torch" not in sys.modules
    if absent:  # the module does without it, and it would load torch
        sys.modules["safetensors.torch"] = None  # type: ignore[assignment]
    try:
        table = import_module(f"{package.__name__}.pretrained")
    finally:
        if absent:
            del sys.modules["safetensors.torch"]
    table._has_safetensors = True  # type: ignore[attr-defined]
    return table
