"""What can go wrong before a model is even loaded: the config, the catalogue, the run folder."""

from alignrec.core.errors import AlignRecError


class PipelineError(AlignRecError):
    """A run cannot go on; the message says what to do next (exit code 2)."""

    exit_code = 2


class ConfigError(PipelineError):
    """The config cannot be read, or a key or value in it is wrong."""


class CatalogError(PipelineError):
    """The catalogue cannot be read, or too much of it had to be rejected."""


class InputsChangedError(CatalogError):
    """What a stage was planned with changed before the stage read it: plan again.

    Attributes:
        what: changed, and how.
    """

    def __init__(self, what: str) -> None:
        """Say what to do where planning again did not help."""
        super().__init__(f"{what}. Run again when nothing writes to the catalogue any more.")
        self.what = what


class RunFolderError(PipelineError):
    """The run folder is in use, too small, or not what a stage expects."""


class EngineError(PipelineError):
    """Where extraction is to run, it cannot."""
