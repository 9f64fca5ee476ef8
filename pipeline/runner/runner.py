"""Bring a stage up to date: do it if it is not done, and finish it whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from alignrec.core.files import replacing, replacing_folder
from alignrec.pipeline.runner.disk import check_disk
from alignrec.pipeline.runner.manifest import StageManifest, list_files
from alignrec.pipeline.runner.stage import StageContext


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


def state_of(context: StageContext) -> StageState:
    """A stage's state, those before it being done; nothing is written."""
    stage, context = context.stage, planned(context)
    assert context.plan is not None
    manifest, left = context.previous, context.plan.left
    if manifest is None:
        return StageState(stage.name, "partial" if context.plan.begun else "to do", left or "not there yet")
    why = _why(manifest, context.parts, _files_root(context), verify=context.rehash)
    if not why:
        return StageState(stage.name, "done", "")
    return StageState(stage.name, "stale", "; ".join(filter(None, [why, left])))


def bring_up_to_date(context: StageContext) -> StageManifest:
    """Do a stage if it is not done, and say so; returns its manifest.

    Args:
        context: planned already, or not.

    Raises:
        RunFolderError: the disk is too small.
        Whatever the stage raises.
    """
    stage, context = context.stage, context if context.plan else planned(context)
    context.run.path.mkdir(parents=True, exist_ok=True)
    stage.remember(context)
    done = context.previous
    why = _why(done, context.parts, _files_root(context), verify=False) if done else ""
    if done and not why:
        context.console.note(f"{stage.name}: up to date")
    else:
        if done:
            context.console.note(f"{stage.name}: {why}")
        done = _make(context)
        stage.finished(context)
        for line in stage.describe(done.summary):
            context.console.note(line)
    shutil.rmtree(context.scratch, ignore_errors=True)
    return done


def planned(context: StageContext) -> StageContext:
    """The same context with the stage's plan."""
    return replace(context, plan=context.stage.plan(context))


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
    return replacing(place) if place.suffix else replacing_folder(place)


def _files_root(context: StageContext) -> Path:
    """The folder that the manifest's paths start from."""
    place = context.run.path / context.stage.result
    return place.parent if place.suffix else place


def _why(done: StageManifest, parts: Mapping[str, str], folder: Path, *, verify: bool) -> str:
    """Why a finished stage has to be done again, or ""."""
    changed, damaged = done.changed(parts), done.damaged(folder, hashes=verify)
    reasons = []
    if changed:
        reasons.append("changed: " + ", ".join(changed))
    if damaged:
        reasons.append(f"damaged or missing: {', '.join(damaged[:3])}{' …' if len(damaged) > 3 else ''}")
    return "; ".join(reasons)
