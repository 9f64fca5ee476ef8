"""Top-k lists that another tool wrote, as a table of users, items and places."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from alignrec.core.display import listed
from alignrec.pipeline.catalog.formats.format import open_table
from alignrec.pipeline.catalog.tables import Table
from alignrec.pipeline.catalog.values import id_texts, numbers
from alignrec.pipeline.errors import CatalogError

# MMRec names its users' column so, and writes the dense ids of its data set; all others write ids.
DENSE = "id"
USER, ITEM, RANK, SCORE = "user_id", "item_id", "rank", "score"
_PLACE = re.compile(r"top_([0-9]{1,6})")
_FORMS = (
    f"Expected the columns {DENSE}, top_0, top_1, … of MMRec's lists, or {USER}, top_0, top_1, …, or "
    f"{USER}, {ITEM} and {RANK} or {SCORE}"
)


@dataclass(frozen=True, eq=False)
class RankedIds:
    """Lists by ids, an entry a recommended item.

    Attributes:
        where: the file, for messages.
        user: string `[n]`.
        item: string `[n]`.
        order: float64 `[n]`; of one user's items the smallest comes first, of equals the first in the file.
        dense: whether the ids are the numbers of MMRec's data set.
    """

    where: str
    user: pa.Array
    item: pa.Array
    order: NDArray[np.float64]
    dense: bool


def read_rankings(path: Path) -> RankedIds:
    """The lists in a table file of any format that catalogues have.

    A list a row (`id` or `user_id`, and `top_0`, `top_1`, …; an empty cell ends it) or an item a row
    (`user_id`, `item_id`, and `rank`, the best smallest, or `score`, the best largest). A column's name may
    end in a type of RecBole's, as `user_id:token`.

    Raises:
        CatalogError: there is no such file, it cannot be read, or its columns or values are no lists.
    """
    table = open_table(str(path))
    names = {column.partition(":")[0]: column for column in reversed(table.columns)}
    tops = sorted((int(match[1]), name) for name in names if (match := _PLACE.fullmatch(name)))
    if tops and (DENSE in names or USER in names):
        if [place for place, _ in tops] != list(range(len(tops))):
            raise CatalogError(f"{path}: of the columns top_0 to top_{tops[-1][0]} some are missing.")
        user = DENSE if DENSE in names else USER
        found = _wide(table, names[user], [names[name] for _, name in tops], dense=user == DENSE)
    elif USER in names and ITEM in names and (RANK in names or SCORE in names):
        by = RANK if RANK in names else SCORE
        found = _long(table, names[USER], names[ITEM], names[by], descending=by == SCORE)
    else:
        known = listed(table.columns) or "none"
        raise CatalogError(f"{path} holds no lists: it has the columns {known}. {_FORMS}.")
    if not len(found.user):
        raise CatalogError(f"{path} holds no lists: it has no rows. {_FORMS}.")
    return found


def _wide(table: Table, user: str, tops: Sequence[str], *, dense: bool) -> RankedIds:
    users: list[pa.Array] = []
    items: list[pa.Array] = []
    orders: list[NDArray[np.float64]] = []
    for batch in table.batches([user, *tops]):
        owner = _present(table, batch, user)
        for place, name in enumerate(tops):
            item = id_texts(batch.column(name), table.place(name))
            there = item.is_valid()
            users.append(owner.filter(there))
            items.append(item.filter(there))
            orders.append(np.full(len(items[-1]), float(place)))
    return RankedIds(table.where, _joined(users), _joined(items), np.concatenate([[], *orders]), dense)


def _long(table: Table, user: str, item: str, by: str, *, descending: bool) -> RankedIds:
    users: list[pa.Array] = []
    items: list[pa.Array] = []
    orders: list[NDArray[np.float64]] = []
    for batch in table.batches([user, item, by]):
        users.append(_present(table, batch, user))
        items.append(_present(table, batch, item))
        order = numbers(batch.column(by))
        if order.null_count:
            row = int(np.flatnonzero(order.is_null().to_numpy(zero_copy_only=False))[0])
            raise CatalogError(
                f"{table.place(by)} holds {order.null_count:,} values that are no finite numbers, such as "
                f"that of user {users[-1][row].as_py()!r} and item {items[-1][row].as_py()!r}."
            )
        orders.append(order.to_numpy(zero_copy_only=False))
    order = np.concatenate([[], *orders])
    return RankedIds(table.where, _joined(users), _joined(items), -order if descending else order, False)


def _present(table: Table, batch: pa.RecordBatch, column: str) -> pa.Array:
    """A column of ids, every one of which is there."""
    ids = id_texts(batch.column(column), table.place(column))
    if ids.null_count:
        raise CatalogError(f"{table.place(column)} has {ids.null_count:,} rows without an id.")
    return ids


def _joined(parts: Sequence[pa.Array]) -> pa.Array:
    return pa.concat_arrays([pc.cast(part, pa.string()) for part in parts] or [pa.array([], pa.string())])
