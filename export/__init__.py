"""Feature sets and releases: write, verify, publish and load them."""

from typing import TYPE_CHECKING

from alignrec.core.packages import public

if TYPE_CHECKING:
    from alignrec.core.features import FeatureSet as FeatureSet
    from alignrec.export.errors import HubError as HubError
    from alignrec.export.errors import RefusedError as RefusedError
    from alignrec.export.errors import ReleaseError as ReleaseError
    from alignrec.export.errors import VerificationError as VerificationError
    from alignrec.export.hub.find_version import list_versions as list_versions
    from alignrec.export.load import iter_features as iter_features
    from alignrec.export.load import load_features as load_features
    from alignrec.export.release.manifest import Manifest as Manifest
    from alignrec.export.release.verify import verify_folder as verify_folder
    from alignrec.export.release.write import write_release as write_release

_NAMES = {
    "FeatureSet": "alignrec.core.features",
    "HubError": "alignrec.export.errors",
    "Manifest": "alignrec.export.release.manifest",
    "RefusedError": "alignrec.export.errors",
    "ReleaseError": "alignrec.export.errors",
    "VerificationError": "alignrec.export.errors",
    "iter_features": "alignrec.export.load",
    "list_versions": "alignrec.export.hub.find_version",
    "load_features": "alignrec.export.load",
    "verify_folder": "alignrec.export.release.verify",
    "write_release": "alignrec.export.release.write",
}

__getattr__, __dir__, __all__ = public(__name__, __path__, _NAMES)
