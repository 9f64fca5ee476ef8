"""What can go wrong with a release; `exit_code` is what a command that meets it exits with."""

from alignrec.core.errors import AlignRecError


class ReleaseError(AlignRecError):
    """A release cannot be read or written as asked (exit code 2)."""

    exit_code = 2


class RefusedError(ReleaseError):
    """The request is understood and refused: it would break something published (exit code 3)."""

    exit_code = 3


class VerificationError(RefusedError):
    """A release's files are not those its manifest lists (exit code 3)."""


class HubError(ReleaseError):
    """The network or the Hub failed, and nothing visible was published (exit code 4)."""

    exit_code = 4
