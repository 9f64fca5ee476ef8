"""The extract stage: raw features of every modality of a catalogue, resumable shard by shard."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from alignrec.core.files import write_bytes
from alignrec.core.sealed import read_sealed_json, seal_json
from alignrec.export.release.parquet import write_table
from alignrec.extractors.contract import ExtractorCard
from alignrec.pipeline.catalog.contents import config_key, source_columns
from alignrec.pipeline.catalog.file_hashes import FileHashes
from alignrec.pipeline.catalog.interactions import named_items, read_interactions
from alignrec.pipeline.catalog.items import read_catalogue
from alignrec.pipeline.catalog.rejections import (
    Rejection,
    Rejections,
    check_limit,
    counts,
    reasons_with_examples,
)
from alignrec.pipeline.engines.base import ENGINES
from alignrec.pipeline.errors import CatalogError
from alignrec.pipeline.runner.arrow_files import write_arrow
from alignrec.pipeline.runner.cost import Cost, Measured, bytes_of
from alignrec.pipeline.runner.disk import check_disk
from alignrec.pipeline.runner.run_folder import EXTRACT
from alignrec.pipeline.runner.shards import read_shard, shard_path
from alignrec.pipeline.runner.stage import Plan, Stage, StageContext, describe_sets
from alignrec.pipeline.runner.stand_ins import write_absent
from alignrec.pipeline.stages.extract.extraction import Extraction, extraction_of, load_job
from alignrec.pipeline.stages.extract.modality_job import VERSION, ModalityJob, make_job
from alignrec.pipeline.stages.extract.sample import sample, without
from alignrec.pipeline.stages.extract.shard_files import SHARDS, ShardFiles

# Beside the shards under way, for the next plan.
CHOICES = "choices.json"


class ExtractStage(Stage):
    """Embeds what is not embedded yet; a killed extraction loses at most the shards in hand."""

    name = EXTRACT
    version = VERSION
    # Those that decide vectors are part of each model's identity.
    libraries = ("numpy", "pyarrow")

    def __init__(
        self, *, may_lack: bool = False, exactly: bool = False, in_full: Collection[str] = ()
    ) -> None:
        """With `may_lack`, no item need have a usable input of a modality (see `read_catalogue`).

        With `exactly`, the config's precision is the one that runs; of modalities `in_full`, every picture is
        decoded in full (see `make_job`).
        """
        self.may_lack, self.exactly, self.in_full = may_lack, exactly, in_full

    def plan(self, context: StageContext) -> Plan:
        """Read the catalogue, identify the models, and see which shards are there.

        Raises:
            CatalogError, ConfigError, ExtractorError: what is wrong with the tables or the models.
            PluginError: there is no such engine.
        """
        config = context.config
        engine = ENGINES.find(config.engine.name).configured(config.engine)
        hashes = FileHashes() if context.rehash else FileHashes.read(context.run.cache("hashes"))
        named = config.catalog.modalities
        only = named_items(config.catalog)
        catalogue = read_catalogue(config.catalog.items, hashes, named, may_lack=self.may_lack, only=only)
        source = config.catalog.interactions
        interactions = read_interactions(source, catalogue.item_ids) if source else None
        recorded = _recorded_choices(context)
        jobs = [
            make_job(
                *(config, name, inputs, hashes.sha256, recorded),
                exactly=self.exactly,
                in_full=name in self.in_full,
            )
            for name, inputs in catalogue.inputs.items()
        ]
        work = Extraction(config, catalogue, interactions, engine, jobs, hashes)
        left = {job.name: (_left(ShardFiles.of(context, job.name), job), len(job.inputs)) for job in jobs}
        return Plan(
            work.inputs(),
            ", ".join(f"{todo} of {total} {name}s to embed" for name, (todo, total) in left.items() if todo),
            any(todo < total for todo, total in left.values()),
            details=work,
        )

    def remember(self, context: StageContext) -> None:
        """Keep the files' hashes, so that the next plan reads only those that changed."""
        extraction_of(context).hashes.write(context.run.cache("hashes"))

    def make(self, context: StageContext, target: Path) -> Mapping[str, Any]:
        """Embed what is left, and write shards, items, interactions and rejections.

        Raises:
            CatalogError: more was rejected than the config allows, or all of a modality.
            RunFolderError: the disk is too small.
        """
        work = extraction_of(context)
        for note in work.notes():
            context.console.note(note)
        totals = {
            "items": work.catalogue.rows,
            "interactions": work.interactions.rows if work.interactions else 0,
        }
        rejections = Rejections()
        rejections.extend(work.catalogue.rejections)
        if work.interactions:
            rejections.extend(work.interactions.rejections)
        check_limit(rejections, totals, work.config.extract.max_rejected)
        try:
            ready = [_get_ready(context, job) for job in work.jobs]
            check_disk(context.run.path, sum(one.bytes for one in ready) + 2**20)
            _write_choices(context, ready)
            for one in ready:
                _embed(context, one.job, one.files)
                one.files.link(one.job.shards, target / SHARDS / one.job.name)
        finally:
            work.engine.close()
        valid = {}
        for one in ready:
            late, valid[one.job.name] = _outcomes(target / SHARDS / one.job.name, one.job)
            for rejection in late:
                rejections.append(rejection)
        check_limit(rejections, totals, work.config.extract.max_rejected)
        if not self.may_lack:
            _check_usable(work, rejections, valid)
        rejections = rejections.sorted()
        _write_tables(work, rejections, target)
        return _summary(work, ready, rejections, valid)

    def shortened(self, context: StageContext) -> StageContext:
        """Of each modality a sample."""
        assert context.plan is not None
        work = extraction_of(context)
        items = work.catalogue.item_ids
        write_absent(context.run, {job.name: without(job.inputs, items) for job in work.jobs})
        jobs = [replace(job, inputs=sample(job.inputs)) for job in work.jobs]
        return replace(context, plan=replace(context.plan, details=replace(work, jobs=jobs)))

    def cost(self, rehearsal: StageContext, actual: StageContext, measured: Measured) -> Cost:
        """An input takes what one of the sample took; shards that are there already take no time."""
        bars = {bar.title: bar for bar in measured.bars}
        seconds, disk = measured.beside(*measured.bars), bytes_of(rehearsal.place)
        for job, part in zip(extraction_of(actual).jobs, extraction_of(rehearsal).jobs, strict=True):
            if part.inputs:
                left = _left(ShardFiles.of(actual, job.name), job)
                seconds += left / len(part.inputs) * bars[_title(job)].seconds
                more = len(job.inputs) / len(part.inputs) - 1
                disk += round(more * bytes_of(rehearsal.place / SHARDS / job.name))
        return Cost((seconds, seconds), measured.memory, disk)

    def describe(self, summary: Mapping[str, Any]) -> list[str]:
        """How many of each, and what was rejected."""
        lines = [
            f"extract: {summary['items']:,} items, {summary['interactions']:,} interactions; valid: "
            f"{describe_sets(summary['sets'])}"
        ]
        return lines + [f"  rejected {number:,} × {reason}" for reason, number in summary["rejected"].items()]


