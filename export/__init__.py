"""Feature sets and releases: write, verify, publish and load them."""

from typing import TYPE_CHECKING, Any

from .errors import HubError, RefusedError, ReleaseError, VerificationError
from .features import FeatureSet
from .load import iter_features, load_features
from .manifest import Manifest
from .release import write_release
from .verify import verify_folder

if TYPE_CHECKING:
    from .hub_source import list_versions

__all__ = [
    "FeatureSet",
    "HubError",
    "Manifest",
    "RefusedError",
    "ReleaseError",
    "VerificationError",
    "iter_features",
    "list_versions",
    "load_features",
    "verify_folder",
    "write_release",
]


def __getattr__(name: str) -> Any:
    """Import what needs the Hub client when it is asked for: reading a folder starts quicker without."""
    if name == "list_versions":
        from .hub_source import list_versions

        return list_versions
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
