"""The retrain stage: the trained sets once more, on all interactions, for a release that is to serve."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alignrec.core.protocols import ZERO_SHOT
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.runner.catalogue_split import CatalogueSplit
from alignrec.pipeline.runner.cost import Cost, Measured
from alignrec.pipeline.runner.run_folder import EXTRACT, PRETRAIN, RETRAIN, SPLIT, TRAIN
from alignrec.pipeline.runner.stage import Plan, Stage, StageContext, begun, describe_sets
from alignrec.pipeline.stages.train import (
    TrainStage,
    train_for,
    training_bytes,
    training_inputs,
    write_trained,
)

if TYPE_CHECKING:
    from alignrec.aligner.train.training import Trained


class RetrainStage(Stage):
    """Trains on every part of the split, for as long as validation found best. No evaluation reads it."""

    name = RETRAIN
    version = 2
    libraries = TrainStage.libraries
    reads = (EXTRACT, SPLIT, PRETRAIN, TRAIN)

    def skip(self, config: Config) -> str:
        """What is measured needs none."""
        return "" if config.export.all_interactions else "export.all_interactions is not set."

    def plan(self, context: StageContext) -> Plan:
        """What decides training, and what validation chose there."""
        inputs = training_inputs(context) | {"chosen": _chosen(context)}
        return Plan(inputs, bytes=training_bytes(context), **begun(context))

    def make(self, context: StageContext, target: Path) -> Mapping[str, Any]:
        """Write the sets and the encoder of new items."""
        cut = context.run.split()
        return write_trained(self._train(context, cut), cut, target) | {
            "epochs": _chosen(context)["epochs"],
            "interactions": len(cut.split.user),
        }

    def assist(self, context: StageContext) -> None:
        """Train along."""
        self._train(context, context.run.split())

    def _train(self, context: StageContext, cut: CatalogueSplit) -> Trained:
        from alignrec.aligner.train.whole_log import Chosen  # loads torch

        return train_for(context, cut, Chosen(**_chosen(context)))

    def cost(self, rehearsal: StageContext, actual: StageContext, measured: Measured) -> Cost:
        """It trains for as many epochs as were best, after which patience was needed to know it."""
        from alignrec.pipeline.stages.epochs import epochs_with_content

        settings, seed = actual.config.train, actual.config.seed
        low, high = epochs_with_content(rehearsal.run, settings, seed)
        best = max(1, low - settings.patience), max(1, high - settings.patience)
        return super().cost(rehearsal, actual, measured).longer(*measured.bars[0].more(best))

    def describe(self, summary: Mapping[str, Any]) -> list[str]:
        """How many vectors, and of what."""
        return [
            f"retrain: {describe_sets(summary['sets'])}; {summary['epochs']} epochs on all "
            f"{summary['interactions']:,} interactions, for serving: nothing measures these"
        ]


def _chosen(context: StageContext) -> dict[str, Any]:
    """The fields of `Chosen`."""
    found = context.done[TRAIN].summary
    return {
        "epochs": found["best epoch"],
        "popularity": found["popularity"],
        "zero_shot": found[ZERO_SHOT],
    }


STAGE = RetrainStage()
