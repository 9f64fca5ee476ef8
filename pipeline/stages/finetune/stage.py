"""The finetune stage: mask-then-predict from pixels and word pieces, resumable at every round of steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from alignrec.aligner.finetune.settings import FinetuneSettings
from alignrec.core.files import digest, write_bytes
from alignrec.extractors.backends.beit3.backend import BACKEND
from alignrec.extractors.backends.beit3.files import BEiT3Files, find_files
from alignrec.extractors.backends.vqkd.backend import BACKEND as TOKENIZER
from alignrec.extractors.identity import ExtractorIdentity
from alignrec.extractors.modality import IMAGE, MODALITIES, PAIR
from alignrec.extractors.names import ModelName
from alignrec.extractors.registry import identify_extractor, load_extractor
from alignrec.pipeline.catalog.file_hashes import FileHashes
from alignrec.pipeline.catalog.interactions import named_items
from alignrec.pipeline.catalog.items import read_catalogue
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.engines.base import Model, Unit
from alignrec.pipeline.runner.curves import CURVES, loss_records, write_records
from alignrec.pipeline.runner.disk import check_disk
from alignrec.pipeline.runner.run_folder import FINETUNE
from alignrec.pipeline.runner.shards import plan as cut
from alignrec.pipeline.runner.stage import Plan, Stage, StageContext, begun
from alignrec.pipeline.stages.finetune.content import PairedContent
from alignrec.pipeline.stages.finetune.picture_shards import PictureShards
from alignrec.pipeline.stages.following import following

if TYPE_CHECKING:
    from alignrec.aligner.finetune.items import PixelItems
    from alignrec.extractors.backends.beit3.preparation import Preparation
    from alignrec.extractors.backends.beit3.trainable import TrainableBEiT3

WEIGHTS, PIECES = f"{BACKEND.name}.safetensors", f"{BACKEND.name}.spm"
_SLACK = 2**20  # bytes of seals, curves and names


@dataclass(frozen=True)
class _Work:
    """What planning finds: the content, and the models by what decides their values."""

    content: PairedContent
    teacher: ExtractorIdentity
    hashes: FileHashes


class FinetuneStage(Stage):
    """Fine-tunes the BEiT-3 checkpoint that `extract` names, which then reads the catalogue in its place."""

    name = FINETUNE
    version = 2
    libraries = ("numpy", "torch", "pillow", "sentencepiece")

    def skip(self, config: Config) -> str:
        """Only a config with a section `finetune` has it."""
        return (
            "" if config.finetune else "its config has no section finetune, such as finetune: {steps: 2000}."
        )

    def plan(self, context: StageContext) -> Plan:
        """The checkpoint, the teacher, the items' content, the settings and the seed decide.

        Raises:
            CatalogError, ConfigError, ExtractorError: what is wrong with the tables or the models.
        """
        config = context.config
        assert config.finetune is not None
        hashes = FileHashes() if context.rehash else FileHashes.read(context.run.cache("hashes"))
        catalogue = read_catalogue(
            config.catalog.items, hashes, config.catalog.modalities, only=named_items(config.catalog)
        )
        content = PairedContent.of(catalogue, config)
        model = identify_extractor(config.published, MODALITIES[PAIR.name], sha256=hashes.sha256)
        teacher = identify_extractor(config.finetune.teacher, MODALITIES[IMAGE.name], sha256=hashes.sha256)
        inputs = {
            "checkpoint": asdict(model),
            "teacher": asdict(teacher),
            "content": content.record(),
            "settings": _deciding(config.finetune),
            "seed": str(config.seed),
        }
        return Plan(inputs, details=_Work(content, teacher, hashes), **begun(context))

    def remember(self, context: StageContext) -> None:
        """Keep the files' hashes, so that the next plan reads only those that changed."""
        assert context.plan is not None
        context.plan.details.hashes.write(context.run.cache("hashes"))

    def make(self, context: StageContext, target: Path) -> Mapping[str, Any]:
        """Write the fine-tuned checkpoint, its word pieces and the curves.

        Raises:
            RunFolderError: the disk is too small.
            ExtractorError, FeatureError, AlignerError: a model cannot be loaded, or there is too little to
                learn from.
        """
        from alignrec.aligner.finetune.training import finetune, rounds_of, state_bytes  # loads torch
        from alignrec.extractors.backends.beit3.checkpoint import save_checkpoint

        settings, console = context.config.finetune, context.console
        assert settings is not None and context.plan is not None
        work: _Work = context.plan.details
        files = find_files(ModelName.parse(context.config.published))
        model, prepare = _load(context, files)
        side = model.published.beit3.sizes.image
        pictures = PictureShards(_units(context, work, side), side)
        codes = 4 * len(work.content.pictures) * model.grid**2
        # A state is written beside the one before it; the result is smaller than that.
        check_disk(context.run.path, pictures.bytes + codes + 2 * state_bytes(model, settings) + _SLACK)
        items = _items(context, work, model, prepare, pictures)
        console.note(
            f"{self.name}: {int((items.picture & items.text).sum()):,} items with picture and text, "
            f"{int((items.picture | items.text).sum()):,} with either"
        )
        with following(context.checkpoint(), rounds_of(settings), console, self.name) as hooks:
            tuned = finetune(model, items, settings, context.config.seed, **hooks)
        save_checkpoint(model.published, target / WEIGHTS)
        write_bytes(target / PIECES, files.word_pieces().read_bytes())
        write_records(loss_records(tuned.curves, context.config.seed), target / CURVES)
        return {
            "pairs": int((items.picture & items.text).sum()),
            "steps": settings.steps,
            "unreadable": len(work.content.pictures) - int(items.picture.sum()),
            "accuracy": [asdict(one) for one in tuned.accuracy],
        }

    def shortened(self, context: StageContext) -> None:
        """Nothing tells: before its first step it decodes every picture."""

    def describe(self, summary: Mapping[str, Any]) -> list[str]:
        """After how many steps, and how much is told right of items held out."""
        lines = [f"finetune: {summary['pairs']:,} items with picture and text, {summary['steps']:,} steps"]
        return lines + [
            f"  {one['what']} held out: {one['own']:.1%} told right beside the item's own other content, "
            f"{one['other']:.1%} beside {one['beside']} [{one['low']:+.1%}, {one['high']:+.1%}]"
            for one in summary["accuracy"]
        ]