def _recorded_choices(context: StageContext) -> dict[str, Any]:
    """What an extraction under way chose, or else the finished one."""
    previous = context.previous
    finished = previous.summary.get("sets", {}) if previous else {}
    under_way = read_sealed_json(context.scratch / CHOICES) or {}
    return {**{name: entry.get("choice") for name, entry in finished.items()}, **under_way}


@dataclass(frozen=True)
class _Ready:
    """A job whose choice is made.

    Attributes:
        card: of its extractor.
        bytes: what is still to do takes so much on disk, roughly.
    """

    job: ModalityJob
    files: ShardFiles
    card: ExtractorCard
    bytes: int


def _get_ready(context: StageContext, job: ModalityJob) -> _Ready:
    """Load a job's model, unless all of its shards are there and an earlier run knew the model."""
    files = ShardFiles.of(context, job.name, hashes=True)
    if not _left(files, job) and (card := _earlier_card(context, job)):
        return _Ready(job, files, card, 0)
    loaded = load_job(extraction_of(context).engine, job)
    job = job.chosen(loaded)
    return _Ready(job, files, loaded.card, job.bytes_an_item(loaded) * _left(files, job))


def _earlier_card(context: StageContext, job: ModalityJob) -> ExtractorCard | None:
    """The card of the same model in the finished stage, by the name that the model has now."""
    previous = context.previous
    entry = previous.summary["sets"].get(job.name, {}) if previous else {}
    if entry.get("identity") != asdict(job.model.identity):
        return None
    return ExtractorCard(**(entry["card"] | {"name": job.model.name}))


