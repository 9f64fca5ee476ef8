"""Feature sets and releases: write, verify, publish and load them."""

from .errors import HubError, RefusedError, ReleaseError, VerificationError
from .features import FeatureSet
from .load import load_features
from .manifest import Manifest
from .release import write_release
from .verify import verify_folder

__all__ = [
    "FeatureSet",
    "HubError",
    "Manifest",
    "RefusedError",
    "ReleaseError",
    "VerificationError",
    "load_features",
    "verify_folder",
    "write_release",
]
