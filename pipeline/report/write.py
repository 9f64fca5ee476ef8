"""Write the report of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alignrec.core.files import write_bytes
from alignrec.core.recommendation import recommendations
from alignrec.core.vocabulary import TRAINED_SETS
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.report.colouring import Colouring, by_care, group_values
from alignrec.pipeline.report.contents import RunContents, read_contents
from alignrec.pipeline.report.gallery import Entries, Entry, choose, clip, read_entries, readable
from alignrec.pipeline.report.kept_checks import kept_checks
from alignrec.pipeline.report.neighbours_map import NeighboursMap, map_neighbours
from alignrec.pipeline.report.overview import popularity, rejection_examples, rejections, set_rows
from alignrec.pipeline.report.page import embedded_json, render
from alignrec.pipeline.report.panels import panels, training
from alignrec.pipeline.report.players import players
from alignrec.pipeline.report.quality import MOST_OF_ONE, MOST_ROWS, table_rows
from alignrec.pipeline.report.thumbnails import thumbnails
from alignrec.pipeline.report.verdict import plain_words, verdicts
from alignrec.pipeline.runner.manifest import MANIFEST
from alignrec.pipeline.runner.run_folder import SPLIT, RunFolder
from alignrec.pipeline.runner.split_log import learned_from

# The page without its own few kilobytes of script, style and tables.
MOST_BYTES = 14 * 10**6
# Of which sounds take at most so much.
MOST_SOUND = 4 * 10**6
# Columns of the items table that the page shows of a picked item, and how long their values may be.
MAX_DETAILS, LONGEST_DETAIL, LONGEST_NAME = 6, 80, 40


def write_report(config: Config, run_folder: RunFolder, path: Path) -> dict[str, Any]:
    """Write the report of a run: one file, of the same bytes for the same run.

    Sections on the evaluation and the training appear once these stages are finished.

    Args:
        config: of the run.
        run_folder: what the run left.
        path: where the page goes, whole or not at all.

    Returns:
        How much each check of the catalogue's quality found: by modality, or two kinds of content, how many
        findings of how many items.

    Raises:
        RunFolderError: extraction is not finished, or a stage's curves cannot be read.
        ResultsError: the evaluation's numbers cannot be read.
        CatalogError: the items table is not there any more.
    """
    run = read_contents(run_folder)
    checks = kept_checks(run_folder, run, config.seed)
    chosen = choose(run.item_ids, run.interactions, sorted(set().union(*(check.named for check in checks))))
    examples = [row["row"] for row in rejection_examples(run.rejected) if row["source"] == "items"]
    catalog = config.catalog
    tables = {check.key: table_rows(check) for check in checks}
    rows = list(dict.fromkeys([*chosen.tolist(), *(row.item for table in tables.values() for row in table)]))
    ids = [run.item_ids[row] for row in rows]
    read = read_entries(catalog.items, ids, examples, catalog.modalities)
    titles = {row: entry.title for row, entry in zip(rows, read.items, strict=True)}
    entries = replace(read, items=read.items[: len(chosen)])
    data = _data(run, chosen, entries, config.seed)
    sources = [entry.picture for entry in [*entries.items, *entries.rows.values()]]
    sounds = players([entry.sound for entry in entries.items], MOST_SOUND)
    for item, sound in zip(data["items"], sounds, strict=True):
        if sound:
            item["sound"] = sound
    pictures = thumbnails(sources, MOST_BYTES - len(embedded_json(data).encode()))
    for item, picture in zip(data["items"], pictures, strict=False):
        item["picture"] = picture
    rejected_pictures = dict(zip(entries.rows, pictures[len(chosen) :], strict=True))
    context = _context(run) | {
        "name": config.name,
        "rejections": rejections(run.rejected, entries.rows, rejected_pictures),
        "gallery_size": len(chosen),
        "checks": checks,
        "most_of_one": MOST_OF_ONE,
        "most_rows": MOST_ROWS,
        "tables": tables,
        "places": {row: place for place, row in enumerate(chosen.tolist())},
        "titles": titles,
        "learned": _learned(config, run_folder, run),
        "plain_words": plain_words(run.results, _looked_for(config)),
    }
    write_bytes(path, render(context, data).encode())
    return {check.key: check.counts for check in checks}


def _context(run: RunContents) -> dict[str, Any]:
    """The values of the template that concern the run as a whole."""
    return {
        "run": run,
        "sets": set_rows(run.sets, run.models),
        "popularity": popularity(run.interactions) if run.interactions is not None else [],
        "verdicts": verdicts(run.results),
        "recommendations": recommendations(run.results, run.pooled),
        "panels": panels(run.results),
        "pooled": panels(run.pooled, ", several splits together"),
        "splits": run.pooled.splits,
        "definitions": _definitions(run.results.definitions),
        "training": training(run.curves),
        # Of a full evaluation alone.
        "forms": run.results.alignment.forms if run.results.alignment else {},
    }


def _looked_for(config: Config) -> str:
    """What people did with the things that test looks for."""
    source, method = config.catalog.interactions, config.split.method
    did = "liked" if source and source.min_rating is not None else "chose"
    timed = method == "temporal" or (method == "leave-one-out" and source and source.timestamp)
    return f"people {did} later" if timed else f"people {did}, and training did not know of,"


def _learned(config: Config, run_folder: RunFolder, run: RunContents) -> str:
    """Which sets have learned from which interactions, in a sentence; "" where none has."""
    names = [name for name in run.sets if name in TRAINED_SETS]
    if not names or run_folder.read_manifest(f"{SPLIT}/{MANIFEST}") is None:
        return ""
    seen = learned_from(run_folder, config.split, config.seed)
    sentence = f"{', '.join(names)} learned from {seen}. Measure them on other interactions alone."
    if config.export.all_interactions:
        sentence += " The release has sets of these names that learned from all interactions, for serving."
    return sentence


def _data(run: RunContents, chosen: NDArray[np.int64], entries: Entries, seed: int) -> dict[str, Any]:
    """What the script shows, item by item; pictures and sounds are added later."""
    maps = {name: map_neighbours(f.matrix[chosen], f.valid[chosen], seed) for name, f in run.sets.items()}
    return {
        "items": [_item(entry) for entry in entries.items],
        "details": [clip(readable(name), LONGEST_NAME) for name in entries.columns[:MAX_DETAILS]],
        "colourings": [asdict(colouring) for colouring in _colourings(run, chosen, entries)],
        "sets": [_set(name, neighbours) for name, neighbours in maps.items()],
    }


def _colourings(run: RunContents, chosen: NDArray[np.int64], entries: Entries) -> list[Colouring]:
    """Columns to colour the map by: the table's own and what the run knows, by how much users care."""
    columns: dict[str, Sequence[Any]] = {
        column: [entry.values.get(column) for entry in entries.items] for column in entries.columns
    }
    if run.interactions is not None:
        columns["interactions"] = run.interactions[chosen].tolist()
    for name, features in run.sets.items():
        if features.origin is not None:
            columns[f"origin of {name}"] = [features.origin[row] for row in chosen]
    colourings = [group_values(name, values) for name, values in columns.items()]
    found = [colouring for colouring in colourings if colouring]
    return found if run.histories is None else by_care(found, run.histories[:, chosen])


def _item(entry: Entry) -> dict[str, Any]:
    details = [readable(value) for value in list(entry.values.values())[:MAX_DETAILS]]
    return {
        "id": clip(readable(entry.item_id), LONGEST_DETAIL),
        "title": entry.title,
        "text": entry.text,
        "picture": "",
        "details": [value if len(value) <= LONGEST_DETAIL else "" for value in details],
    }


def _set(name: str, neighbours: NeighboursMap) -> dict[str, Any]:
    return {
        "name": name,
        "neighbours": neighbours.neighbours,
        "cosines": [[round(100 * cosine) for cosine in row] for row in neighbours.cosines],
        "places": neighbours.places.tolist(),
    }


def _definitions(definitions: Mapping[str, object]) -> list[tuple[str, str]]:
    return [(name, clip(str(value), 400)) for name, value in sorted(definitions.items())]
