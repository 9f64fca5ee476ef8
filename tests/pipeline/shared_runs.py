"""The trainings of a tiny run, by one process or by several."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from alignrec.aligner.processes import Processes
from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.runner.manifest import StageManifest
from alignrec.pipeline.runner.run_folder import RETRAIN
from alignrec.pipeline.runner.runner import bring_up_to_date
from alignrec.pipeline.runner.stage import StageContext
from alignrec.pipeline.stages.chain import REPORT, assist, needed

# Of one column a member would know signs alone, and rounding could turn them. An epoch is a step.
SETTINGS = (
    *("pretrain.batch_size=40", "pretrain.epochs=20", "pretrain.patience=20"),
    *("train.dim=32", "train.epochs=20", "train.patience=20", "export.all_interactions=true"),
)


def train_all(
    processes: Processes,
    config: Path,
    out: Path,
    settings: Sequence[str] = SETTINGS,
    until: str = RETRAIN,
    console: Console | None = None,
) -> None:
    """Bring every stage up to `until` up to date, without a report."""
    loaded = load_config(config, [*settings, f"out={out}"])
    if not processes.first:
        assist(loaded, processes)
        return
    console, done = console or Console(quiet=True), dict[str, StageManifest]()
    for stage in needed(loaded, until):
        if stage is not REPORT:
            context = StageContext(loaded, stage, dict(done), console=console, processes=processes)
            done[stage.name] = bring_up_to_date(context).manifest
