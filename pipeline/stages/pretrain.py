"""The pretrain stage: the multimodal encoder and the vectors it gives, resumable at every epoch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alignrec.aligner.inputs import Inputs
from alignrec.aligner.processes import ALONE, Processes
from alignrec.core.cross_view import ALIGNMENT
from alignrec.core.features import FeatureSet
from alignrec.core.vocabulary import MULTIMODAL
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.runner.cost import Cost, Measured
from alignrec.pipeline.runner.curves import CURVES, loss_records, write_records
from alignrec.pipeline.runner.run_folder import EXTRACT, PRETRAIN, write_set
from alignrec.pipeline.runner.stage import Plan, Stage, StageContext, begun, describe_sets
from alignrec.pipeline.stages.following import following

if TYPE_CHECKING:
    from alignrec.aligner.pretrain.pretraining import Pretrained
    from alignrec.pipeline.runner.checkpoint import Checkpoint

ENCODER = f"encoder/{MULTIMODAL}"
_CHECKPOINT_BYTES = 2**27


class PretrainStage(Stage):
    """Trains the encoder on what extraction left, and encodes every item."""

    name = PRETRAIN
    version = 6
    libraries = ("numpy", "torch")
    reads = (EXTRACT,)

    def skip(self, config: Config) -> str:
        """Raw sets need no encoder."""
        return "" if config.pretrains else "export.sets names raw sets alone; add multimodal to it."

    def plan(self, context: StageContext) -> Plan:
        """The items' content, the settings and the seed decide."""
        config, items = context.config, context.done[EXTRACT].summary["items"]
        needed = 4 * config.pretrain.dim * items + _CHECKPOINT_BYTES
        inputs = pretraining_inputs(config) | content_inputs(context)
        return Plan(inputs, bytes=needed, **begun(context))

    def make(self, context: StageContext, target: Path) -> Mapping[str, Any]:
        """Write the set, the encoder and the curves."""
        from alignrec.aligner.alignment.cross_view import measure_inputs  # loads torch

        inputs = context.run.inputs()
        alignment = measure_inputs(inputs, context.config.seed)
        context.console.note(f"{self.name}: {alignment.sentence}")
        trained = self._train(context, inputs)
        matrix, valid = trained.encoder.encode(inputs, context.config.pretrain.device)
        write_set(FeatureSet(MULTIMODAL, context.run.items(), matrix, valid), target / f"{MULTIMODAL}.arrow")
        (target / ENCODER).mkdir(parents=True)
        trained.encoder.save_pretrained(target / ENCODER)
        write_records(loss_records(trained.curves, context.config.seed), target / CURVES)
        return {
            "sets": {MULTIMODAL: {"dim": matrix.shape[1], "valid": int(valid.sum())}},
            "epochs": len(trained.curves),
            ALIGNMENT: alignment.record(),
        }

    def assist(self, context: StageContext) -> None:
        """Train along."""
        self._train(context, context.run.inputs())

    def _train(self, context: StageContext, inputs: Inputs) -> Pretrained:
        return pretrain_resumably(
            inputs, context.config, context.checkpoint(), context.console, self.name, context.processes
        )

    def cost(self, rehearsal: StageContext, actual: StageContext, measured: Measured) -> Cost:
        """Held-out items say when it stops."""
        cost = super().cost(rehearsal, actual, measured)
        for bar in measured.bars:
            cost = cost.longer(*bar.more(pretraining_epochs(actual.config)))
        return cost

    def describe(self, summary: Mapping[str, Any]) -> list[str]:
        """How many vectors, after how many epochs."""
        return [f"pretrain: {describe_sets(summary['sets'])} after {summary['epochs']} epochs"]


def content_inputs(context: StageContext) -> dict[str, Any]:
    """What extraction made of the items, whoever interacted with them."""
    files = context.done[EXTRACT].files
    items = {name: entry for name, entry in files.items() if name.startswith(("shards/", "items."))}
    return {"image and text features": items}


def pretraining_inputs(config: Config) -> dict[str, Any]:
    """The settings that decide what pretraining makes of its input."""
    settings = config.pretrain.model_dump(mode="json")
    return {
        "pretrain version": str(PretrainStage.version),
        "pretrain settings": settings,
        "seed": str(config.seed),
    }


def pretraining_epochs(config: Config) -> tuple[float, float]:
    """At least as many as patience waits for something better than no training, and at most all."""
    return min(config.pretrain.patience, config.pretrain.epochs), config.pretrain.epochs


def pretrain_resumably(
    inputs: Inputs,
    config: Config,
    checkpoint: Checkpoint,
    console: Console,
    title: str,
    processes: Processes = ALONE,
) -> Pretrained:
    """Pretrain, from the checkpoint on if there is one, with a bar that shows the losses by direction."""
    from alignrec.aligner.pretrain.pretraining import pretrain  # loads torch

    with following(checkpoint, config.pretrain.epochs, console, title, processes) as hooks:
        return pretrain(inputs, config.pretrain, config.seed, **hooks)


STAGE = PretrainStage()
