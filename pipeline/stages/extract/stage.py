"""The extract stage: raw image and text features of a catalogue, resumable shard by shard."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import pyarrow as pa

from alignrec.core.files import digest, write_bytes
from alignrec.export.release.parquet import REJECTED_SCHEMA, write_table
from alignrec.extractors.contract import Modality
from alignrec.extractors.errors import ImageRejectedError
from alignrec.extractors.inputs.images import decode_image
from alignrec.pipeline.catalog.image_refs import Digests
from alignrec.pipeline.catalog.interactions import Interactions, read_interactions
from alignrec.pipeline.catalog.items import STAGE, Catalogue, read_catalogue
from alignrec.pipeline.catalog.rejections import Rejection, check_limit, counts
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.engines.local import Load, Timing, extract_shards
from alignrec.pipeline.runner.arrow_files import table_sha256, write_arrow
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.runner.disk import check_disk
from alignrec.pipeline.runner.manifest import MANIFEST, StageManifest, list_files
from alignrec.pipeline.runner.shards import Shard, read_shard, shard_path, write_shard
from alignrec.pipeline.runner.stage import Before, Stage, Work
from alignrec.pipeline.stages.extract.modality_job import VERSION, Side, bytes_an_item, make_side


@dataclass(frozen=True)
class ExtractPlan:
    """All that an extraction will do, known before it begins.

    Attributes:
        folder: the stage's folder.
        parts: what its fingerprint is made of.
    """

    folder: Path
    config: Config
    catalogue: Catalogue
    interactions: Interactions | None
    sides: list[Side]
    parts: dict[str, str]

    def shard_folder(self, side: Side) -> Path:
        """Where a side's shards lie."""
        return self.folder / "shards" / side.modality

    def remaining(self) -> dict[str, tuple[int, int]]:
        """For each modality, inputs still to embed, and all of them."""
        return {
            side.modality: (
                sum(len(shard.inputs) for shard in side.todo(self.shard_folder(side))),
                sum(len(shard.inputs) for shard in side.shards),
            )
            for side in self.sides
        }


def plan_extract(config: Config, *, rehash: bool = False) -> ExtractPlan:
    """Read the catalogue, load the models, and cut the work into shards.

    Args:
        config: the run.
        rehash: hash every picture again, even one whose size and time are as they were.

    Raises:
        CatalogError, ConfigError, ExtractorError: what is wrong with the tables or the models.
    """
    folder = config.run_folder / STAGE
    digests = Digests(None if rehash else _known_digests(folder))
    catalogue = read_catalogue(config.catalog.items, digests)
    if digests.seen:
        write_bytes(folder / "digests.json", json.dumps(digests.seen).encode())
    source = config.catalog.interactions
    interactions = read_interactions(source, catalogue.item_ids) if source else None
    sides = [make_side(config, cast(Modality, m), inputs) for m, inputs in catalogue.inputs.items()]
    parts = {"stage version": str(VERSION), "catalogue rows": _rows_digest(catalogue)}
    for side in sides:
        parts[f"{side.modality} model"] = digest(side.recipe)
        inputs = [[i.item_id, i.digest] for shard in side.shards for i in shard.inputs]
        parts[f"{side.modality} inputs"] = digest(inputs)
    if interactions:
        rejected = [rejection.as_row() for rejection in interactions.rejections]
        parts["interactions"] = digest([table_sha256(interactions.table), rejected])
    return ExtractPlan(folder, config, catalogue, interactions, sides, parts)


def extract(work: ExtractPlan, console: Console) -> StageManifest:
    """Do what a plan still lacks, and finish the stage.

    A killed extraction loses at most the shards in hand, and the finished files equal those of an
    uninterrupted one.

    Raises:
        CatalogError: more was rejected than the config allows.
        RunFolderError: the disk is too small.
    """
    work.folder.mkdir(parents=True, exist_ok=True)
    totals = {
        "items": work.catalogue.rows,
        "interactions": work.interactions.rows if work.interactions else 0,
    }
    early = [*work.catalogue.rejections, *(work.interactions.rejections if work.interactions else [])]
    check_limit(early, totals, work.config.extract.max_rejected)
    needed = sum(bytes_an_item(side) * work.remaining()[side.modality][0] for side in work.sides)
    check_disk(work.folder, needed + 2**20)
    for side in work.sides:
        _extract_side(work, side, console)
    rejections = [*early, *(r for side in work.sides for r in _late_rejections(work, side))]
    check_limit(rejections, totals, work.config.extract.max_rejected)
    return _finish(work, rejections)


