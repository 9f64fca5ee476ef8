"""The chain: every stage, in the order in which they run."""

from __future__ import annotations

from .chain import Stage
from .config import Config
from .errors import ConfigError
from .evaluate import EVALUATE
from .extract import EXTRACT
from .pretrain import PRETRAIN
from .release import EXPORT
from .train import TRAIN

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
