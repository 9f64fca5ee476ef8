"""Aligned multimodal features for recommendation.

import alignrec
features = alignrec.load_features("org/name")          # a published release, or a folder
result = alignrec.run("alignrec.yaml", until="train")  # the whole pipeline
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alignrec.core.errors import AlignRecError, AlignRecWarning
    from alignrec.core.features import FeatureSet
    from alignrec.core.learned_from import LearnedFrom
    from alignrec.export.errors import HubError, RefusedError, ReleaseError, VerificationError
    from alignrec.export.hub.find_version import list_versions
    from alignrec.export.load import iter_features, load_features
    from alignrec.pipeline.commands.open_encoder import ReleaseEncoder, encode, open_encoder
    from alignrec.pipeline.stages.chain import RunResult, run, status

__version__ = version("alignrec")
_HOMES = {
    "AlignRecError": "alignrec.core.errors",
    "AlignRecWarning": "alignrec.core.errors",
    "FeatureSet": "alignrec.core.features",
    "HubError": "alignrec.export.errors",
    "LearnedFrom": "alignrec.core.learned_from",
    "RefusedError": "alignrec.export.errors",
    "ReleaseEncoder": "alignrec.pipeline.commands.open_encoder",
    "ReleaseError": "alignrec.export.errors",
    "RunResult": "alignrec.pipeline.stages.chain",
    "VerificationError": "alignrec.export.errors",
    "encode": "alignrec.pipeline.commands.open_encoder",
    "iter_features": "alignrec.export.load",
    "list_versions": "alignrec.export.hub.find_version",
    "load_features": "alignrec.export.load",
    "open_encoder": "alignrec.pipeline.commands.open_encoder",
    "run": "alignrec.pipeline.stages.chain",
    "status": "alignrec.pipeline.stages.chain",
}
__all__ = [
    "AlignRecError",
    "AlignRecWarning",
    "FeatureSet",
    "HubError",
    "LearnedFrom",
    "RefusedError",
    "ReleaseEncoder",
    "ReleaseError",
    "RunResult",
    "VerificationError",
    "__version__",
    "encode",
    "iter_features",
    "list_versions",
    "load_features",
    "open_encoder",
    "run",
    "status",
]


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for: `import alignrec` itself takes no time."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
