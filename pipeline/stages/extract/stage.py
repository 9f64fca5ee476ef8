"""The extract stage: raw features of every modality of a catalogue, resumable shard by shard."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import pyarrow as pa

from alignrec.core.files import write_bytes
from alignrec.export.release.parquet import REJECTED_SCHEMA, write_table
from alignrec.extractors.contract import Modality
from alignrec.extractors.errors import ImageRejectedError
from alignrec.extractors.inputs.images import decode_image
from alignrec.pipeline.catalog.image_refs import Digests
from alignrec.pipeline.catalog.interactions import Interactions, read_interactions
from alignrec.pipeline.catalog.items import Catalogue, read_catalogue
from alignrec.pipeline.catalog.rejections import Rejection, check_limit, counts
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.engines.local import Load, Timing, extract_shards
from alignrec.pipeline.runner.arrow_files import table_sha256, write_arrow
from alignrec.pipeline.runner.disk import check_disk
from alignrec.pipeline.runner.run_folder import EXTRACT
from alignrec.pipeline.runner.shards import Shard, read_shard, shard_path, write_shard
from alignrec.pipeline.runner.stage import Plan, Stage, StageContext, describe_sets
from alignrec.pipeline.stages.extract.modality_job import Side, bytes_an_item, make_side

SHARDS = "shards"


@dataclass(frozen=True)
class Extraction:
    """All that an extraction will do, known before it begins.

    Attributes:
        sides: the modalities' work.
        digests: the pictures' hashes, for the next plan.
    """

    config: Config
    catalogue: Catalogue
    interactions: Interactions | None
    sides: list[Side]
    digests: Digests

    def inputs(self) -> dict[str, Any]:
        """What decides the results."""
        inputs: dict[str, Any] = {
            "catalogue rows": [self.catalogue.item_ids, [r.as_row() for r in self.catalogue.rejections]]
        }
        for side in self.sides:
            inputs[f"{side.modality} model"] = side.recipe
            inputs[f"{side.modality} inputs"] = [[i.item_id, i.digest] for s in side.shards for i in s.inputs]
        if self.interactions:
            rejected = [rejection.as_row() for rejection in self.interactions.rejections]
            inputs["interactions"] = [table_sha256(self.interactions.table), rejected]
        return inputs


@dataclass(frozen=True)
class ShardFiles:
    """Where a modality's finished shards are: in the scratch folder, or in what an earlier run left.

    Attributes:
        scratch: where new ones are written.
        earlier: where those of the finished stage lie.
        damaged: files of the finished stage that are not what it wrote, by name.
    """

    scratch: Path
    earlier: Path
    damaged: frozenset[str]

    @classmethod
    def of(cls, context: StageContext, modality: str, *, hashes: bool = False) -> ShardFiles:
        """The files of a modality; with `hashes`, earlier ones are read and compared with their manifest."""
        place, previous = f"{SHARDS}/{modality}", context.previous
        damaged: list[str] = []
        if previous is not None:
            own = {name: entry for name, entry in previous.files.items() if name.startswith(f"{place}/")}
            damaged = replace(previous, files=own).damaged(context.run.folder(EXTRACT), hashes=hashes)
        names = frozenset(name.rpartition("/")[2] for name in damaged)
        return cls(context.scratch / place, context.run.folder(EXTRACT) / place, names)

    def find(self, shard: Shard) -> Path | None:
        """A shard's file; None where it is not there yet, or damaged."""
        fresh, earlier = (shard_path(folder, shard) for folder in (self.scratch, self.earlier))
        if fresh.is_file():
            return fresh
        return earlier if earlier.is_file() and earlier.name not in self.damaged else None

    def missing(self, shards: Sequence[Shard]) -> list[Shard]:
        """The shards that are still to do."""
        return [shard for shard in shards if self.find(shard) is None]


