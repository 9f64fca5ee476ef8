"""Read who interacted with what, vectorised; what cannot be used is listed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from alignrec.pipeline.catalog.items import STAGE, item_id_of
from alignrec.pipeline.catalog.rejections import Rejection
from alignrec.pipeline.catalog.sources import open_interactions
from alignrec.pipeline.config.settings import InteractionsConfig
from alignrec.pipeline.errors import CatalogError


@dataclass(frozen=True)
class Interactions:
    """The usable interactions.

    Attributes:
        table: `user_id: string`, `item_id: string`, `rating: float64` (null where the catalogue has
            none), `timestamp: int64` in Unix seconds (likewise), in the source's order; only
            positives (`min_rating` and more).
        rows: rows of the source.
        rejections: rows that cannot be used; a rating below `min_rating` is no rejection.
    """

    table: pa.Table
    rows: int
    rejections: list[Rejection]


def read_interactions(config: InteractionsConfig, item_ids: Sequence[str]) -> Interactions:
    """Read the interactions table.

    Args:
        config: the table and its columns.
        item_ids: the catalogue's items.

    Raises:
        CatalogError: the table is absent, damaged or empty, lacks a named column, or has no usable row.
    """
    source = open_interactions(config.path)
    names = {f: getattr(config, f) for f in ("user", "item", "rating", "timestamp")}
    names = {f: column for f, column in names.items() if column is not None}
    source.require({f"catalog.interactions.{f}": column for f, column in names.items()})
    frame = source.frame(list(dict.fromkeys(names.values())))
    if frame.empty:
        raise CatalogError(f"{source.where} has no rows: expected interactions.")
    user = frame[names["user"]].map(item_id_of)
    item = frame[names["item"]].map(item_id_of)
    rating, timestamp = (_numbers(frame, names.get(f)) for f in ("rating", "timestamp"))
    problems = {
        "no-user": user.isna(),
        "no-item": item.isna(),
        "unknown-item": item.notna() & ~item.isin(pd.Index(item_ids)),
    }
    for label, values in (("bad-rating", rating), ("bad-timestamp", timestamp)):
        if values is not None:
            problems[label] = ~np.isfinite(values)
    reason = pd.Series(np.select(list(problems.values()), list(problems), default=""), index=frame.index)
    keep = reason == ""
    if rating is not None and config.min_rating is not None:
        keep &= rating >= config.min_rating
    if not keep.any():
        raise CatalogError(
            f"{source.where} has no usable interaction among {len(frame)} rows: "
            f"{reason[reason != ''].value_counts().to_dict()}; do its item ids match the catalogue's?"
        )
    bad = frame.index[reason != ""]
    rejections = [
        Rejection("interactions", int(r), STAGE, str(reason[r]), f"{dict(frame.loc[r])}", item[r], user[r])
        for r in bad
    ]
    table = pa.table(
        {
            "user_id": pa.array(user[keep], pa.string()),
            "item_id": pa.array(item[keep], pa.string()),
            "rating": _column(rating, keep, pa.float64()),
            "timestamp": _column(timestamp, keep, pa.int64()),
        }
    )
    return Interactions(table, len(frame), rejections)


def _numbers(frame: pd.DataFrame, column: str | None) -> pd.Series | None:
    return None if column is None else pd.to_numeric(frame[column], errors="coerce").astype(float)


def _column(values: pd.Series | None, keep: pd.Series, kind: pa.DataType) -> pa.Array:
    if values is None:
        return pa.nulls(int(keep.sum()), kind)
    return pa.array(values[keep].to_numpy()).cast(kind, safe=False)
