"""Bring a stage up to date: do it if it is not done, and finish it whole or not at all."""

from __future__ import annotations

import shutil
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from alignrec.core.files import replacing, replacing_folder
from alignrec.pipeline.errors import InputsChangedError
from alignrec.pipeline.runner.disk import check_disk
from alignrec.pipeline.runner.manifest import StageManifest, list_files
from alignrec.pipeline.runner.stage import StageContext

# How often a stage is planned while its inputs keep changing.
_PLANS = 5


@dataclass(frozen=True)
class StageState:
    """Whether a stage needs doing, and why.

    Attributes:
        stage: its name.
        state: `done`, `partial`, `stale`, `to do`, or `unknown` where that is not to be told from here.
        why: what changed, is damaged or is missing; "" when done.
    """

    stage: str
    state: str
    why: str


@dataclass(frozen=True)
class Finished:
    """A stage that is up to date.

    Attributes:
        manifest: its own.
        renewed: whether it was made now, and not there already.
        seconds: that this took, by the clock.
    """

    manifest: StageManifest
    renewed: bool
    seconds: float


def state_of(context: StageContext) -> StageState:
    """A stage's state, those before it being done; nothing is written.

    Args:
        context: planned already, or not.
    """
    stage, context = context.stage, context if context.plan else planned(context)
    assert context.plan is not None
    why, left = _why(context, verify=context.rehash), context.plan.left
    if why:
        return StageState(stage.name, "stale", "; ".join(filter(None, [why, left])))
    if context.previous is None:
        return StageState(stage.name, "partial" if context.plan.begun else "to do", left or "not there yet")
    return StageState(stage.name, "done", "")


def bring_up_to_date(context: StageContext) -> Finished:
    """Do a stage if it is not done, and say so.

    A stage is done if all that decides it is as it was, and all that it wrote: every file is compared with
    its hash, so what later stages read is what this one wrote.

    Args:
        context: planned already, or not.

    Raises:
        RunFolderError: the disk is too small.
        Whatever the stage raises.
    """
    began = time.perf_counter()
    stage, context = context.stage, context if context.plan else planned(context)
    context.run.path.mkdir(parents=True, exist_ok=True)
    stage.remember(context)
    done, why = context.previous, _why(context, verify=True)
    renewed = done is None or bool(why)
    if done and not why:
        context.console.note(f"{stage.name}: up to date")
    else:
        if why:
            context.console.note(f"{stage.name}: {why}; it is done again")
        context, done = _make_of_what_is_there(context)
        stage.finished(context)
        for line in stage.describe(done.summary):
            context.console.note(line)
    shutil.rmtree(context.scratch, ignore_errors=True)
    return Finished(done, renewed, time.perf_counter() - began)


def planned(context: StageContext) -> StageContext:
    """The same context with the stage's plan."""
    return replace(context, plan=context.stage.plan(context))


def _make_of_what_is_there(context: StageContext) -> tuple[StageContext, StageManifest]:
    """Make a stage, and plan it anew whenever what it was planned with changes meanwhile.

    What is finished by then stays, as its name says what it was made of.
    """
    for _ in range(_PLANS - 1):
        try:
            return context, _make(context)
        except InputsChangedError as error:
            context.console.note(f"{context.stage.name} is planned anew: {error.what}")
            context = planned(replace(context, plan=None, rehash=True))
            context.stage.remember(context)
    return context, _make(context)


def _make(context: StageContext) -> StageManifest:
    stage, run, plan = context.stage, context.run, context.plan
    assert plan is not None
    check_disk(run.path, plan.bytes)
    context.scratch.mkdir(exist_ok=True)
    place = run.path / stage.result
    manifest_path = run.path / stage.manifest
    with _replacing(place) as target:
        summary = stage.make(context, target)
        root = target.parent if target.is_file() else target
        paths = [target] if target.is_file() else [p for p in target.rglob("*") if p.is_file()]
        files = list_files(root, paths)
        if target.is_file():
            files = {place.name: next(iter(files.values()))}
        manifest = StageManifest(stage.name, context.parts, files, summary)
        if manifest_path.is_relative_to(place):
            manifest.write(target / manifest_path.relative_to(place))
    if not manifest_path.is_relative_to(place):
        manifest.write(manifest_path)
    return manifest


def _replacing(place: Path) -> AbstractContextManager[Path]:
    return replacing(place) if _single(place.name) else replacing_folder(place)


def _single(result: str) -> bool:
    """Whether a stage's result is a single file."""
    return bool(Path(result).suffix)


def _files_root(context: StageContext) -> Path:
    """The folder that the manifest's paths start from."""
    place = context.run.path / context.stage.result
    return place.parent if _single(place.name) else place


def _why(context: StageContext, *, verify: bool) -> str:
    """Why a stage that was finished has to be done again; "" where it is done, or was never finished."""
    place, done = context.stage.result, context.previous
    if done is None:
        manifest = context.stage.manifest
        return f"{manifest} is not as it was written" if (context.run.path / manifest).exists() else ""
    damage = done.damage(_files_root(context), hashes=verify)
    reasons = [f"{name if _single(place) else f'{place}/{name}'} {how}" for name, how in damage.items()]
    if changed := done.changed(context.parts):
        reasons.insert(0, "changed: " + ", ".join(changed))
    return "; ".join(reasons[:3] + (["…"] if len(reasons) > 3 else []))
