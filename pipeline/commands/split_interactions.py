"""A finished run's interactions with their place in the split, for other tools' formats."""

from __future__ import annotations

from pathlib import Path

from alignrec.export.formats.interactions import SplitInteractions
from alignrec.export.release.manifest import MANIFEST
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.errors import ConfigError
from alignrec.pipeline.runner.lock import locked
from alignrec.pipeline.runner.run_folder import EXTRACT, RunFolder
from alignrec.pipeline.runner.runner import bring_up_to_date
from alignrec.pipeline.runner.split_log import interactions_of
from alignrec.pipeline.runner.stage import StageContext
from alignrec.pipeline.stages.export import STAGE as EXPORT
from alignrec.pipeline.stages.split import STAGE as SPLIT


def split_interactions(config: Config) -> SplitInteractions:
    """The interactions of a run, as its split cuts them.

    Raises:
        ConfigError: the config has no interactions.
        CatalogError: the run has not been extracted yet.
    """
    if not config.interacts:
        raise ConfigError("the config has no catalog.interactions: there are none to write")
    run = RunFolder(config.run_folder)
    done = {EXTRACT: run.manifest(EXTRACT)}
    with locked(run.path):
        bring_up_to_date(StageContext(config, SPLIT, done))
    return interactions_of(run)


def released_run(folder: Path) -> tuple[Path, SplitInteractions | None] | None:
    """What lies in a run's folder: its release, and its interactions if it has any; None for other folders.

    Raises:
        RunFolderError: a file of the run is damaged.
    """
    release, run = folder / EXPORT.result, RunFolder(folder)
    if (folder / MANIFEST).is_file() or not (release / MANIFEST).is_file():
        return None
    split = run.read_manifest(SPLIT.manifest)
    return release, None if split is None else interactions_of(run)
