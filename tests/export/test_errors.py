"""Every error has the exit code that its command ends with."""

from __future__ import annotations

from alignrec.core.errors import AlignRecError
from alignrec.export.errors import HubError, RefusedError, ReleaseError, VerificationError


def test_exit_codes() -> None:
    codes = {kind: kind.exit_code for kind in (ReleaseError, RefusedError, VerificationError, HubError)}
    assert codes == {ReleaseError: 2, RefusedError: 3, VerificationError: 3, HubError: 4}
    assert all(issubclass(kind, ReleaseError) and issubclass(kind, AlignRecError) for kind in codes)
