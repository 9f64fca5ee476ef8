"""The results of a run: counts, coverage, models, and what could not be used."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alignrec.core.features import FeatureSet
from alignrec.core.vocabulary import feature_set
from alignrec.extractors.names import public_name
from alignrec.pipeline.report.gallery import Entry, clip, readable

EXAMPLES = 6
POPULARITY = ((0, 0), (1, 1), (2, 4), (5, 9), (10, 19), (20, 49), (50, 99), (100, 199), (200, None))


@dataclass(frozen=True)
class SetRow:
    """A feature set in the table of sets."""

    name: str
    explained: str
    dim: int
    valid: int
    share: float
    model: str


@dataclass(frozen=True)
class Rejected:
    """Inputs that were rejected for one reason.

    Attributes:
        examples: of each a title, a picture ("" where there is none to show) and the detail.
    """

    what: str
    reason: str
    count: int
    examples: list[tuple[str, str, str]]


def set_rows(sets: Mapping[str, FeatureSet], models: Mapping[str, Mapping[str, Any]]) -> list[SetRow]:
    """A row for each feature set."""
    return [
        SetRow(
            name,
            feature_set(name, str(models.get(name, {}).get("modality", ""))).report,
            features.dim,
            int(features.valid.sum()),
            round(100 * float(features.valid.mean()), 1),
            public_name(str(models.get(name, {}).get("name", ""))),
        )
        for name, features in sets.items()
    ]


def popularity(interactions: NDArray[np.int64]) -> list[tuple[str, int, float]]:
    """How many items have how many interactions: label, items, percent of the fullest group."""
    rows = []
    for low, high in POPULARITY:
        inside = (interactions >= low) & (interactions <= (high if high is not None else np.inf))
        label = str(low) if low == high else f"{low} or more" if high is None else f"{low} – {high}"
        rows.append((label, int(inside.sum())))
    fullest = max(count for _, count in rows) or 1
    filled = [number for number, (_, count) in enumerate(rows) if count]
    rows = rows[filled[0] : filled[-1] + 1] if filled else []
    return [(label, count, round(100 * count / fullest, 2)) for label, count in rows]


def rejection_examples(rejected: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The first few rejections of each kind: what a page has room for."""
    seen: Counter[tuple[str, ...]] = Counter()
    chosen = []
    for row in rejected:
        seen[_kind(row)] += 1
        if seen[_kind(row)] <= EXAMPLES:
            chosen.append(row)
    return chosen


def rejections(
    rejected: Sequence[Mapping[str, Any]], entries: Mapping[int, Entry], pictures: Mapping[int, str]
) -> list[Rejected]:
    """Rejections by kind, most first.

    Args:
        rejected: rows of `rejected.parquet`.
        entries: the items table's rows among the examples, by number.
        pictures: likewise their thumbnails.
    """
    count = Counter(_kind(row) for row in rejected)
    examples: dict[tuple[str, ...], list[tuple[str, str, str]]] = defaultdict(list)
    for row in rejection_examples(rejected):
        is_item = row["source"] == "items"
        entry = entries.get(row["row"]) if is_item else None
        title = entry.title if entry else readable(row["item_id"]) or f"row {row['row']}"
        picture = pictures.get(row["row"], "") if is_item else ""
        examples[_kind(row)].append((clip(title, 80), picture, clip(readable(row["detail"]), 200)))
    kinds = sorted(count, key=lambda kind: (-count[kind], kind))
    return [
        Rejected(f"{modality or 'row'} of {source}", reason, count[source, modality, reason], examples[kind])
        for kind in kinds
        for source, modality, reason in [kind]
    ]


def _kind(row: Mapping[str, Any]) -> tuple[str, ...]:
    return row["source"], row["modality"] or "", row["reason"]
