"""What can go wrong in the aligner; `exit_code` is what a command that meets it exits with."""

from alignrec.core.errors import AlignRecError


class AlignerError(AlignRecError):
    """The aligner cannot do what was asked (exit code 2)."""

    exit_code = 2


class SplitError(AlignerError, ValueError):
    """Interactions cannot be split as asked, or a split contradicts itself (exit code 2)."""


class FeatureError(AlignerError, ValueError):
    """A feature matrix or a score is not what a protocol needs (exit code 2)."""


class EncoderError(AlignerError, ValueError):
    """A saved encoder cannot be read (exit code 2)."""


class ProcessesError(AlignerError):
    """Several processes do not train together any more, or never did (exit code 2)."""
