"""The export stage: what the other stages made, as a release on disk."""

from __future__ import annotations

import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from alignrec.export.release import write_release

from .config import Config
from .errors import CatalogError
from .extract import STAGE as EXTRACT
from .extract import read_features
from .stage import StageManifest, digest, list_files

STAGE = "export"
VERSION = 1
FOLDER = "release"
# Libraries whose version can change a value.
LIBRARIES = ("alignrec", "numpy", "open_clip_torch", "pillow", "pyarrow", "torch", "transformers")


def manifest_path(config: Config) -> Path:
    """The export stage's own manifest; it lies beside the release, which holds nothing but itself."""
    return config.run_folder / "export.json"


def parts_of(config: Config, extracted: StageManifest) -> dict[str, str]:
    """What the export stage's fingerprint is made of."""
    return {
        "stage version": str(VERSION),
        "extract": digest([extracted.fingerprint, extracted.files]),
        "export settings": digest(config.export.model_dump(mode="json")),
        "name and seed": digest([config.name, config.seed]),
        "software": digest(_software()),
    }


def export(config: Config, extracted: StageManifest) -> StageManifest:
    """Write the release folder.

    Args:
        config: the run; `export.sets` says which sets go in.
        extracted: the extract stage, finished.

    Raises:
        CatalogError: a set was asked for that extraction did not make.
    """
    folder, source = config.run_folder / FOLDER, config.run_folder / EXTRACT
    missing = [name for name in config.export.sets if name not in extracted.summary["sets"]]
    if missing:
        raise CatalogError(
            f"export.sets asks for {', '.join(missing)}, but the catalogue gives only "
            f"{', '.join(extracted.summary['sets'])}. Take it out of export.sets."
        )
    rejected = pq.read_table(source / "rejected.parquet").drop(["detail"]).to_pylist()
    cards = {name: _public(entry["card"]) for name, entry in extracted.summary["sets"].items()}
    release = write_release(
        folder,
        [read_features(source, name) for name in config.export.sets],
        rejected,
        _provenance(config, extracted, cards),
        extractors=cards,
    )
    files = list_files(folder, [p for p in folder.rglob("*") if p.is_file()])
    summary = {"release_id": release.release_id, "sets": {n: e.model_dump() for n, e in release.sets.items()}}
    done = StageManifest(STAGE, parts_of(config, extracted), files, summary)
    done.write(manifest_path(config))
    return done


def _provenance(config: Config, extracted: StageManifest, cards: dict[str, Any]) -> dict[str, Any]:
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
        "stages": {EXTRACT: extracted.fingerprint},
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