def _deciding(settings: FinetuneSettings) -> dict[str, Any]:
    """The settings; `classify` only where it is asked for, so that what was tuned before that key stays."""
    return settings.model_dump(mode="json", exclude=None if settings.classify else {"classify"})


def _load(context: StageContext, files: BEiT3Files) -> tuple[TrainableBEiT3, Preparation]:
    """The checkpoint with both heads, and what prepares items for it."""
    from alignrec.extractors.backends.beit3.checkpoint import load_checkpoint
    from alignrec.extractors.backends.beit3.preparation import Preparation, open_word_pieces
    from alignrec.extractors.backends.beit3.trainable import TrainableBEiT3

    settings = context.config.finetune
    assert settings is not None
    published = load_checkpoint(files.weights)
    pieces = open_word_pieces(files, published.beit3.sizes)
    prepare = Preparation(published.beit3.sizes, pieces)
    model = TrainableBEiT3(
        published,
        pieces.mask,
        settings.codes,
        context.config.seed,
        recompute=settings.recompute,
        # BEiT-3 was pretrained to predict these very codes.
        keep_codes=ModelName.parse(settings.teacher).scheme == TOKENIZER.name,
    )
    return model, prepare


def _units(context: StageContext, work: _Work, side: int) -> list[Unit]:
    """The pictures in shards, to be read as an extraction reads them."""
    config = context.config
    assert config.finetune is not None
    teacher = Model(config.finetune.teacher, MODALITIES[IMAGE.name], work.teacher, plugins=config.plugins)
    shards = cut(work.content.pictures, {"stage": FINETUNE, "version": FinetuneStage.version, "side": side})
    folder = context.scratch / "pictures"
    return [
        Unit(shard, teacher, 1, False, config.catalog.items, folder, work.content.columns) for shard in shards
    ]


def _items(
    context: StageContext,
    work: _Work,
    model: TrainableBEiT3,
    prepare: Preparation,
    pictures: PictureShards,
) -> PixelItems:
    """Pixels, codes and word pieces of the catalogue's items."""
    from alignrec.aligner.finetune.items import PixelItems
    from alignrec.pipeline.stages.finetune.teacher import Teacher

    config, content = context.config, work.content
    settings = config.finetune
    assert settings is not None
    total = len(content.pictures)

    def square(picture: Any) -> Any:
        return prepare(picture).pixels

    with context.console.progress("finetune pictures", total) as advance:
        pictures.fill(square, config.extract.workers, advance)
    load = partial(load_extractor, settings.teacher, MODALITIES[IMAGE.name], device=settings.device)
    folder = context.scratch / "codes" / digest(context.parts)[:16]
    with context.console.progress("finetune codes", total) as advance:
        teacher = Teacher(load, pictures, model.grid)
        found = teacher.codes(settings, config.seed, context.checkpoint("codebook"), folder, advance)
    number = {item.item_id: picture for picture, item in enumerate(content.pictures)}
    numbers = np.array([number.get(item_id, -1) for item_id in content.item_ids], dtype=np.int64)
    there = numbers >= 0
    usable, codes = np.zeros(len(numbers), dtype=np.bool_), np.zeros((len(numbers), found.shape[1]), np.int32)
    usable[there], codes[there] = pictures.usable()[numbers[there]], found[numbers[there]]
    texts = [prepare(content.texts[i]).ids if i in content.texts else [] for i in content.item_ids]
    return PixelItems(
        lambda rows: pictures.pixels(numbers[rows]), codes, usable, [ids or [] for ids in texts]
    )


STAGE = FinetuneStage()
