"""What could not be used, row by row: counted, listed, and held against the config's limit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from alignrec.pipeline.errors import CatalogError


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

    def as_row(self) -> dict[str, Any]:
        """The columns of `rejected.parquet`, and `detail`."""
        return asdict(self)


# An absent picture or text is listed, but is no damage: many catalogues have some.
ABSENT = "missing"


def counts(rejections: Sequence[Rejection]) -> dict[str, int]:
    """How many of each, `source modality: reason`, most first."""
    tally = Counter(" ".join(filter(None, (r.source, r.modality))) + f": {r.reason}" for r in rejections)
    return dict(sorted(tally.items(), key=lambda pair: (-pair[1], pair[0])))


def reasons_with_examples(rejections: Iterable[Rejection]) -> str:
    """The reasons, most first, each with its count and one case, a line each."""
    tally: Counter[str] = Counter()
    cases: dict[str, Rejection] = {}
    for rejection in rejections:
        tally[rejection.reason] += 1
        cases.setdefault(rejection.reason, rejection)
    return "".join(
        f"\n  {number:,} × {reason}, such as row {cases[reason].row:,}: {shorten(cases[reason].detail)}"
        for reason, number in tally.most_common()
    )


def shorten(detail: str, most: int = 160) -> str:
    """A text that is short enough for a line of a message."""
    return detail if len(detail) <= most else f"{detail[: most - 1]}…"


def check_limit(rejections: Sequence[Rejection], totals: dict[str, int], limit: float) -> None:
    """Stop a run in which too much is broken.

    Args:
        rejections: all that was rejected.
        totals: rows of `items` and of `interactions`.
        limit: the largest share of a table (or of one modality of it) that may be rejected.

    Raises:
        CatalogError: a share is larger; names the reasons, the first cases and the config's key.
    """
    damaged = [r for r in rejections if r.reason != ABSENT]
    for group in sorted({(r.source, r.modality or "") for r in damaged}):
        source, modality = group
        cases = [r for r in damaged if (r.source, r.modality or "") == group]
        share = len(cases) / max(totals[source], 1)
        if share <= limit:
            continue
        what = f"{modality}s of {source}" if modality else source
        reasons = ", ".join(f"{n} {reason}" for reason, n in Counter(r.reason for r in cases).most_common(4))
        examples = "".join(f"\n  row {r.row}: {shorten(r.detail)}" for r in cases[:3])
        raise CatalogError(
            f"{len(cases)} of {totals[source]} {what} cannot be used ({share:.1%}: {reasons}), and "
            f"extract.max_rejected allows {limit:.1%}. For example:{examples}\n"
            "Mend the catalogue or its column names, or raise the limit with -o extract.max_rejected=…"
        )
