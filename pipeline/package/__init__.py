"""Aligned multimodal features for recommendation.

import alignrec
features = alignrec.load_features("org/name")          # a published release, or a folder
result = alignrec.run("alignrec.yaml", until="train")  # the whole pipeline
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alignrec.export import iter_features, list_versions, load_features
    from alignrec.pipeline import run

__all__ = ["__version__", "iter_features", "list_versions", "load_features", "run"]

__version__ = version("alignrec")
_HOMES = {
    "iter_features": "alignrec.export",
    "list_versions": "alignrec.export",
    "load_features": "alignrec.export",
    "run": "alignrec.pipeline",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for: `import alignrec` itself takes no time."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
