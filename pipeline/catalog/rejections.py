"""What could not be used, row by row: counted, listed, and held against the config's limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from alignrec.core.display import shortened
from alignrec.export.release.parquet import REJECTED_SCHEMA
from alignrec.pipeline.catalog.arrow_list import ArrowList
from alignrec.pipeline.errors import CatalogError

# The columns of a run's `rejected.parquet`: the release's, and the sentence for a person.
SCHEMA = REJECTED_SCHEMA.append(pa.field("detail", pa.string()))


@dataclass(frozen=True)
class Rejection:
    """One input that could not be used.

    Attributes:
        source: `items` or `interactions`.
        row: zero-based row of that table.
        stage: the stage that met it.
        reason: a short slug, fit for counting.
        detail: the sentence for a person; stays in the run folder.
        item_id: the item, where it has an id.
        user_id: the user, for an interaction.
        modality: `image` or `text`, for one side of an item.
    """

    source: str
    row: int
    stage: str
    reason: str
    detail: str
    item_id: str | None = None
    user_id: str | None = None
    modality: str | None = None


# An absent picture or text is listed, but is no damage: many catalogues have some.
ABSENT = "missing"


class Rejections(ArrowList[Rejection]):
    """Rejections in the order in which they were met."""

    schema = SCHEMA

    @staticmethod
    def to_cells(record: Rejection) -> Sequence[Any]:
        """See `ArrowList`."""
        return tuple(getattr(record, name) for name in SCHEMA.names)

    @staticmethod
    def from_cells(*cells: Any) -> Rejection:
        """See `ArrowList`."""
        return Rejection(**dict(zip(SCHEMA.names, cells, strict=True)))

    def sorted(self) -> Rejections:
        """The same by source, row and modality."""
        table = self.table
        keys = [("source", "ascending"), ("row", "ascending"), ("modality", "ascending")]
        plain = table.select(["source", "row"]).append_column("modality", pc.fill_null(table["modality"], ""))
        return Rejections.from_table(table.take(pc.sort_indices(plain, keys)))

    def __repr__(self) -> str:
        """How many of each reason."""
        return f"Rejections({counts(self)})"


@dataclass(frozen=True)
class _Kind:
    """How many rejections share a source, a modality and a reason, and the place of the first."""

    source: str
    modality: str | None
    reason: str
    count: int
    first: int


def _kinds(rejections: Rejections) -> list[_Kind]:
    """The kinds there are, most first, those of one number by their first places."""
    keys = ["source", "modality", "reason"]
    table = rejections.table.select(keys).append_column("place", pa.array(range(len(rejections)), pa.int64()))
    rows = table.group_by(keys).aggregate([("place", "count"), ("place", "min")]).to_pylist()
    kinds = [
        _Kind(row["source"], row["modality"], row["reason"], row["place_count"], row["place_min"])
        for row in rows
    ]
    return sorted(kinds, key=lambda kind: (-kind.count, kind.first))


def counts(rejections: Rejections) -> dict[str, int]:
    """How many of each, `source modality: reason`, most first."""
    names = {
        " ".join(filter(None, (kind.source, kind.modality))) + f": {kind.reason}": kind.count
        for kind in _kinds(rejections)
    }
    return dict(sorted(names.items(), key=lambda pair: (-pair[1], pair[0])))


def reasons_with_examples(rejections: Rejections, modality: str | None = None) -> str:
    """The reasons (of one modality, or all), most first, each with its count and one case, a line each."""
    lines = []
    for kind in _kinds(rejections):
        if modality not in (None, kind.modality):
            continue
        case = rejections[kind.first]
        lines.append(
            f"\n  {kind.count:,} × {kind.reason}, such as row {case.row:,}: {shortened(case.detail)}"
        )
    return "".join(lines)


def check_limit(rejections: Rejections, totals: dict[str, int], limit: float) -> None:
    """Stop a run in which too much is broken.

    Args:
        rejections: all that was rejected.
        totals: rows of `items` and of `interactions`.
        limit: the largest share of a table (or of one modality of it) that may be rejected.

    Raises:
        CatalogError: a share is larger; names the reasons, the first cases and the config's key.
    """
    damaged = [kind for kind in _kinds(rejections) if kind.reason != ABSENT]
    table = rejections.table
    for source, modality in sorted({(kind.source, kind.modality or "") for kind in damaged}):
        kinds = [kind for kind in damaged if (kind.source, kind.modality or "") == (source, modality)]
        count = sum(kind.count for kind in kinds)
        share = count / max(totals[source], 1)
        if share <= limit:
            continue
        what = f"{modality}s of {source}" if modality else source
        reasons = ", ".join(f"{kind.count} {kind.reason}" for kind in kinds[:4])
        same = pc.equal(pc.fill_null(table["modality"], ""), modality)
        same = pc.and_(same, pc.equal(table["source"], source))
        mask = pc.and_(same, pc.not_equal(table["reason"], ABSENT))
        cases = table.filter(mask).slice(0, 3).to_pylist()
        examples = "".join(f"\n  row {case['row']}: {shortened(case['detail'])}" for case in cases)
        raise CatalogError(
            f"{count} of {totals[source]} {what} cannot be used ({share:.1%}: {reasons}), and "
            f"extract.max_rejected allows {limit:.1%}. For example:{examples}\n"
            "Mend the catalogue or its column names, or raise the limit: -o extract.max_rejected=… of a run, "
            "--max-rejected of encode and extend"
        )
