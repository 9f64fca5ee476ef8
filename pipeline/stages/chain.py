"""The chain: every stage, in the order in which they run; a run of them, and its state."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from alignrec.aligner.processes import ALONE, Processes
from alignrec.core.errors import suggest
from alignrec.core.network import NotHereError, offline
from alignrec.core.plugins import Registry
from alignrec.extractors.contract import Backend
from alignrec.extractors.registry import adding_backends
from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.errors import ConfigError
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.runner.lock import locked
from alignrec.pipeline.runner.manifest import StageManifest
from alignrec.pipeline.runner.run_folder import RunFolder
from alignrec.pipeline.runner.runner import Finished, StageState, bring_up_to_date, planned, state_of
from alignrec.pipeline.runner.stage import Stage, StageContext
from alignrec.pipeline.stages import (
    evaluate,
    export,
    extract,
    finetune,
    pretrain,
    report,
    retrain,
    split,
    train,
)

REPORT = report.STAGE
EXPORT = export.STAGE
CHAIN: tuple[Stage, ...] = (
    finetune.STAGE,
    extract.STAGE,
    split.STAGE,
    pretrain.STAGE,
    train.STAGE,
    evaluate.STAGE,
    retrain.STAGE,
    EXPORT,
    REPORT,
)
REGISTRY = Registry(Stage, "stage", "alignrec.pipeline.stages")  # type: ignore[type-abstract]


@dataclass(frozen=True)
class RunResult:
    """What a run left behind.

    Attributes:
        folder: the run folder.
        stages: the manifest of each stage that is up to date.
        release: the release's folder, or None when the run stopped before it.
        seconds: that each stage took in this run, by the clock.
        renewed: the stages that this run made; the others were up to date.
    """

    folder: Path
    stages: dict[str, StageManifest]
    release: Path | None
    seconds: dict[str, float]
    renewed: tuple[str, ...]


def run(
    config: str | Path | Config,
    until: str = EXPORT.name,
    overrides: Sequence[str] = (),
    console: Console | None = None,
    *,
    loaders: Iterable[Backend] = (),
    processes: Processes = ALONE,
) -> RunResult:
    """Bring every stage up to `until` up to date, and the report; what the config does not need is skipped.

    Args:
        config: a config file, or a config that is loaded already.
        until: the last stage to run.
        overrides: `a.b=c`, for a config file.
        console: where progress goes; default standard error.
        loaders: families of models of the caller's own, for the schemes of models that the config names; see
            docs/adding-an-extractor.md.
        processes: that share the trainings of stages; this is the first one, and others `assist` it.

    Raises:
        AlignRecError: says what to do next.
    """
    settings = config if isinstance(config, Config) else load_config(Path(config), overrides)
    console = console or Console()
    done: dict[str, StageManifest] = {}
    finished: dict[str, Finished] = {}
    with adding_backends(loaders), locked(settings.run_folder):
        for stage in needed(settings, until):
            finished[stage.name] = bring_up_to_date(
                StageContext(settings, stage, dict(done), console=console, processes=processes)
            )
            done[stage.name] = finished[stage.name].manifest
    if REPORT.name in done:
        console.note(f"report: {_from_here(settings.run_folder / REPORT.result)}")
    release = settings.run_folder / EXPORT.result if EXPORT.name in done else None
    seconds = {name: one.seconds for name, one in finished.items()}
    renewed = tuple(name for name, one in finished.items() if one.renewed)
    return RunResult(settings.run_folder, done, release, seconds, renewed)


def assist(config: Config, processes: Processes) -> None:
    """Share the trainings of a run, in a process that is not the first, until that one has no more.

    Args:
        config: the same as the first process's, with a run folder that both see.
        processes: with this one's place among them.

    Raises:
        AlignRecError: says what to do next.
    """
    stages, quiet = {stage.name: stage for stage in chain()}, Console(quiet=True)
    for name in processes.calls():
        run = RunFolder(config.run_folder)
        read = {stage.name: run.read_manifest(stage.manifest) for stage in stages.values()}
        done = {before: manifest for before, manifest in read.items() if manifest is not None}
        context = StageContext(config, stages[name], done, console=quiet, processes=processes)
        stages[name].assist(planned(context))


def status(config: str | Path | Config, *, verify: bool = False) -> list[StageState]:
    """The state of every stage that the config needs, without doing any of it, writing or asking the network.

    A stage that depends on a model or a table that would have to be fetched first is `to do`, or `unknown`
    if it was finished once.

    Args:
        config: a config file, or a config that is loaded already.
        verify: compare hashes of pictures and results too, and not only sizes and times.
    """
    settings = config if isinstance(config, Config) else load_config(Path(config))
    states: list[StageState] = []
    done: dict[str, StageManifest] = {}
    with offline():
        for stage in needed(settings, EXPORT.name):
            context = StageContext(settings, stage, dict(done), verify)
            states.append(_state(context, states))
            if context.previous is not None:
                done[stage.name] = context.previous
    return states


def _state(context: StageContext, before: Sequence[StageState]) -> StageState:
    """The state of a stage, by those of the stages before it."""
    stage, finished = context.stage, context.previous is not None
    unready = next((s for s in before if s.state != "done" and matters(s.stage, stage)), None)
    if unready is None:
        try:
            return state_of(context)
        except NotHereError as error:
            return StageState(stage.name, "unknown" if finished else "to do", str(error))
    if not finished:
        return StageState(stage.name, "to do", "not there yet")
    if unready.state == "unknown":
        return StageState(stage.name, "unknown", f"{unready.stage} is not known")
    return StageState(stage.name, "stale", f"{unready.stage} will change")


def write_page(config: Config) -> Path:
    """Bring the report of what is there up to date, whatever the state of the stages; returns its path.

    Raises:
        RunFolderError: extraction, the least that a report can show, is not finished.
    """
    with locked(config.run_folder):
        bring_up_to_date(StageContext(config, REPORT, {}))
    return config.run_folder / REPORT.result


def chain() -> list[Stage]:
    """Our stages, and each plugin's behind the one that it follows.

    Raises:
        ConfigError: a plugin's stage follows none that there is.
    """
    stages = list(CHAIN)
    for stage in REGISTRY.values():
        if stage in stages:
            continue
        names = [known.name for known in stages]
        if stage.after not in names:
            hint = suggest(stage.after, names)
            raise ConfigError(f"the stage {stage.name} follows {stage.after!r}, which is no stage; {hint}")
        stages.insert(names.index(stage.after) + 1, stage)
    return stages


def needed(config: Config, until: str) -> list[Stage]:
    """The stages that a config needs, up to and with `until`; the report shows what extraction and they left.

    Raises:
        ConfigError: there is no such stage, or this config does not need it.
    """
    stages = chain()
    names = [stage.name for stage in stages]
    if until not in names:
        raise ConfigError(f"there is no stage {until!r}; the stages are {', '.join(names)}.")
    last = stages[names.index(until)]
    if why := last.skip(config):
        raise ConfigError(f"this run has no {until} stage: {why}")
    before, wanted = stages[: names.index(until) + 1], {until}
    for stage in reversed(before):
        if stage.name in wanted:
            wanted |= {*stage.reads} if stage.reads else {*names[: names.index(stage.name)]}
    chosen = [stage for stage in before if stage.name in wanted and not stage.skip(config)]
    shows = extract.STAGE in chosen and REPORT not in chosen
    return [*chosen, REPORT] if shows else chosen


def matters(before: str, stage: Stage) -> bool:
    """Whether a stage reads what the one of that name before it wrote."""
    return not stage.reads or before in stage.reads


def _from_here(path: Path) -> Path:
    """A path as one would type it: relative below the working folder."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
