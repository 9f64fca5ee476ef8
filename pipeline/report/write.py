"""Write the report of a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alignrec.export.atomic import write_bytes
from alignrec.pipeline.config import Config

from .evidence import panels, training
from .fields import ColourField, colour_field
from .likeness import NEIGHBOURS, Likeness, likeness
from .made import examples_of, popularity, rejections, set_rows
from .metrics import estimates
from .page import render
from .run_folder import RunFolder, read_run_folder
from .shown import Entries, Entry, choose, clip, read_entries, readable
from .thumbnails import thumbnails
from .verdict import verdicts

NAME = "report.html"
# Columns of the items table that the page shows of a picked item, and how long their values may be.
MAX_DETAILS, LONGEST_DETAIL = 6, 80


def write_report(config: Config) -> Path:
    """Write `report.html` into the run folder: one file, of the same bytes for the same run.

    It shows what is there: sections on the evaluation and the training appear with their stages.

    Returns:
        The file.

    Raises:
        RunFolderError: extraction is not finished, or a stage's numbers cannot be read.
        CatalogError: the items table is not there any more.
    """
    run = read_run_folder(config)
    shown = choose(run.item_ids, run.interactions)
    examples = [row["row"] for row in examples_of(run.rejected) if row["source"] == "items"]
    entries = read_entries(config.catalog.items, [run.item_ids[row] for row in shown], examples)
    sources = [entry.picture for entry in [*entries.items, *entries.rows.values()]]
    pictures, side = thumbnails(sources)
    rejected_pictures = dict(zip(entries.rows, pictures[len(shown) :], strict=True))
    pictures = pictures[: len(shown)]
    fields = _fields(run, shown, entries)
    alike = {
        name: likeness(features.matrix[shown], features.valid[shown], config.seed)
        for name, features in run.sets.items()
    }
    found = estimates(run.metrics.records)
    context = {
        "name": config.name,
        "run": run,
        "sets": set_rows(run.sets, run.models),
        "popularity": popularity(run.interactions) if run.interactions is not None else [],
        "rejections": rejections(run.rejected, entries.rows, rejected_pictures),
        "verdicts": verdicts(found),
        "panels": panels(found),
        "definitions": _definitions(run.metrics.definitions),
        "training": training(run.curves),
        "shown": len(shown),
        "pictured": sum(map(bool, pictures)),
        "side": side,
        "neighbours": NEIGHBOURS,
    }
    data = {
        "items": [_item(entry, picture) for entry, picture in zip(entries.items, pictures, strict=True)],
        "details": entries.columns[:MAX_DETAILS],
        "fields": [{"name": f.name, "labels": f.labels, "codes": f.codes, "ordered": f.ordered} for f in fields],
        "sets": [_set(name, seen) for name, seen in alike.items()],
    }
    path = config.run_folder / NAME
    write_bytes(path, render(context, data).encode())
    return path


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


def _item(entry: Entry, picture: str) -> dict[str, Any]:
    details = [readable(value) for value in list(entry.values.values())[:MAX_DETAILS]]
    return {
        "id": clip(readable(entry.item_id), LONGEST_DETAIL),
        "title": entry.title,
        "text": entry.text,
        "picture": picture,
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