class ExtractStage(Stage):
    """Embeds what is not embedded yet; a killed extraction loses at most the shards in hand."""

    name = EXTRACT
    version = 2
    libraries = ("numpy", "pillow", "pyarrow", "torch", "transformers")

    def plan(self, context: StageContext) -> Plan:
        """Read the catalogue, load the models, and cut the work into shards.

        Raises:
            CatalogError, ConfigError, ExtractorError: what is wrong with the tables or the models.
        """
        config = context.config
        digests = Digests(None if context.rehash else _known_digests(context.run.cache("digests")))
        catalogue = read_catalogue(config.catalog.items, digests)
        source = config.catalog.interactions
        interactions = read_interactions(source, catalogue.item_ids) if source else None
        sides = [make_side(config, cast(Modality, m), inputs) for m, inputs in catalogue.inputs.items()]
        work = Extraction(config, catalogue, interactions, sides, digests)
        left = {side.modality: _left(ShardFiles.of(context, side.modality), side) for side in sides}
        return Plan(
            work.inputs(),
            ", ".join(f"{todo} of {total} {m}s to embed" for m, (todo, total) in left.items() if todo),
            any(todo < total for todo, total in left.values()),
            details=work,
        )

    def remember(self, context: StageContext) -> None:
        """Keep the pictures' hashes, so that the next plan reads only those that changed."""
        work = _work(context)
        if work.digests.seen:
            write_bytes(context.run.cache("digests"), json.dumps(work.digests.seen).encode())

    def make(self, context: StageContext, target: Path) -> Mapping[str, Any]:
        """Embed what is left, and write shards, items, interactions and rejections.

        Raises:
            CatalogError: more was rejected than the config allows.
            RunFolderError: the disk is too small.
        """
        work = _work(context)
        totals = {
            "items": work.catalogue.rows,
            "interactions": work.interactions.rows if work.interactions else 0,
        }
        early = [*work.catalogue.rejections, *(work.interactions.rejections if work.interactions else [])]
        check_limit(early, totals, work.config.extract.max_rejected)
        files = [ShardFiles.of(context, side.modality, hashes=True) for side in work.sides]
        needed = sum(bytes_an_item(s) * _left(f, s)[0] for s, f in zip(work.sides, files, strict=True))
        check_disk(context.run.path, needed + 2**20)
        for side, there in zip(work.sides, files, strict=True):
            _extract_side(context, side, there)
            _link_shards(there, side.shards, target / SHARDS / side.modality)
        late = [r for side in work.sides for r in _late_rejections(target / SHARDS / side.modality, side)]
        check_limit([*early, *late], totals, work.config.extract.max_rejected)
        rejections = sorted([*early, *late], key=lambda r: (r.source, r.row, r.modality or ""))
        _write_tables(work, rejections, target)
        return _summary(work, rejections)

    def describe(self, summary: Mapping[str, Any]) -> list[str]:
        """How many of each, and what was rejected."""
        lines = [
            f"extract: {summary['items']:,} items, {summary['interactions']:,} interactions; valid: "
            f"{describe_sets(summary['sets'])}"
        ]
        return lines + [f"  rejected {number:,} × {reason}" for reason, number in summary["rejected"].items()]


def _work(context: StageContext) -> Extraction:
    assert context.plan is not None
    work: Extraction = context.plan.details
    return work


def _left(files: ShardFiles, side: Side) -> tuple[int, int]:
    """A modality's inputs still to embed, and all of them."""
    missing = files.missing(side.shards)
    return sum(len(shard.inputs) for shard in missing), sum(len(shard.inputs) for shard in side.shards)


def _extract_side(context: StageContext, side: Side, files: ShardFiles) -> None:
    work, console = _work(context), context.console
    left, total = _left(files, side)
    if not left:
        console.note(f"{side.modality}: {total:,} of {total:,} already there")
        return
    if left < total:
        console.note(f"{side.modality}: resuming, {total - left:,} of {total:,} already there")
    todo = files.missing(side.shards)
    with console.progress(f"extract {side.modality}", left) as advance:
        timing = extract_shards(
            todo,
            RawInputs(work.catalogue, todo),
            side.extractor,
            lambda shard, result: write_shard(shard_path(files.scratch, shard), result),
            batch_size=side.batch_size,
            tokens=side.tokens,
            workers=work.config.extract.workers,
            advance=advance,
        )
    console.note(f"{side.modality}: {describe(timing, left)}")


