"""Run stages in order, doing only what is not done."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.runner.lock import locked
from alignrec.pipeline.runner.manifest import StageManifest
from alignrec.pipeline.runner.stage import Before, Stage, scratch_folder
from alignrec.pipeline.stages.chain import STAGES, needed


@dataclass(frozen=True)
class RunResult:
    """What a run left behind.

    Attributes:
        folder: the run folder.
        stages: the manifest of each stage that is up to date.
        release: the release's folder, or None when the run stopped before it.
    """

    folder: Path
    stages: dict[str, StageManifest]
    release: Path | None


@dataclass(frozen=True)
class StageState:
    """Whether a stage needs doing, and why.

    Attributes:
        stage: its name.
        state: `done`, `partial`, `stale` or `to do`.
        why: what changed, is damaged or is missing; "" when done.
    """

    stage: str
    state: str
    why: str


def run(
    config: str | Path | Config,
    until: str = STAGES[-1].name,
    overrides: Sequence[str] = (),
    console: Console | None = None,
) -> RunResult:
    """Bring every stage up to `until` up to date; what the config does not need is skipped.

    Args:
        config: a config file, or a config that is loaded already.
        until: the last stage to run.
        overrides: `a.b=c`, for a config file.
        console: where progress goes; default standard error.

    Raises:
        PipelineError, ExtractorError, ReleaseError: each says what to do next.
    """
    from alignrec.pipeline.report.write import write_report  # its libraries take a second to load

    settings = config if isinstance(config, Config) else load_config(Path(config), overrides)
    console = console or Console()
    stages = needed(settings, until)
    done: dict[str, StageManifest] = {}
    with locked(settings.run_folder):
        for stage in stages:
            done[stage.name] = _bring_up_to_date(stage, Before(settings, done), console)
        console.note(f"report: {_from_here(write_report(settings, unless_current=True))}")
    release = settings.run_folder / STAGES[-1].folder if until == STAGES[-1].name else None
    return RunResult(settings.run_folder, done, release)


def status(config: Config, *, verify: bool = False) -> list[StageState]:
    """The state of every stage that the config needs, without doing any of it.

    Args:
        config: the run.
        verify: compare hashes of pictures and results too, and not only sizes and times.
    """
    states: list[StageState] = []
    done: dict[str, StageManifest] = {}
    for stage in needed(config, STAGES[-1].name):
        manifest = stage.read(config)
        unready = next((state.stage for state in states if state.state != "done"), None)
        if unready is not None and manifest is not None:
            states.append(StageState(stage.name, "stale", f"{unready} will change"))
        elif unready is not None:
            states.append(StageState(stage.name, "to do", "not made yet"))
        else:
            states.append(_state(stage, Before(config, done, verify), manifest))
        if manifest is not None:
            done[stage.name] = manifest
    return states


def _state(stage: Stage, before: Before, manifest: StageManifest | None) -> StageState:
    work = stage.plan(before)
    if manifest is None:
        return StageState(stage.name, "partial" if work.begun else "to do", work.left or "not made yet")
    why = _why(manifest, work.parts, before.folder(stage.folder), verify=before.rehash)
    return StageState(
        stage.name, "stale" if why else "done", "; ".join(filter(None, [why, work.left])) if why else ""
    )


def _bring_up_to_date(stage: Stage, before: Before, console: Console) -> StageManifest:
    work, folder, done = stage.plan(before), before.folder(stage.folder), stage.read(before.config)
    why = _why(done, work.parts, folder, verify=False) if done else ""
    if done and not why:
        console.note(f"{stage.name}: up to date")
    else:
        if done:
            console.note(f"{stage.name}: {why}")
            for name in done.damaged(folder):
                (folder / name).unlink(missing_ok=True)
        done = work.run(console)
        for line in stage.tell(done):
            console.note(line)
    shutil.rmtree(scratch_folder(before.config, stage.name), ignore_errors=True)
    return done


def _why(done: StageManifest, parts: Mapping[str, str], folder: Path, *, verify: bool) -> str:
    """Why a finished stage has to be done again, or ""."""
    changed, damaged = done.changed(parts), done.damaged(folder, hashes=verify)
    reasons = []
    if changed:
        reasons.append("changed: " + ", ".join(changed))
    if damaged:
        reasons.append(f"damaged or missing: {', '.join(damaged[:3])}{' …' if len(damaged) > 3 else ''}")
    return "; ".join(reasons)


def _from_here(path: Path) -> Path:
    """A path as one would type it: relative below the working folder."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
