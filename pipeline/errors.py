"""What can go wrong before a model is even loaded: the config, the catalogue, the run folder."""

from alignrec.core.errors import AlignRecError


class PipelineError(AlignRecError):
    """A run cannot go on; the message says what to do next (exit code 2)."""

    exit_code = 2


class ConfigError(PipelineError):
    """The config cannot be read, or a key or value in it is wrong."""


class CatalogError(PipelineError):
    """The catalogue cannot be read, or too much of it had to be rejected."""


class RunFolderError(PipelineError):
    """The run folder is in use, too small, or not what a stage expects."""
