"""From a model's name to a local folder: one that is there already, or a snapshot from the Hub."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from alignrec.core.documents import DocumentError, parse_front_matter, read_bytes
from alignrec.core.network import is_offline
from alignrec.extractors.errors import DownloadError, ExtractorError
from alignrec.extractors.names import ModelName
from alignrec.extractors.sentence_folder import WEIGHTED, sentence_modules, transformer_folder

# What loading needs, and nothing that could run code. Weights of other formats lie in subfolders; so do
# those of sentence-transformers' modules, each in a folder that the library names after its place and kind.
PATTERNS = [
    *("*.json", "*.txt", "*.model", "*.jinja", "README.md", "model.safetensors", "model-*.safetensors"),
    *("[0-9]_Transformer/model.safetensors", "[0-9]_Transformer/model-*.safetensors"),
    *(f"[0-9]_{kind}/{file}" for kind in WEIGHTED for file in ("model.safetensors", "pytorch_model.bin")),
]

_READ = (".json", ".txt", ".model", ".jinja")


def local_folder(name: ModelName, path: str) -> Path | None:
    """The folder a path names, or None where there is none and it may be a Hub id.

    Raises:
        ExtractorError: it has a revision, or can only be a path and is not a folder.
    """
    folder = Path(path).expanduser()
    if folder.is_dir():
        if name.revision is not None:
            raise ExtractorError(
                f"{name.full}: {folder} is a folder, which has no revision '{name.revision}'"
            )
        return folder
    if folder.exists() or path.startswith(("/", ".", "~")) or path.count("/") > 1:
        raise ExtractorError(
            f"{name.full}: {folder} is not a folder; expected one that holds a model's files"
        )
    return None


def model_folder(name: ModelName) -> tuple[Path, str | None]:
    """The folder of `transformers:ID_OR_PATH` and, for a Hub model, the commit it is from.

    Offline, the local Hub cache is used.

    Raises:
        ExtractorError: no such folder, repository or revision, or no permission.
        DownloadError: the Hub cannot be reached and the cache has no such model.
    """
    folder = local_folder(name, name.model)
    if folder is not None:
        return folder, None
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        HfHubHTTPError,
        HFValidationError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    # OSError, and the base of the HTTP client's errors, whichever client this version uses.
    failures = cast(tuple[type[Exception], ...], HfHubHTTPError.__bases__)
    try:
        snapshot = Path(snapshot_download(name.model, revision=name.revision, allow_patterns=PATTERNS))
    except (HFValidationError, RepositoryNotFoundError, RevisionNotFoundError) as error:
        raise ExtractorError(
            f"{name.full}: neither a folder here nor a model on the Hub that you may read: {error}"
        ) from error
    except failures as error:
        if is_offline():
            raise _not_here(name) from None
        raise DownloadError(
            f"{name.full}: the model could not be fetched and is not in the local cache: {error}; "
            "go online, or download it elsewhere and give its folder as transformers:PATH"
        ) from error
    if is_offline() and not any(
        transformer_folder(snapshot).glob("model*.safetensors")
    ):  # a download that was stopped
        raise _not_here(name)
    return snapshot, snapshot.name


def _not_here(name: ModelName) -> DownloadError:
    return DownloadError(
        f"{name.full} is not on this machine, and nothing is fetched now: go online, or download it "
        "elsewhere and give its folder as transformers:PATH"
    )


def safetensors_of(folder: Path) -> list[Path]:
    """The weights that transformers reads from a folder.

    Raises:
        ExtractorError: there are none.
    """
    single = folder / "model.safetensors"
    files = [single] if single.is_file() else sorted(folder.glob("model-*-of-*.safetensors"))
    if not files:
        raise ExtractorError(
            f"{folder} has no model.safetensors: weights in other formats are not read, since they may run "
            "code; choose a model or revision that publishes safetensors"
        )
    return files


def weights_of(folder: Path) -> list[Path]:
    """All weights that a model reads: the transformer's, and those of sentence-transformers' other modules.

    Raises:
        ExtractorError: some are missing, or `modules.json` lists what is not supported.
    """
    layers = [module.weights() for module in sentence_modules(folder) if module.kind in WEIGHTED]
    return [*safetensors_of(transformer_folder(folder)), *layers]


def other_files(folder: Path) -> list[Path]:
    """What loading reads beside the weights: configuration, tokenizer, preprocessing, pooling.

    All files of those kinds in the folder itself count, since which of them a model reads is for the
    libraries to say, and in the folders that sentence-transformers' `modules.json` names.

    Raises:
        ExtractorError: `modules.json` cannot be read, or lists what is not supported.
    """
    folders = {folder, *(module.folder for module in sentence_modules(folder))}
    files = (path for each in folders if each.is_dir() for path in each.iterdir())
    return sorted({path for path in files if path.suffix in _READ and path.is_file()})


def licence_of(folder: Path) -> str | None:
    """The licence that a model's README states in its header, or None.

    None as well where the header cannot be read: what a model is does not hang on its README.
    """
    try:
        metadata, _ = parse_front_matter(read_bytes(folder / "README.md"))
    except (OSError, DocumentError):
        return None
    stated = metadata.get("license")
    return " ".join(stated.split()) or None if isinstance(stated, str) else None
