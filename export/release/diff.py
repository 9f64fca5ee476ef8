"""What changed between two releases: items, vectors, neighbourhoods and metrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alignrec.core.features import FeatureSet
from alignrec.core.metrics import MAIN_METRICS
from alignrec.core.protocols import PROTOCOLS
from alignrec.core.results import METRICS_FILE, QUANTITY, Results
from alignrec.core.vectors import unit_rows
from alignrec.core.vocabulary import FEATURE_SETS
from alignrec.export.release.opened import Release

# Neighbours compared, and the items whose neighbours are; more would only sharpen the mean.
NEIGHBOURS = 10
SAMPLE = 1000
# A cosine nearer to 1 than this is rounding.
SAME = 1e-6
# Numbers nearer than this look the same where they are shown.
SHOWN = 5e-5


@dataclass(frozen=True)
class SetDiff:
    """One feature set in both releases.

    Attributes:
        name: the set.
        dims: its dimensions in each.
        added: ids that only the second has a valid vector for.
        removed: ids that only the first has a valid vector for.
        changed: ids valid in both whose vectors differ in more than rounding.
        same: how many ids are valid in both and do not differ.
        cosine: mean, 5% quantile and least cosine between an item's two vectors; None where dimensions
            differ or no item is in both.
        neighbours: mean share of an item's ten nearest, among items in both, that are the same; over at
            most a thousand items.
    """

    name: str
    dims: tuple[int, int]
    added: list[str]
    removed: list[str]
    changed: list[str]
    same: int
    cosine: dict[str, float] | None
    neighbours: float | None

    @property
    def differs(self) -> bool:
        """Whether anything of it does."""
        return bool(self.added or self.removed or self.changed) or self.dims[0] != self.dims[1]


@dataclass(frozen=True)
class ReleaseDiff:
    """Two releases side by side.

    Attributes:
        first, second: which they are.
        equal: whether their content is the same to the byte.
        only_first, only_second: sets that one of them lacks.
        sets: those that both have.
        metrics: each number that either has, with both values; None where one lacks it.
    """

    first: str
    second: str
    equal: bool
    only_first: list[str]
    only_second: list[str]
    sets: list[SetDiff]
    metrics: list[dict[str, Any]]

    @property
    def changed_metrics(self) -> list[dict[str, Any]]:
        """The numbers that differ, or that only one has; the largest changes first."""

        def change(record: dict[str, Any]) -> float:
            first, second = record["first"], record["second"]
            return float("inf") if first is None or second is None else abs(second - first)

        return sorted((one for one in self.metrics if change(one) >= SHOWN), key=change, reverse=True)

    @property
    def headline(self) -> list[str]:
        """What changed, in sentences, weightiest first."""
        if self.equal:
            sentences = ["The same content, to the byte."]
        else:
            lacking = ((self.only_first, "A"), (self.only_second, "B"))
            sentences = [
                f"Only {which} has the sets {', '.join(names)}." for names, which in lacking if names
            ]
            sentences += _sentences_on_vectors(self.sets)
        return sentences + _sentences_on_metrics(self.metrics)

    def to_json(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {"headline": self.headline, **asdict(self)}


def diff_releases(first: Release, second: Release) -> ReleaseDiff:
    """Compare two releases.

    Raises:
        VerificationError: a file is not what its manifest says.
        HubError: a file cannot be had.
        ResultsError: the metrics of one are not what an evaluation writes.
    """
    ours, theirs = first.manifest.sets, second.manifest.sets
    return ReleaseDiff(
        first.where,
        second.where,
        first.manifest.release_id == second.manifest.release_id,
        [name for name in ours if name not in theirs],
        [name for name in theirs if name not in ours],
        [diff_sets(first.load(name), second.load(name)) for name in ours if name in theirs],
        _diff_results(_results(first), _results(second)),
    )


def _sentences_on_vectors(sets: Sequence[SetDiff]) -> list[str]:
    """How many items came, went or have other vectors, in any set; and which sets are as they were."""
    counts = {
        "came": {i for one in sets for i in one.added},
        "went": {i for one in sets for i in one.removed},
        "have other vectors": {i for one in sets for i in one.changed},
    }
    different = [one.name for one in sets if one.differs]
    same = [one.name for one in sets if not one.differs]
    if not different:
        return ["No vector is another."] if sets else []
    found = ", ".join(f"{len(ids):,} {what}" for what, ids in counts.items() if ids)
    found = f"Of the items {found}" if found else "Dimensions differ"
    unchanged = f"; {', '.join(same)} as before" if same else ""
    return [f"{found}, in {', '.join(different)}{unchanged}."]


def _sentences_on_metrics(metrics: Sequence[dict[str, Any]]) -> list[str]:
    """What became of the main metric of the best set on test, under the first protocol that both measured."""
    for protocol in PROTOCOLS:
        for subject in reversed(FEATURE_SETS):
            found = [
                one
                for one in metrics
                if (one["protocol"], one["subject"], one["against"]) == (protocol, subject, None)
                and (one["metric"], one["split"], one["share"]) == (MAIN_METRICS[0], "test", None)
                and None not in (one["first"], one["second"])
            ]
            if found:
                one = max(found, key=lambda one: one["k"] or 0)
                first, second = one["first"], one["second"]
                return [
                    f"{one['metric']}@{one['k']} of {subject} on test, {protocol}: "
                    f"{first:.4f} → {second:.4f} ({second - first:+.4f})."
                ]
    return []


def diff_sets(first: FeatureSet, second: FeatureSet) -> SetDiff:
    """Compare the same set of two releases."""
    ours = [i for i, valid in zip(first.ids, first.valid, strict=True) if valid]
    theirs = {i for i, valid in zip(second.ids, second.valid, strict=True) if valid}
    both = [i for i in ours if i in theirs]
    known = set(ours)
    a, b = (unit_rows(features.align_to(both)[0]) for features in (first, second))
    changed, cosine = both, None
    if first.dim == second.dim and both:
        cosines = np.einsum("nd,nd->n", a, b)
        apart = (cosines < 1 - SAME) | ~_same_length(first, second, both)
        changed = [both[int(row)] for row in np.flatnonzero(apart)]
        cosine = {
            "mean": float(cosines.mean()),
            "quantile_05": float(np.quantile(cosines, 0.05)),
            "least": float(cosines.min()),
        }
    return SetDiff(
        first.name,
        (first.dim, second.dim),
        [i for i in second.ids if i in theirs and i not in known],
        [i for i in ours if i not in theirs],
        changed,
        len(both) - len(changed),
        cosine,
        _neighbour_overlap(a, b),
    )


def _same_length(first: FeatureSet, second: FeatureSet, ids: list[str]) -> NDArray[np.bool_]:
    a, b = (np.linalg.norm(features.align_to(ids)[0], axis=1) for features in (first, second))
    same: NDArray[np.bool_] = np.abs(a - b) <= 1e-5 * np.maximum(a, b)
    return same


def _neighbour_overlap(a: NDArray[np.float32], b: NDArray[np.float32]) -> float | None:
    """Mean share of common nearest neighbours, for evenly spread rows of unit length."""
    k = min(NEIGHBOURS, len(a) - 1)
    if k < 1:
        return None
    rows = np.unique(np.linspace(0, len(a) - 1, SAMPLE).astype(np.int64))
    shared = 0
    for some in np.array_split(rows, max(1, len(rows) * len(a) >> 23)):
        first, second = (_nearest(matrix, some, k) for matrix in (a, b))
        shared += int((first[:, :, None] == second[:, None, :]).sum())
    return shared / (len(rows) * k)


def _nearest(unit: NDArray[np.float32], rows: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """The `k` best other rows of some rows, int64 `[len(rows), k]`; of equal ones the first.

    A maximum at a time: selecting all at once takes several times as long where many scores are equal.
    """
    scores = unit[rows] @ unit.T
    each = np.arange(len(rows))
    scores[each, rows] = -np.inf
    nearest = np.empty((len(rows), k), dtype=np.int64)
    for place in range(k):
        nearest[:, place] = scores.argmax(axis=1)
        scores[each, nearest[:, place]] = -np.inf
    return nearest


def _diff_results(first: Results, second: Results) -> list[dict[str, Any]]:
    """Each number that either has, with both values; where there were several seeds, their means."""
    ours, theirs = (
        {tuple(getattr(e, name) for name in QUANTITY): e.value for e in results.estimates}
        for results in (first, second)
    )
    return [
        {**dict(zip(QUANTITY, key, strict=True)), "first": ours.get(key), "second": theirs.get(key)}
        for key in {**ours, **theirs}
    ]


def _results(release: Release) -> Results:
    path = release.file(METRICS_FILE)
    return Results.parse(path.read_bytes(), f"{METRICS_FILE} of {release.where}") if path else Results()
