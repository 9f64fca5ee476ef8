"""The chain: every stage, in the order in which they run."""

from __future__ import annotations

from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.errors import ConfigError
from alignrec.pipeline.runner.stage import Stage
from alignrec.pipeline.stages.evaluate.stage import EVALUATE
from alignrec.pipeline.stages.export import EXPORT
from alignrec.pipeline.stages.extract.stage import EXTRACT
from alignrec.pipeline.stages.pretrain import PRETRAIN
from alignrec.pipeline.stages.train import TRAIN

STAGES: tuple[Stage, ...] = (EXTRACT, PRETRAIN, TRAIN, EVALUATE, EXPORT)


def needed(config: Config, until: str) -> list[Stage]:
    """The stages that a config needs, up to and with `until`.

    Raises:
        ConfigError: there is no such stage, or this config does not need it.
    """
    names = [stage.name for stage in STAGES]
    if until not in names:
        raise ConfigError(f"there is no stage {until!r}; the stages are {', '.join(names)}.")
    last = STAGES[names.index(until)]
    if why := last.skip(config):
        raise ConfigError(f"this run has no {until} stage: {why}")
    return [stage for stage in STAGES[: names.index(until) + 1] if not stage.skip(config)]
