"""The catalogue's quality: what its items' raw vectors alone say of faults in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from alignrec.aligner.inputs import ModalityInput
from alignrec.aligner.quality.distances import FEWEST, Distances, measure_distances
from alignrec.aligner.quality.duplicates import Group, names_kinds, near_duplicates
from alignrec.aligner.quality.mismatches import Comparison, mismatches
from alignrec.aligner.quality.outliers import Outlier, outliers
from alignrec.extractors.modality import AUDIO, KINDS
from alignrec.pipeline.report.contents import RunContents

# Counts up when the same vectors would give other findings.
VERSION = 1
# Of each check so many findings are shown, and so many items of one; a table holds more.
MOST_SHOWN, MOST_OF_ONE, MOST_ROWS = 24, 6, 1000


@dataclass(frozen=True)
class Finding:
    """Items of which one thing is to be said.

    Attributes:
        items: rows of the catalogue.
        note: what is to be said, in words.
        measure: the number behind it.
    """

    items: list[int]
    note: str
    measure: float


@dataclass(frozen=True)
class Listing:
    """What was found under one modality, or between two kinds of content.

    Attributes:
        where: the modality, or the two kinds.
        findings: all of them, the clearest first.
        shown: how many of them have their place on the page; the table has the others.
        sounds: whether it is about something to listen to.
    """

    where: str
    findings: list[Finding]
    shown: int
    sounds: bool

    @property
    def items(self) -> int:
        """Items that it names."""
        return len({item for finding in self.findings for item in finding.items})


@dataclass(frozen=True)
class Check:
    """One kind of fault.

    Attributes:
        key: a word for scripts.
        title: what it is called.
        meaning: what it means and what to do, in a sentence or two.
        measured: what `Finding.measure` is.
        listings: where something was found.
        remarks: what else is to be said, such as that nothing was found.
    """

    key: str
    title: str
    meaning: str
    measured: str
    listings: list[Listing]
    remarks: list[str]

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """Findings and items by where they were found, as JSON values."""
        return {one.where: {"findings": len(one.findings), "items": one.items} for one in self.listings}

    @property
    def named(self) -> set[int]:
        """Rows of the items that have a place on the page."""
        shown = (finding for listing in self.listings for finding in listing.findings[: listing.shown])
        return {item for finding in shown for item in finding.items[:MOST_OF_ONE]}


@dataclass(frozen=True)
class Row:
    """An item in a check's table.

    Attributes:
        where: the modality, or the two kinds.
        number: of the finding there, from 1.
        item: its row in the catalogue.
        measure: of the finding.
    """

    where: str
    number: int
    item: int
    measure: float


def table_rows(check: Check) -> list[Row]:
    """Every item of every finding, the first `MOST_ROWS`."""
    rows = [
        Row(listing.where, number, item, finding.measure)
        for listing in check.listings
        for number, finding in enumerate(listing.findings, start=1)
        for item in finding.items
    ]
    return rows[:MOST_ROWS]


def check_quality(run: RunContents, seed: int) -> list[Check]:
    """Look for near-duplicates, outliers and contents that do not fit, the same on any number of threads.

    Args:
        run: raw sets count, and nothing that was trained.
        seed: of samples and folds.
    """
    views = {
        m: ModalityInput.without_tokens(run.sets[m].matrix, run.sets[m].valid, kind, run.columns[m])
        for m, kind in run.kinds.items()
    }
    with threadpool_limits(1):
        measured = {m: measure_distances(view.pooled, view.valid, seed) for m, view in views.items()}
        compared = mismatches(views, seed)
    distances = {m: found for m, found in measured.items() if found is not None}
    few = [m for m, found in measured.items() if found is None]
    kinds = [m for m, found in distances.items() if names_kinds(found)]
    usable = {m: found for m, found in distances.items() if m not in kinds}
    count = len(run.item_ids)
    groups = {m: near_duplicates(found, count) for m, found in usable.items()}
    alone = {m: outliers(found) for m, found in usable.items()}
    remarks = [*_samples(usable), *_left_out(few, kinds)]
    heard = {m for m, kind in run.kinds.items() if kind == AUDIO.name}
    return [
        Check(
            "duplicates",
            "Near-duplicates",
            "Items with nearly equal vectors: one thing that is there twice, or one picture or text that "
            "serves several. Merge what is one thing, and give the others content of their own: no "
            "recommender can tell them apart by it.",
            "squared distance, 1 for two random items",
            _listings(_duplicates(groups), heard),
            [*_nothing([m for m in groups if not groups[m]]), *remarks],
        ),
        Check(
            "outliers",
            "Outliers",
            "Items far from every other: often a broken or wrong file, a text in another language or of "
            "hardly a word. Mend those. Of what is right and only rare, content tells a recommender little.",
            "distance to the nearest, 1 for two random items",
            _listings({m: _outliers(found) for m, found in alone.items()}, heard),
            [*_nothing([m for m in alone if not alone[m]]), *remarks],
        ),
        Check(
            "mismatches",
            "Contents that do not fit together",
            "Items whose picture is not what their text makes one expect, nor their text what their picture "
            "does; likewise sounds. See whether both are of one thing: a file joined to the wrong row shows "
            "here.",
            "share of other items' contents that would fit better",
            _listings(
                {_pair(c): _mismatches(c) for c in compared},
                {_pair(c) for c in compared if AUDIO.name in c.kinds},
            ),
            _about_mismatches(compared),
        ),
    ]


def _listings(found: Mapping[str, list[Finding]], heard: set[str]) -> list[Listing]:
    """Those with findings, which share the page's room evenly."""
    there = {where: findings for where, findings in found.items() if findings}
    room = max(MOST_SHOWN // max(len(there), 1), 2)
    return [Listing(where, findings, room, where in heard) for where, findings in there.items()]


def _duplicates(groups: Mapping[str, list[Group]]) -> dict[str, list[Finding]]:
    """Groups by where they were found: the same items under several modalities are one finding."""
    found: dict[tuple[int, ...], dict[str, float]] = {}
    for m, those in groups.items():
        for group in those:
            found.setdefault(tuple(group.items.tolist()), {})[m] = group.distance
    by_place: dict[tuple[str, ...], list[Finding]] = {}
    for items, distances in found.items():
        others = [m for m in groups if m not in distances and any(_holds(g, items) for g in groups[m])]
        note = f"with others, nearly equal in {_and(others)} too" if others else ""
        by_place.setdefault(tuple(distances), []).append(Finding(list(items), note, max(distances.values())))
    ordered = sorted(by_place, key=lambda place: (-len(place), list(groups).index(place[0])))
    return {_and(place): sorted(by_place[place], key=lambda one: one.measure) for place in ordered}


def _holds(group: Group, items: tuple[int, ...]) -> bool:
    return bool(np.isin(items, group.items).all())


def _outliers(found: Sequence[Outlier]) -> list[Finding]:
    return [
        Finding([one.item], f"the nearest item is {one.distance:.0%} as far as a random one", one.distance)
        for one in found
    ]


def _mismatches(comparison: Comparison) -> list[Finding]:
    return [
        Finding([one.item], f"{one.better:.0%} of other items' would fit better", one.better)
        for one in comparison.found
    ]


def _samples(distances: Mapping[str, Distances]) -> list[str]:
    return [
        f"Of {found.total:,} items with {m}, {len(found.rows):,} drawn at random were compared with all."
        for m, found in distances.items()
        if len(found.rows) < found.total
    ]


def _left_out(few: Sequence[str], kinds: Sequence[str]) -> list[str]:
    remarks = []
    if kinds:
        remarks.append(
            f"Left out: {_and(kinds)}, in which most items equal another, so that it tells kinds of items "
            "apart and not items."
        )
    if few:
        remarks.append(f"Left out: {_and(few)}, which fewer than {FEWEST} items have.")
    return remarks


def _nothing(modalities: Sequence[str]) -> list[str]:
    return [f"Nothing was found in {_and(modalities)}."] if modalities else []


def _about_mismatches(compared: Sequence[Comparison]) -> list[str]:
    if not compared:
        return [
            "Nothing to compare: no two kinds of content that share no column are there for a hundred items."
        ]
    remarks = []
    for one in compared:
        if not one.known:
            remarks.append(
                f"Of {_pair(one)}, neither tells enough of the other here for what does not fit to show."
            )
        elif not one.found:
            remarks.append(f"Nothing was found between {_pair(one)}.")
        if one.items < one.total:
            remarks.append(
                f"Of {one.total:,} items with {_pair(one)}, {one.items:,} drawn at random were looked at."
            )
    return remarks


def _pair(comparison: Comparison) -> str:
    return _and([KINDS[kind].noun if kind in KINDS else kind for kind in comparison.kinds])


def _and(names: Sequence[str]) -> str:
    """Names as a sentence has them."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
