"""Write the report of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alignrec.core.files import write_bytes
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.report.colouring import ColourField, colour_field
from alignrec.pipeline.report.contents import RunFolder, fingerprint, read_run_folder
from alignrec.pipeline.report.gallery import Entries, Entry, choose, clip, read_entries, readable
from alignrec.pipeline.report.metrics import estimates
from alignrec.pipeline.report.neighbours_map import Likeness, likeness
from alignrec.pipeline.report.overview import examples_of, popularity, rejections, set_rows
from alignrec.pipeline.report.page import embedded_json, render
from alignrec.pipeline.report.panels import panels, training
from alignrec.pipeline.report.thumbnails import thumbnails
from alignrec.pipeline.report.verdict import verdicts

NAME = "report.html"
# The page without its own few kilobytes of script, style and tables; and where its first lines end.
MOST_BYTES, HEAD = 14 * 10**6, 2000
# Columns of the items table that the page shows of a picked item, and how long their values may be.
MAX_DETAILS, LONGEST_DETAIL, LONGEST_NAME = 6, 80, 40


def write_report(config: Config, *, unless_current: bool = False) -> Path:
    """Write `report.html` into the run folder: one file, of the same bytes for the same run.

    It shows what is there: sections on the evaluation and the training appear with their stages.

    Args:
        config: the run.
        unless_current: leave a report alone that shows this very run already.

    Returns:
        The file.

    Raises:
        RunFolderError: extraction is not finished, or a stage's numbers cannot be read.
        CatalogError: the items table is not there any more.
    """
    path, mark = config.run_folder / NAME, fingerprint(config)
    if unless_current and path.is_file() and mark in path.read_bytes()[:HEAD].decode(errors="replace"):
        return path
    run = read_run_folder(config)
    shown = choose(run.item_ids, run.interactions)
    examples = [row["row"] for row in examples_of(run.rejected) if row["source"] == "items"]
    entries = read_entries(config.catalog.items, [run.item_ids[row] for row in shown], examples)
    data = _data(run, shown, entries, config.seed)
    sources = [entry.picture for entry in [*entries.items, *entries.rows.values()]]
    pictures = thumbnails(sources, MOST_BYTES - len(embedded_json(data).encode()))
    for item, picture in zip(data["items"], pictures, strict=False):
        item["picture"] = picture
    rejected_pictures = dict(zip(entries.rows, pictures[len(shown) :], strict=True))
    context = _context(run) | {
        "name": config.name,
        "fingerprint": mark,
        "rejections": rejections(run.rejected, entries.rows, rejected_pictures),
        "shown": len(shown),
    }
    write_bytes(path, render(context, data).encode())
    return path


def _context(run: RunFolder) -> dict[str, Any]:
    """What the template shows of the run as a whole."""
    found = estimates(run.metrics.records)
    return {
        "run": run,
        "sets": set_rows(run.sets, run.models),
        "popularity": popularity(run.interactions) if run.interactions is not None else [],
        "verdicts": verdicts(found),
        "panels": panels(found),
        "definitions": _definitions(run.metrics.definitions),
        "training": training(run.curves),
    }


def _data(run: RunFolder, shown: NDArray[np.int64], entries: Entries, seed: int) -> dict[str, Any]:
    """What the script shows, item by item; pictures are added later."""
    alike = {name: likeness(f.matrix[shown], f.valid[shown], seed) for name, f in run.sets.items()}
    return {
        "items": [_item(entry) for entry in entries.items],
        "details": [clip(readable(name), LONGEST_NAME) for name in entries.columns[:MAX_DETAILS]],
        "fields": [asdict(field) for field in _fields(run, shown, entries)],
        "sets": [_set(name, seen) for name, seen in alike.items()],
    }


def _fields(run: RunFolder, shown: NDArray[np.int64], entries: Entries) -> list[ColourField]:
    """Columns to colour the map by: the table's own, then what the run knows."""
    columns: dict[str, Sequence[Any]] = {
        column: [entry.values.get(column) for entry in entries.items] for column in entries.columns
    }
    if run.interactions is not None:
        columns["interactions"] = run.interactions[shown].tolist()
    for name, features in run.sets.items():
        if features.origin is not None:
            columns[f"origin of {name}"] = [features.origin[row] for row in shown]
    fields = [colour_field(name, values) for name, values in columns.items()]
    return [field for field in fields if field]


def _item(entry: Entry) -> dict[str, Any]:
    details = [readable(value) for value in list(entry.values.values())[:MAX_DETAILS]]
    return {
        "id": clip(readable(entry.item_id), LONGEST_DETAIL),
        "title": entry.title,
        "text": entry.text,
        "picture": "",
        "details": [value if len(value) <= LONGEST_DETAIL else "" for value in details],
    }


def _set(name: str, seen: Likeness) -> dict[str, Any]:
    return {
        "name": name,
        "neighbours": seen.neighbours,
        "cosines": [[round(100 * cosine) for cosine in row] for row in seen.cosines],
        "places": seen.places.tolist(),
    }


def _definitions(definitions: dict[str, object]) -> list[tuple[str, str]]:
    return [(name, clip(str(value), 400)) for name, value in sorted(definitions.items())]