def _link_shards(files: ShardFiles, shards: Sequence[Shard], target: Path) -> None:
    """Put all shards into the stage's folder; the files stay where they are until the stage is done."""
    target.mkdir(parents=True)
    for shard in shards:
        source = files.find(shard)
        assert source is not None
        try:
            os.link(source, target / source.name)
        except OSError:  # a disk that knows no links
            shutil.copyfile(source, target / source.name)


def describe(timing: Timing, items: int) -> str:
    """One line that tells where the time of an extraction went."""
    return (
        f"{items:,} in {timing.wall:.1f} s ({items / timing.wall:.0f}/s): reading {timing.reading:.1f} s, "
        f"computing {timing.computing:.1f} s, writing {timing.writing:.1f} s, "
        f"waited for input {timing.no_input:.1f} s; the bottleneck is {timing.bottleneck}"
    )


class RawInputs:
    """Gives raw pictures and texts, shard after shard; embedded pictures are read in one pass."""

    def __init__(self, catalogue: Catalogue, shards: list[Shard]) -> None:
        """Open what the shards need; they must then be asked for in this order."""
        rows = [item.row for shard in shards for item in shard.inputs if item.value is None]
        self._embedded = catalogue.embedded(rows[0], rows[-1] + 1) if rows else iter(())

    def __call__(self, shard: Shard) -> Iterable[Load]:
        """For each input of a shard, a call that gives its raw picture or text; shards in their order."""
        for item in shard.inputs:
            if item.value is None:
                yield partial(decode_image, next(data for row, data in self._embedded if row == item.row))
            elif isinstance(item.value, Path):
                yield partial(_decode_file, item.value)
            else:
                yield partial(str, item.value)


def _decode_file(path: Path) -> Any:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ImageRejectedError("unreadable", f"{path.name}: {error.strerror}") from None
    return decode_image(data)


def _late_rejections(folder: Path, side: Side) -> list[Rejection]:
    """What the models' own preprocessing could not read, from the shards."""
    rejections = []
    for shard in side.shards:
        result = read_shard(shard_path(folder, shard))
        rejections += [
            Rejection("items", item.row, EXTRACT, reason, detail or "", item.item_id, modality=side.modality)
            for item, reason, detail in zip(shard.inputs, result.reasons, result.details, strict=True)
            if reason is not None
        ]
    return rejections


def _write_tables(work: Extraction, rejections: list[Rejection], folder: Path) -> None:
    schema = REJECTED_SCHEMA.append(pa.field("detail", pa.string()))
    write_table(
        pa.Table.from_pylist([r.as_row() for r in rejections], schema=schema), folder / "rejected.parquet"
    )
    items = pa.table({"item_id": pa.array(work.catalogue.item_ids, pa.string())})
    write_arrow(items, folder / "items.arrow")
    if work.interactions:
        write_arrow(work.interactions.table, folder / "interactions.arrow")


def _summary(work: Extraction, rejections: list[Rejection]) -> dict[str, Any]:
    rejected = {
        m: sum(r.modality == m and r.source == "items" for r in rejections) for m in ("image", "text")
    }
    return {
        "items": len(work.catalogue.item_ids),
        "interactions": work.interactions.table.num_rows if work.interactions else 0,
        "rejected": counts(rejections),
        "template": work.catalogue.config.text,
        "sets": {
            side.modality: {
                "dim": side.extractor.card.dim,
                "valid": len(work.catalogue.item_ids) - rejected[side.modality],
                "card": asdict(side.extractor.card),
                "precision": side.recipe["precision"],
                "shards": [shard.key for shard in side.shards],
            }
            for side in work.sides
        },
    }


def _known_digests(path: Path) -> dict[str, list[Any]]:
    try:
        loaded = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return loaded if isinstance(loaded, dict) else {}


STAGE = ExtractStage()
