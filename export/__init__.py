"""Feature sets and releases: write, verify, publish and load them."""

from typing import TYPE_CHECKING, Any

from alignrec.core.features import FeatureSet
from alignrec.export.errors import HubError, RefusedError, ReleaseError, VerificationError
from alignrec.export.release.load import iter_features, load_features
from alignrec.export.release.manifest import Manifest
from alignrec.export.release.verify import verify_folder
from alignrec.export.release.write import write_release

if TYPE_CHECKING:
    from alignrec.export.hub.find_version import list_versions

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
        from alignrec.export.hub.find_version import list_versions

        return list_versions
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
