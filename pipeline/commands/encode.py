"""Features for items that a release has never seen, by the release's own models."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from alignrec.aligner.pretrain.encoder import MultimodalEncoder
from alignrec.aligner.train.aligned_encoder import AlignedEncoder
from alignrec.core.features import FeatureSet
from alignrec.core.vocabulary import MODALITIES, TEXT
from alignrec.export.errors import RefusedError, ReleaseError
from alignrec.export.release.opened import Release
from alignrec.pipeline.config.settings import CatalogConfig, Config, ExportConfig, ExtractConfig, ItemsConfig
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.runner.lock import locked
from alignrec.pipeline.runner.run_folder import RunFolder
from alignrec.pipeline.runner.runner import bring_up_to_date, planned
from alignrec.pipeline.runner.stage import StageContext
from alignrec.pipeline.stages.extract import STAGE as EXTRACT
from alignrec.pipeline.stages.extract.stage import Extraction, extraction_of, load_job

EXTRACTORS = "encoder/extractors.json"
# Of a loaded model's card, what must be the same for equal inputs to give equal vectors.
_LOADED = ("dim", "token_dim", "preprocessing")


@dataclass(frozen=True)
class Encoded:
    """What encoding made of a table of items.

    Attributes:
        sets: the release's item sets, for the new items; `aligned` and `content` have origin `content`.
        rejected: rows as in `rejected.parquet`.
        extractors: the release's cards of the models.
    """

    sets: list[FeatureSet]
    rejected: list[dict[str, Any]]
    extractors: dict[str, Any]


def encode(
    release: Release,
    items: ItemsConfig,
    work: Path,
    console: Console,
    *,
    models: dict[str, str] | None = None,
    max_rejected: float = 0.05,
) -> Encoded:
    """Embed new items as the release embedded its own; killed at any moment, the same call goes on.

    Args:
        release: whose extractors, preprocessing, text template and encoders are used.
        items: the new items; the release's own text template replaces `text`.
        work: a folder for what is finished so far.
        console: where progress goes.
        models: for `image` or `text`, where to load that model from, if not by the name in the release.
        max_rejected: the largest share of inputs that may be unusable.

    Raises:
        RefusedError: a model here is not the one that the release was made with.
        ReleaseError: the release has no extractors.
        CatalogError, ConfigError, ExtractorError: what is wrong with the items or the models.
    """
    cards = _cards(release)
    sets = [name for name, entry in release.manifest.sets.items() if entry.key == "item_id"]
    config = _config(release, items, cards, work, models or {}, max_rejected)
    with locked(work):
        context = planned(StageContext(config, EXTRACT, {}, console=console))
        _check_models(extraction_of(context), release, cards)
        bring_up_to_date(context)
        run = context.run
        features = {name: run.features(name) for name in cards}
        if folder := _encoder(release, "multimodal"):
            features["multimodal"] = _multimodal(folder, run)
        if (folder := _encoder(release, "aligner")) and "multimodal" in features:
            features |= _aligned(folder, features["multimodal"])
        rejected = [{k: v for k, v in row.items() if k != "detail"} for row in run.rejected()]
    missing = [name for name in sets if name not in features]
    if missing:
        raise ReleaseError(
            f"{release.where} has the sets {', '.join(missing)}, but not the encoder that makes them"
        )
    return Encoded([features[name] for name in sets], rejected, cards)


def _cards(release: Release) -> dict[str, Any]:
    path = release.file(EXTRACTORS)
    cards: dict[str, Any] = json.loads(path.read_bytes()) if path else {}
    if not cards:
        raise ReleaseError(f"{release.where} does not say which extractors it was made with")
    return cards


def _config(
    release: Release,
    items: ItemsConfig,
    cards: dict[str, Any],
    work: Path,
    models: dict[str, str],
    max_rejected: float,
) -> Config:
    """A run over the new items that extracts as the release's run did."""
    provenance = release.manifest.provenance
    changes: dict[str, Any] = {TEXT: provenance.get("catalogue", {}).get("template")}
    changes |= {side: None for side in MODALITIES if side not in cards}
    names = {side: models.get(side, card["name"]) for side, card in cards.items()}
    return Config(
        out=work,
        catalog=CatalogConfig(items=items.model_copy(update=changes)),
        extract=ExtractConfig(
            **names, precision=provenance.get("precision", "float32"), max_rejected=max_rejected
        ),
        export=ExportConfig(sets=(*cards, *(["multimodal"] if _has_encoder(release) else []))),
    )


def _has_encoder(release: Release) -> bool:
    return any(entry.path.startswith("encoder/multimodal/") for entry in release.manifest.files)


def _check_models(work: Extraction, release: Release, cards: dict[str, Any]) -> None:
    """Compare the models with the release's: their files first, then themselves; nothing is embedded yet."""
    identities = release.manifest.provenance.get("identities", {})
    for job in work.jobs:
        recorded, identity = cards[job.name], job.model.identity
        different = identity.differences(recorded) or identity.differences(identities.get(job.name, {}))
        if not different:
            card = json.loads(json.dumps(asdict(load_job(work.engine, job).card)))
            different = [key for key in _LOADED if card[key] != recorded.get(key)]
        if different:
            raise RefusedError(
                f"the {job.name} model {job.model.name} is not the one that {release.where} was made with "
                f"({recorded['name']}): {', '.join(different)} differ. Vectors would not be comparable; load "
                "the same model, or make a release of its own"
            )


def _encoder(release: Release, name: str) -> Path | None:
    """The folder of one of the release's encoders, fetched and checked; None where it has none."""
    entries = [e for e in release.manifest.files if e.path.startswith(f"encoder/{name}/")]
    paths = [release.fetch(entry) for entry in entries]
    return paths[0].parent if paths else None


def _multimodal(folder: Path, run: RunFolder) -> FeatureSet:
    matrix, valid = MultimodalEncoder.from_pretrained(folder).encode(run.inputs())
    return FeatureSet("multimodal", run.items(), matrix, valid)


def _aligned(folder: Path, multimodal: FeatureSet) -> dict[str, FeatureSet]:
    """Vectors from content and neighbours, and marked as such."""
    aligned, content = AlignedEncoder.from_pretrained(folder).encode(multimodal.matrix, multimodal.valid)
    origin = ["content"] * len(multimodal.ids)
    return {
        name: FeatureSet(name, multimodal.ids, matrix, multimodal.valid, origin=origin)
        for name, matrix in (("aligned", aligned), ("content", content))
    }