def _extract_side(work: ExtractPlan, side: Side, console: Console) -> None:
    folder = work.shard_folder(side)
    todo, total = side.todo(folder), sum(len(shard.inputs) for shard in side.shards)
    left = sum(len(shard.inputs) for shard in todo)
    if not left:
        console.note(f"{side.modality}: {total:,} of {total:,} already there")
        return
    if left < total:
        console.note(f"{side.modality}: resuming, {total - left:,} of {total:,} already there")
    with console.progress(f"extract {side.modality}", left) as advance:
        timing = extract_shards(
            todo,
            RawInputs(work.catalogue, todo),
            side.extractor,
            lambda shard, result: write_shard(shard_path(folder, shard), result),
            batch_size=side.batch_size,
            tokens=side.tokens,
            workers=work.config.extract.workers,
            advance=advance,
        )
    console.note(f"{side.modality}: {describe(timing, left)}")


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


def _late_rejections(work: ExtractPlan, side: Side) -> list[Rejection]:
    """What the models' own preprocessing could not read, from the shards."""
    rejections = []
    for shard in side.shards:
        result = read_shard(shard_path(work.shard_folder(side), shard))
        rejections += [
            Rejection("items", item.row, STAGE, reason, detail or "", item.item_id, modality=side.modality)
            for item, reason, detail in zip(shard.inputs, result.reasons, result.details, strict=True)
            if reason is not None
        ]
    return rejections


def _finish(work: ExtractPlan, rejections: list[Rejection]) -> StageManifest:
    folder, catalogue = work.folder, work.catalogue
    rejections = sorted(rejections, key=lambda r: (r.source, r.row, r.modality or ""))
    schema = REJECTED_SCHEMA.append(pa.field("detail", pa.string()))
    write_table(
        pa.Table.from_pylist([r.as_row() for r in rejections], schema=schema), folder / "rejected.parquet"
    )
    write_arrow(pa.table({"item_id": pa.array(catalogue.item_ids, pa.string())}), folder / "items.arrow")
    made = [folder / "rejected.parquet", folder / "items.arrow"]
    if work.interactions:
        write_arrow(work.interactions.table, folder / "interactions.arrow")
        made.append(folder / "interactions.arrow")
    for side in work.sides:
        current = {shard_path(work.shard_folder(side), shard) for shard in side.shards}
        for stale in set(work.shard_folder(side).iterdir()) - current:
            stale.unlink()
        made += current
    manifest = StageManifest(STAGE, work.parts, list_files(folder, made), _summary(work, rejections))
    manifest.write(folder / MANIFEST)
    return manifest


def _summary(work: ExtractPlan, rejections: list[Rejection]) -> dict[str, Any]:
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


def _rows_digest(catalogue: Catalogue) -> str:
    return digest([catalogue.item_ids, [rejection.as_row() for rejection in catalogue.rejections]])


def _known_digests(folder: Path) -> dict[str, list[Any]]:
    try:
        loaded = json.loads((folder / "digests.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return loaded if isinstance(loaded, dict) else {}


def _work(before: Before) -> Work:
    work = plan_extract(before.config, rehash=before.rehash)
    remaining = work.remaining()
    return Work(
        work.parts,
        partial(extract, work),
        ", ".join(f"{todo} of {total} {m}s to embed" for m, (todo, total) in remaining.items() if todo),
        any(todo < total for todo, total in remaining.values()),
    )


def _tell(extracted: StageManifest) -> list[str]:
    summary = extracted.summary
    sets = ", ".join(f"{n} {e['valid']:,} × {e['dim']}" for n, e in summary["sets"].items())
    lines = [f"extract: {summary['items']:,} items, {summary['interactions']:,} interactions; valid: {sets}"]
    return lines + [f"  rejected {number:,} × {reason}" for reason, number in summary["rejected"].items()]


EXTRACT = Stage(STAGE, _work, _tell)
