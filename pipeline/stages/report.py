"""The report stage: one page that shows what the run left, as far as it came."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alignrec.pipeline.runner.manifest import MANIFEST
from alignrec.pipeline.runner.run_folder import EVALUATE, EXTRACT, FINETUNE, PRETRAIN, SPLIT, TRAIN
from alignrec.pipeline.runner.stage import Plan, Stage, StageContext

SHOWN = (FINETUNE, EXTRACT, SPLIT, PRETRAIN, TRAIN, EVALUATE)


class ReportStage(Stage):
    """Writes `report.html`; it follows whatever stage a run ends with."""

    name = "report"
    version = 5
    libraries = ("Jinja2",)
    folder = "report.html"

    @property
    def manifest(self) -> str:
        """Beside the page."""
        return "report.json"

    def plan(self, context: StageContext) -> Plan:
        """What there is of the stages that it shows, up to date or not, and the columns that it shows."""
        config, run = context.config, context.run
        manifests = {stage: run.read_manifest(f"{stage}/{MANIFEST}") for stage in SHOWN}
        return Plan(
            {
                **{stage: [m.fingerprint, m.files] for stage, m in manifests.items() if m is not None},
                "name and seed": [config.name, config.seed],
                "released for serving": config.export.all_interactions,
                "catalogue settings": config.catalog.model_dump(
                    mode="json",
                    exclude={"items": {"path", "image_root"}, "interactions": {"path"}},
                ),
            }
        )

    def make(self, context: StageContext, target: Path) -> Mapping[str, Any]:
        """Write the page."""
        from alignrec.pipeline.report.write import write_report  # its libraries take a second to load

        quality = write_report(context.config, context.run, target)
        return {"bytes": target.stat().st_size, "quality": quality}

    def describe(self, summary: Mapping[str, Any]) -> list[str]:  # noqa: ARG002
        """Nothing: the run says where the page is."""
        return []


STAGE = ReportStage()
