"""The export stage: what the other stages made, as a release on disk."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from alignrec.core.files import digest
from alignrec.core.results import METRICS_FILE
from alignrec.core.vocabulary import MULTIMODAL
from alignrec.export.release.write import write_release
from alignrec.pipeline.catalog.items import STAGE as EXTRACTION
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.runner.manifest import StageManifest, list_files
from alignrec.pipeline.runner.run_folder import read_set
from alignrec.pipeline.runner.stage import Before, Stage, Work
from alignrec.pipeline.stages.evaluate.stage import STAGE as EVALUATION
from alignrec.pipeline.stages.pretrain import ENCODER
from alignrec.pipeline.stages.pretrain import STAGE as PRETRAINING
from alignrec.pipeline.stages.train import ENCODER as ALIGNER
from alignrec.pipeline.stages.train import STAGE as TRAINING

STAGE = "export"
VERSION = 1
FOLDER = "release"
# The stage's own manifest lies beside the release, which holds nothing but itself.
OWN_MANIFEST = "export.json"
# Libraries whose version can change a value.
LIBRARIES = ("alignrec", "numpy", "open_clip_torch", "pillow", "pyarrow", "torch", "transformers")


def plan_export(before: Before) -> Work:
    """What the release will be made of."""
    config = before.config
    parts = {
        "stage version": str(VERSION),
        **{name: digest([done.fingerprint, done.files]) for name, done in before.done.items()},
        "export settings": digest(config.export.model_dump(mode="json")),
        "name and seed": digest([config.name, config.seed]),
        "software": digest(_software()),
    }
    return Work(parts, partial(_export, before, parts))


def _export(before: Before, parts: Mapping[str, str], _console: Console) -> StageManifest:
    """Write the release folder: the sets that `export.sets` names, and what stands behind them."""
    config = before.config
    folder, extracted = before.folder(FOLDER), before.done[EXTRACTION]
    rejected = pq.read_table(before.folder(EXTRACTION) / "rejected.parquet").drop(["detail"]).to_pylist()
    cards = {name: _public(entry["card"]) for name, entry in extracted.summary["sets"].items()}
    release = write_release(
        folder,
        [read_set(config.run_folder, name) for name in config.sets],
        rejected,
        _provenance(before, cards),
        extractors=cards,
        encoders=_encoders(before),
        metrics=(before.folder(EVALUATION) / METRICS_FILE).read_bytes()
        if EVALUATION in before.done
        else None,
    )
    files = list_files(folder, [p for p in folder.rglob("*") if p.is_file()])
    summary = {"release_id": release.release_id, "sets": {n: e.model_dump() for n, e in release.sets.items()}}
    done = StageManifest(STAGE, parts, files, summary)
    done.write(config.run_folder / OWN_MANIFEST)
    return done


def _encoders(before: Before) -> dict[str, Path]:
    """What vectors of new items need, for the sets of the release."""
    encoders = {}
    if before.config.pretrains:
        encoders[MULTIMODAL] = before.folder(PRETRAINING) / ENCODER
    if before.config.trains:
        encoders["aligner"] = before.folder(TRAINING) / ALIGNER
    return encoders


def _provenance(before: Before, cards: dict[str, Any]) -> dict[str, Any]:
    config, extracted = before.config, before.done[EXTRACTION]
    return {
        "name": config.name,
        "seed": config.seed,
        "licence": config.export.license,
        "catalogue": {
            "items": extracted.summary["items"],
            "interactions": extracted.summary["interactions"],
            "rejected": extracted.summary["rejected"],
            "template": extracted.summary["template"],
            "inputs": {name: extracted.parts[f"{name} inputs"] for name in extracted.summary["sets"]},
        },
        "extractors": cards,
        "precision": config.extract.precision,
        "stages": {name: done.fingerprint for name, done in before.done.items()},
        "software": _software(),
    }


def _software() -> dict[str, str]:
    return {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES}


def _public(card: dict[str, Any]) -> dict[str, Any]:
    """A card without the local path of a model: its folder's name and its hash say which it was."""
    scheme, _, model = card["name"].partition(":")
    local = Path(model.removeprefix("local-dir:"))
    prefix = "local-dir:" if model.startswith("local-dir:") else ""
    return card | {"name": f"{scheme}:{prefix}{local.name}"} if local.is_absolute() else card


def _tell(exported: StageManifest) -> list[str]:
    sets = ", ".join(f"{name} {e['valid']:,} × {e['dim']}" for name, e in exported.summary["sets"].items())
    return [f"export: release {exported.summary['release_id'][:12]}; valid: {sets}"]


EXPORT = Stage(STAGE, plan_export, _tell, folder=FOLDER, manifest=OWN_MANIFEST)
