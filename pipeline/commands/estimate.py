"""What a run takes: time, memory and disk of each stage, by a rehearsal in a temporary folder.

Every stage that is to do is made there on the real catalogue, with less work: a sample of its inputs is
embedded, and a training has few epochs. What a stage leaves stands in for its result in the stages after it,
of the same sizes, with contents that mean nothing. The run folder is read, never written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.runner.cost import Cost, ListeningConsole, measuring
from alignrec.pipeline.runner.manifest import StageManifest
from alignrec.pipeline.runner.runner import bring_up_to_date, planned, state_of
from alignrec.pipeline.runner.stage import StageContext
from alignrec.pipeline.runner.stand_ins import StandIns
from alignrec.pipeline.stages.chain import EXPORT, matters, needed

# Of every training of a rehearsal: what comes after the first tells the pace.
EPOCHS = 3


@dataclass(frozen=True)
class Estimate:
    """What is left of a stage.

    Attributes:
        stage: its name.
        done: whether nothing of it is left.
        cost: of all that is left of it; None where no rehearsal tells.
    """

    stage: str
    done: bool
    cost: Cost | None

    def record(self) -> dict[str, Any]:
        """As JSON values: `stage`, `done`, `seconds` (at least and at most), `memory`, `disk`."""
        cost = {"seconds": None, "memory": None, "disk": None} if self.cost is None else asdict(self.cost)
        return {"stage": self.stage, "done": self.done, **cost}


@dataclass(frozen=True)
class _Rehearsal(StageContext):
    """What a stage finds in a rehearsal."""

    @cached_property
    def run(self) -> StandIns:
        """The temporary folder."""
        return StandIns(self.config.run_folder)


def estimate(config: Config, console: Console) -> list[Estimate]:
    """Time, memory and disk of what is left of each stage of a run, up to its release and its report.

    Args:
        config: of the run.
        console: is told which stage is rehearsed.

    Raises:
        AlignRecError: what a run would raise.
    """
    found: list[Estimate] = []
    done: dict[str, StageManifest] = {}  # in the run
    left: dict[str, StageManifest] = {}  # in the run, or else in the rehearsal
    with TemporaryDirectory(prefix="alignrec-estimate-") as folder:
        short = _short(config, Path(folder))
        for stage in needed(config, EXPORT.name):
            before = [one for one in found if matters(one.stage, stage)]
            if any(one.cost is None for one in before):
                found.append(Estimate(stage.name, False, None))
                continue
            actual = StageContext(config, stage, dict(done))
            with measuring() as planning:
                actual = planned(actual) if all(one.done for one in before) else actual
            if actual.plan and state_of(actual).state == "done" and actual.previous:
                _lend(actual, short.run_folder)
                done[stage.name] = left[stage.name] = actual.previous
                found.append(Estimate(stage.name, True, Cost((0, 0), 0, 0)))
                continue
            console.note(f"estimate: {stage.name}")
            cost = _rehearsed(_Rehearsal(short, stage, dict(left), plan=actual.plan), actual)
            if cost is not None:
                cost = cost.longer(planning[0].seconds, planning[0].seconds)
                stand_in = StandIns(short.run_folder).read_manifest(stage.manifest)
                assert stand_in is not None
                left[stage.name] = stand_in
            found.append(Estimate(stage.name, False, cost))
    return found


def total(found: Sequence[Estimate]) -> Cost:
    """What all stages take that are known: their memory is not held at once."""
    costs = [one.cost for one in found if one.cost is not None]
    low, high = (sum(cost.seconds[end] for cost in costs) for end in (0, 1))
    memory = max((cost.memory for cost in costs), default=0)
    return Cost((low, high), memory, sum(cost.disk for cost in costs))


def _short(config: Config, folder: Path) -> Config:
    """The config of a rehearsal: few epochs, in another folder.

    Content stands in for most items', and means nothing: validation would choose no zero-shot term by it, and
    the columns that the run's vectors may have would be missing from every later stage.
    """
    pretrain = config.pretrain.model_copy(update={"epochs": min(EPOCHS, config.pretrain.epochs)})
    weights = tuple(filter(None, config.train.zero_shot)) or config.train.zero_shot
    train = config.train.model_copy(update={"epochs": min(EPOCHS, config.train.epochs), "zero_shot": weights})
    return config.model_copy(update={"out": folder, "pretrain": pretrain, "train": train})


def _lend(actual: StageContext, folder: Path) -> None:
    """Let the rehearsal read what a stage that is done left in the run."""
    for name in (actual.stage.result, actual.stage.manifest):  # in this order, as the one may hold the other
        lent = folder / name
        if not lent.exists():
            lent.parent.mkdir(parents=True, exist_ok=True)
            lent.symlink_to((actual.run.path / name).absolute())


def _rehearsed(rehearsal: StageContext, actual: StageContext) -> Cost | None:
    """What a stage takes, by making it with less work; None where nothing tells."""
    console = ListeningConsole()
    rehearsal = replace(rehearsal, console=console)
    rehearsal = rehearsal if rehearsal.plan else planned(rehearsal)
    shortened = rehearsal.stage.shortened(rehearsal)
    if shortened is None:
        return None
    with measuring(console) as taken:
        bring_up_to_date(shortened)
    return rehearsal.stage.cost(shortened, actual, taken[0])