def _write_choices(context: StageContext, ready: Sequence[_Ready]) -> None:
    """Write down what was chosen before the first shard is."""
    choices = {one.job.name: asdict(one.job.choice) for one in ready if one.job.choice}
    write_bytes(context.scratch / CHOICES, seal_json(choices))


def _left(files: ShardFiles, job: ModalityJob) -> int:
    """How many inputs of a modality are still to embed."""
    if job.choice is None:
        return len(job.inputs)
    return sum(len(shard.inputs) for shard in files.missing(job.shards))


def _embed(context: StageContext, job: ModalityJob, files: ShardFiles) -> None:
    work, console = extraction_of(context), context.console
    left, total = _left(files, job), len(job.inputs)
    if not left:
        if total:
            console.note(f"{job.name}: {total:,} of {total:,} already there")
        return
    if left < total:
        console.note(f"{job.name}: resuming, {total - left:,} of {total:,} already there")
    units = job.units(files.missing(job.shards), work.config.catalog.items, files.scratch)
    with console.progress(_title(job), left) as advance:
        timing = work.engine.run(units, workers=work.config.extract.workers, advance=advance)
    console.note(f"{job.name}: {timing.describe(left)}")


def _title(job: ModalityJob) -> str:
    """Of the bar of a job."""
    return f"extract {job.name}"


def _outcomes(folder: Path, job: ModalityJob) -> tuple[list[Rejection], int]:
    """From the shards: what models could not read, and how many items have a vector."""
    rejections, valid = [], 0
    for shard in job.shards:
        result = read_shard(shard_path(folder, shard))
        usable = zip(result.item_ids, result.reasons, strict=True)
        valid += len({item_id for item_id, reason in usable if reason is None})
        rejections += [
            Rejection("items", item.row, EXTRACT, reason, detail or "", item.item_id, modality=job.name)
            for item, reason, detail in zip(shard.inputs, result.reasons, result.details, strict=True)
            if reason is not None
        ]
    return rejections, valid


def _check_usable(work: Extraction, rejections: Rejections, valid: Mapping[str, int]) -> None:
    """Stop where a modality of the catalogue is usable for no item, whatever share may be rejected.

    Raises:
        CatalogError: names the modality and the reasons, each with its count and an example.
    """
    items, named = len(work.catalogue.item_ids), work.config.catalog.modalities
    for job in work.jobs:
        if not valid[job.name]:
            short = job.name not in named
            out = f"{config_key(job.name, short=short)}{': null' if short else ''}"
            raise CatalogError(
                f"not one of {items:,} items has a usable {job.name}:"
                f"{reasons_with_examples(rejections, job.name)}\n"
                f"Mend the catalogue (extract.max_rejected lets damage pass, but not all of a modality), or "
                f"leave the modality out: {out}"
            )


def _write_tables(work: Extraction, rejections: Rejections, folder: Path) -> None:
    write_table(rejections.table, folder / "rejected.parquet")
    write_arrow(work.catalogue.item_ids.table, folder / "items.arrow")
    if work.interactions:
        write_arrow(work.interactions.table, folder / "interactions.arrow")


def _summary(
    work: Extraction, ready: Sequence[_Ready], rejections: Rejections, valid: Mapping[str, int]
) -> dict[str, Any]:
    interactions, named = work.interactions, work.config.catalog.modalities
    return {
        "items": len(work.catalogue.item_ids),
        "interactions": interactions.table.num_rows if interactions else 0,
        "times": interactions.times if interactions else "",
        "rejected": counts(rejections),
        "template": work.catalogue.config.text,
        "modalities": {name: located.model_dump(exclude={"model"}) for name, located in named.items()},
        "sets": {
            one.job.name: {
                "dim": one.card.dim,
                "type": one.job.located.type,
                "columns": list(source_columns(one.job.located)),
                "valid": valid[one.job.name],
                "card": asdict(one.card),
                "identity": asdict(one.job.model.identity),
                "choice": asdict(one.job.choice) if one.job.choice else None,
                "shards": [shard.key for shard in one.job.shards],
            }
            for one in ready
        },
    }


STAGE = ExtractStage()
