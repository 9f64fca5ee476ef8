"""The export stage: what the other stages wrote, as a release on disk."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from alignrec.core.features import FeatureSet
from alignrec.core.vocabulary import IMAGE, MULTIMODAL, TRAINED_SETS, USER
from alignrec.export.release.write import fill_release
from alignrec.extractors.names import public_name
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.runner.run_folder import EVALUATE, EXTRACT, PRETRAIN, RETRAIN, TRAIN
from alignrec.pipeline.runner.split_log import learned_from
from alignrec.pipeline.runner.stage import Plan, Stage, StageContext, describe_sets
from alignrec.pipeline.stages.evaluate.metrics_file import alignment_bytes
from alignrec.pipeline.stages.pretrain import ENCODER
from alignrec.pipeline.stages.train import ENCODER as ALIGNER


class ExportStage(Stage):
    """Writes the sets that `export.sets` names, and what stands behind them.

    The stage's own manifest lies beside the release, which holds nothing but itself.
    """

    name = "export"
    version = 7
    libraries = ("alignrec", "numpy", "open_clip_torch", "pillow", "pyarrow", "torch", "transformers")
    folder = "release"

    @property
    def manifest(self) -> str:
        """Beside the release."""
        return "export.json"

    def plan(self, context: StageContext) -> Plan:
        """What earlier stages wrote, and how it is to be published."""
        config = context.config
        return Plan(
            {
                **{name: [done.fingerprint, done.files] for name, done in context.done.items()},
                "export settings": config.export.model_dump(mode="json"),
                "name and seed": [config.name, config.seed],
                "columns of the items": _columns(config),
                "python version": platform.python_version(),
            }
        )

    def make(self, context: StageContext, target: Path) -> Mapping[str, Any]:
        """Write the release."""
        config, run = context.config, context.run
        # Who was rejected is told as little as who was not; write_rejected leaves `detail` out.
        named = USER in config.sets
        rejected = [row if named else row | {"user_id": None} for row in run.rejected()]
        sets = context.done[EXTRACT].summary["sets"]
        cards = {name: _public(entry["card"]) for name, entry in sets.items()}
        release = fill_release(
            target,
            (_features(context, name) for name in config.sets),
            rejected,
            _provenance(context, cards),
            extractors=cards,
            encoders=_encoders(context),
            metrics=_metrics(context),
            pooled=context.run.pooled() if EVALUATE in context.done else None,
        )
        return {
            "release_id": release.release_id,
            "sets": {name: entry.model_dump() for name, entry in release.sets.items()},
        }

    def describe(self, summary: Mapping[str, Any]) -> list[str]:
        """Which release, and its sets."""
        return [f"export: release {summary['release_id'][:12]}; valid: {describe_sets(summary['sets'])}"]


def _features(context: StageContext, name: str) -> FeatureSet:
    """A set of the run; a trained one has learned from all interactions where that is asked for."""
    again = RETRAIN in context.done and name in TRAINED_SETS
    return context.run.retrained(name) if again else context.run.features(name)


def _metrics(context: StageContext) -> bytes | None:
    """The evaluation's file; without one, what modalities tell of one another, where that was measured."""
    if EVALUATE in context.done:
        return context.run.metrics()
    alignment = context.run.alignment() if PRETRAIN in context.done else None
    return None if alignment is None else alignment_bytes(alignment)


def _encoders(context: StageContext) -> dict[str, Path]:
    """What vectors of new items need, for the sets of the release."""
    encoders = {}
    if context.config.pretrains:
        encoders[MULTIMODAL] = context.run.saved(PRETRAIN, ENCODER)
    if context.config.trains:
        stage = RETRAIN if RETRAIN in context.done else TRAIN
        encoders["aligner"] = context.run.saved(stage, ALIGNER)
    return encoders


def _provenance(context: StageContext, cards: dict[str, Any]) -> dict[str, Any]:
    config, extracted = context.config, context.done[EXTRACT]
    identities = {name: entry["identity"] for name, entry in extracted.summary["sets"].items()}
    learned = [name for name in config.sets if name in TRAINED_SETS]
    everything = RETRAIN in context.done
    versions = {name: context.parts[f"{name} version"] for name in ("python", *ExportStage.libraries)}
    return {
        "name": config.name,
        "seed": config.seed,
        "licence": config.export.license,
        "catalogue": {
            "items": extracted.summary["items"],
            "interactions": extracted.summary["interactions"],
            "rejected": extracted.summary["rejected"],
            "columns": _columns(config),
            "template": extracted.summary["template"],
            "modalities": extracted.summary["modalities"],
            "inputs": {name: extracted.parts[f"{name} inputs"] for name in extracted.summary["sets"]},
        },
        "learned_from": dict.fromkeys(
            learned,
            asdict(learned_from(context.run, config.split, config.seed, everything=everything))
            if learned
            else None,
        ),
        "extractors": cards,
        "identities": identities,
        # One device embeds all modalities, hence in one precision: the one that ran.
        "precision": next(iter(identities.values()))["precision"],
        "stages": {name: done.fingerprint for name, done in context.done.items()},
        "software": versions,
    }


def _columns(config: Config) -> dict[str, str | None]:
    """The columns of the items table that tables of new items are likely to have too."""
    items = config.catalog.items
    return {"id": items.id, IMAGE: items.image}


def _public(card: dict[str, Any]) -> dict[str, Any]:
    """A card without the local path of a model: its folder's name and its hash say which it was."""
    return card | {"name": public_name(card["name"])}


STAGE = ExportStage()
