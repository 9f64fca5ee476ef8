"""Features for items that a release has never seen, by the release's own models."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from alignrec.core.features import FeatureSet
from alignrec.core.vocabulary import MODALITIES, MULTIMODAL, TEXT
from alignrec.export.release.opened import Release
from alignrec.pipeline.commands.released_encoders import ReleasedEncoders
from alignrec.pipeline.commands.released_models import ReleasedModels
from alignrec.pipeline.config.catalog import CatalogConfig, ItemsConfig
from alignrec.pipeline.config.settings import Config, EngineConfig, ExportConfig, ExtractConfig
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.runner.lock import locked
from alignrec.pipeline.runner.runner import bring_up_to_date, planned
from alignrec.pipeline.runner.stage import StageContext
from alignrec.pipeline.stages.extract.extraction import Extraction, extraction_of, load_job
from alignrec.pipeline.stages.extract.stage import ExtractStage


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
    engine: str = EngineConfig().name,
) -> Encoded:
    """Embed new items as the release embedded its own; killed at any moment, the same call goes on.

    None of the items need have a picture (or a text): the multimodal sets come from what is there.

    Args:
        release: whose extractors, preprocessing, text template and encoders are used.
        items: the new items; the release's own text template replaces `text`, modalities that its config
            named stand in the columns that it named, and so do `id` and `image` where they are not set here.
        work: a folder for what is finished so far.
        console: where progress goes.
        extractors: for a modality, the name by which its model is loaded, in place of the release's; it must
            be the same model.
        max_rejected: the largest share of inputs that may be unusable.
        engine: where the extractors run; the release's encoders run here.

    Raises:
        RefusedError: a model here is not the one that the release was made with, or the release names a path.
        VerificationError, ReleaseError: the release does not say what it was made with, lacks an encoder, or
            its models and encoders make vectors that are no numbers or of another width than its own.
        EncoderError: an encoder of the release is none.
        CatalogError, ConfigError, ExtractorError: what is wrong with the items or the models.
        PluginError, EngineError: there is no such engine, or it cannot be used.
    """
    encoders, models = ReleasedEncoders.of(release), ReleasedModels.of(release)
    tokens = encoders.multimodal is not None
    config = _config(items, models, models.names(extractors or {}), work, max_rejected, tokens)
    config = config.model_copy(update={"engine": EngineConfig(name=engine)})
    with locked(work):
        stage = ExtractStage(may_lack=True, exactly=True, in_full=models.decoded_in_full())
        context = planned(StageContext(config, stage, {}, console=console))
        _check_models(extraction_of(context), models)
        bring_up_to_date(context)
        run = context.run
        if tokens:
            inputs, ids = run.inputs(), run.items()
            raw = {name: FeatureSet(name, ids, one.pooled, one.valid) for name, one in inputs.items()}
        else:
            inputs, raw = {}, {name: run.features(name) for name in models.cards}
        sets = encoders.encode(raw, inputs)
        rejected = [{k: v for k, v in row.items() if k != "detail"} for row in run.rejected()]
    cards = {name: asdict(card) for name, card in models.cards.items()}
    return Encoded(sets, rejected, cards)


def _config(
    items: ItemsConfig,
    models: ReleasedModels,
    names: dict[str, str],
    work: Path,
    max_rejected: float,
    tokens: bool,
) -> Config:
    """A run over the new items that extracts as the release's run did."""
    located = models.modalities
    remembered = {key: name for key, name in models.columns.items() if key not in items.model_fields_set}
    changes: dict[str, Any] = {TEXT: models.template, **remembered}
    changes |= {side: None for side in MODALITIES if side not in models.cards or side in located}
    short = {side: name for side, name in names.items() if side not in located}
    modalities = {name: one.model_copy(update={"model": names[name]}) for name, one in located.items()}
    return Config(
        out=work,
        catalog=CatalogConfig(items=items.model_copy(update=changes), modalities=modalities),
        extract=ExtractConfig(**short, precision=models.precision, max_rejected=max_rejected),
        export=ExportConfig(sets=(*models.cards, *([MULTIMODAL] if tokens else []))),
    )


def _check_models(work: Extraction, models: ReleasedModels) -> None:
    """Compare the models with the release's: their files first, then themselves; nothing is embedded yet."""
    for job in work.jobs:
        models.check_files(job.name, job.model.name, job.model.identity)
    for job in work.jobs:
        models.check_card(job.name, job.model.name, load_job(work.engine, job).card)
