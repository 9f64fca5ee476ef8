"""The pipeline: from a catalogue and a config to a release, stage by stage."""

from .runner import RunResult, run

__all__ = ["RunResult", "run"]
