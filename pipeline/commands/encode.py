"""Features for items that a release has never seen, by the release's own models."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from alignrec.aligner.pretrain.item_encoder import load_encoder
from alignrec.aligner.train.aligned_encoder import AlignedEncoder
from alignrec.core.features import FeatureSet
from alignrec.core.vocabulary import ALIGNED, CONTENT, MODALITIES, MULTIMODAL, TEXT
from alignrec.export.errors import ReleaseError
from alignrec.export.release.opened import Release
from alignrec.pipeline.commands.released_models import ReleasedModels
from alignrec.pipeline.config.catalog import CatalogConfig, ItemsConfig
from alignrec.pipeline.config.settings import Config, ExportConfig, ExtractConfig
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.runner.lock import locked
from alignrec.pipeline.runner.run_folder import RunFolder
from alignrec.pipeline.runner.runner import bring_up_to_date, planned
from alignrec.pipeline.runner.stage import StageContext
from alignrec.pipeline.stages.extract.stage import Extraction, ExtractStage, extraction_of, load_job


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
    extractors: dict[str, str] | None = None,
    max_rejected: float = 0.05,
) -> Encoded:
    """Embed new items as the release embedded its own; killed at any moment, the same call goes on.

    None of the items need have a picture (or a text): the multimodal sets come from what is there.

    Args:
        release: whose extractors, preprocessing, text template and encoders are used.
        items: the new items; the release's own text template replaces `text`, and modalities that its config
            named stand in the columns that it named.
        work: a folder for what is finished so far.
        console: where progress goes.
        extractors: for a modality, the name by which its model is loaded, in place of the release's; it must
            be the same model.
        max_rejected: the largest share of inputs that may be unusable.

    Raises:
        RefusedError: a model here is not the one that the release was made with, or the release names a path.
        VerificationError, ReleaseError: the release does not say what it was made with, lacks an encoder, or
            its models and encoders make vectors that are no numbers or of another width than its own.
        EncoderError: an encoder of the release is none.
        CatalogError, ConfigError, ExtractorError: what is wrong with the items or the models.
    """
    sets = [name for name, entry in release.manifest.sets.items() if entry.key == "item_id"]
    if not sets:
        raise ReleaseError(f"{release.where} has no set of items")
    models = ReleasedModels.of(release)
    config = _config(release, items, models, models.names(extractors or {}), work, max_rejected)
    with locked(work):
        context = planned(StageContext(config, ExtractStage(may_lack=True), {}, console=console))
        _check_models(extraction_of(context), models)
        bring_up_to_date(context)
        run = context.run
        features = {name: _sound(run.features(name), release) for name in models.cards}
        if folder := _encoder(release, MULTIMODAL):
            features[MULTIMODAL] = _sound(_multimodal(folder, run), release)
        if (folder := _encoder(release, "aligner")) and MULTIMODAL in features:
            features |= {f.name: _sound(f, release) for f in _aligned(folder, features[MULTIMODAL])}
        rejected = [{k: v for k, v in row.items() if k != "detail"} for row in run.rejected()]
    missing = [name for name in sets if name not in features]
    if missing:
        raise ReleaseError(
            f"{release.where} has the sets {', '.join(missing)}, but not the encoder that makes them"
        )
    cards = {name: asdict(card) for name, card in models.cards.items()}
    return Encoded([features[name] for name in sets], rejected, cards)


def _config(
    release: Release,
    items: ItemsConfig,
    models: ReleasedModels,
    names: dict[str, str],
    work: Path,
    max_rejected: float,
) -> Config:
    """A run over the new items that extracts as the release's run did."""
    located = models.modalities
    changes: dict[str, Any] = {TEXT: models.template}
    changes |= {side: None for side in MODALITIES if side not in models.cards or side in located}
    short = {side: name for side, name in names.items() if side not in located}
    modalities = {name: one.model_copy(update={"model": names[name]}) for name, one in located.items()}
    return Config(
        out=work,
        catalog=CatalogConfig(items=items.model_copy(update=changes), modalities=modalities),
        extract=ExtractConfig(**short, precision=models.precision, max_rejected=max_rejected),
        export=ExportConfig(sets=(*models.cards, *([MULTIMODAL] if _has_encoder(release) else []))),
    )


def _has_encoder(release: Release) -> bool:
    return any(entry.path.startswith(f"encoder/{MULTIMODAL}/") for entry in release.manifest.files)


def _check_models(work: Extraction, models: ReleasedModels) -> None:
    """Compare the models with the release's: their files first, then themselves; nothing is embedded yet."""
    for job in work.jobs:
        models.check_files(job.name, job.model.name, job.model.identity)
    for job in work.jobs:
        models.check_card(job.name, job.model.name, load_job(work.engine, job).card)


def _encoder(release: Release, name: str) -> Path | None:
    """The folder of one of the release's encoders, fetched and checked; None where it has none."""
    entries = [e for e in release.manifest.files if e.path.startswith(f"encoder/{name}/")]
    paths = [release.fetch(entry) for entry in entries]
    return paths[0].parent if paths else None


def _multimodal(folder: Path, run: RunFolder) -> FeatureSet:
    matrix, valid = load_encoder(folder).encode(run.inputs())
    return FeatureSet(MULTIMODAL, run.items(), matrix, valid)


def _aligned(folder: Path, multimodal: FeatureSet) -> list[FeatureSet]:
    """Vectors from content and neighbours, and marked as such."""
    encoder = AlignedEncoder.from_pretrained(folder)
    with np.errstate(over="ignore", invalid="ignore"):  # the result is looked at
        aligned, content = encoder.encode(multimodal.matrix, multimodal.valid)
    origin = ["content"] * len(multimodal.ids)
    return [
        FeatureSet(name, multimodal.ids, matrix, multimodal.valid, origin=origin)
        for name, matrix in ((ALIGNED, aligned), (CONTENT, content))
    ]


def _sound(features: FeatureSet, release: Release) -> FeatureSet:
    """The set itself, before anything is made of it.

    Raises:
        ReleaseError: it has values that are no numbers, or another width than the release's.
    """
    there = release.manifest.sets.get(features.name)
    fault = features.fault()
    if there and there.dim != features.dim:
        fault = f"vectors have {features.dim} dimensions, but those of the release {there.dim}"
    if fault:
        raise ReleaseError(f"what {release.where} holds makes no usable set {features.name!r}: {fault}")
    return features
