"""Run stages in order, doing only what is not done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import extract as extraction
from . import release as exporting
from .config import Config
from .config_file import load_config
from .console import Console
from .errors import ConfigError
from .stage import MANIFEST, StageManifest, locked

STAGES = ("extract", "export")


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
    until: str = STAGES[-1],
    overrides: Sequence[str] = (),
    console: Console | None = None,
) -> RunResult:
    """Bring every stage up to `until` up to date.

    Args:
        config: a config file, or a config that is loaded already.
        until: the last stage to run.
        overrides: `a.b=c`, for a config file.
        console: where progress goes; default standard error.

    Raises:
        PipelineError, ExtractorError, ReleaseError: each says what to do next.
    """
    if until not in STAGES:
        raise ConfigError(f"there is no stage {until!r}; the stages are {', '.join(STAGES)}.")
    settings = config if isinstance(config, Config) else load_config(Path(config), overrides)
    console = console or Console()
    stages: dict[str, StageManifest] = {}
    with locked(settings.run_folder):
        stages["extract"] = _extract(settings, console)
        if until == "extract":
            return RunResult(settings.run_folder, stages, None)
        stages["export"] = _export(settings, stages["extract"], console)
    return RunResult(settings.run_folder, stages, settings.run_folder / exporting.FOLDER)


def status(config: Config, *, verify: bool = False) -> list[StageState]:
    """The state of every stage, without doing any of it.

    Args:
        config: the run.
        verify: compare hashes of pictures and results too, and not only sizes and times.
    """
    work = extraction.plan_extract(config, rehash=verify)
    done = StageManifest.read(work.folder / MANIFEST)
    first = _extract_state(work, done, verify)
    exported = StageManifest.read(exporting.manifest_path(config))
    if exported is None:
        second = StageState("export", "to do", "not made yet")
    elif first.state != "done" or done is None:
        second = StageState("export", "stale", "extract will change")
    else:
        why = _why(exported, exporting.parts_of(config, done), config.run_folder / exporting.FOLDER, verify)
        second = StageState("export", "stale" if why else "done", why)
    return [first, second]


def _extract_state(work: extraction.ExtractPlan, done: StageManifest | None, verify: bool) -> StageState:
    remaining = work.remaining()
    left = ", ".join(f"{todo} of {total} {m}s to embed" for m, (todo, total) in remaining.items() if todo)
    if done is None:
        begun = any(todo < total for todo, total in remaining.values())
        return StageState("extract", "partial" if begun else "to do", left or "not finished")
    why = _why(done, work.parts, work.folder, verify)
    return StageState("extract", "stale" if why else "done", "; ".join(filter(None, [why, left])))


def _why(done: StageManifest, parts: dict[str, str], folder: Path, verify: bool) -> str:
    changed, damaged = done.changed(parts), done.damaged(folder, hashes=verify)
    reasons = []
    if changed:
        reasons.append("changed: " + ", ".join(changed))
    if damaged:
        reasons.append(f"damaged or missing: {', '.join(damaged[:3])}{' …' if len(damaged) > 3 else ''}")
    return "; ".join(reasons)


def _extract(config: Config, console: Console) -> StageManifest:
    work = extraction.plan_extract(config)
    done = StageManifest.read(work.folder / MANIFEST)
    why = _why(done, work.parts, work.folder, verify=False) if done else "not finished"
    if done and not why:
        console.note(f"extract: up to date ({done.summary['items']:,} items)")
        return done
    if done:
        console.note(f"extract: {why}")
        for name in done.damaged(work.folder):
            (work.folder / name).unlink(missing_ok=True)
    finished = extraction.extract(work, console)
    for line in summary_lines(finished):
        console.note(line)
    return finished


def _export(config: Config, extracted: StageManifest, console: Console) -> StageManifest:
    done = StageManifest.read(exporting.manifest_path(config))
    folder = config.run_folder / exporting.FOLDER
    if done and not _why(done, exporting.parts_of(config, extracted), folder, verify=False):
        console.note(f"export: up to date (release {done.summary['release_id'][:12]})")
        return done
    finished = exporting.export(config, extracted)
    console.note(f"export: release {finished.summary['release_id'][:12]} in {folder}")
    return finished


def summary_lines(extracted: StageManifest) -> list[str]:
    """What an extraction made and what it rejected, line by line."""
    summary = extracted.summary
    sets = ", ".join(f"{n} {e['valid']:,} × {e['dim']}" for n, e in summary["sets"].items())
    lines = [f"extract: {summary['items']:,} items, {summary['interactions']:,} interactions; valid: {sets}"]
    lines += [f"  rejected {number:,} × {reason}" for reason, number in summary["rejected"].items()]
    return lines
