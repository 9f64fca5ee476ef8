"""Catalogues as others publish them, read in place: `scheme:path` where a config names a table.

Each source gives tables whose columns have the names that a config takes by default: items `item_id`,
`title`, `description`, `image` and more; interactions `user_id`, `item_id`, `rating`, `timestamp`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from alignrec.pipeline.catalog.sources import amazon, mmrec, movielens
from alignrec.pipeline.catalog.tables import Table, open_table


@dataclass(frozen=True)
class Source:
    """How a published catalogue is read.

    Attributes:
        items: from the path and the folder of the pictures to the items table.
        interactions: from the path to the interactions table.
    """

    items: Callable[[Path, Path], Table]
    interactions: Callable[[Path], Table]


SOURCES: Mapping[str, Source] = {
    **{
        f"amazon-{edition}": Source(
            partial(amazon.open_items, layout=layout), partial(amazon.open_interactions, layout=layout)
        )
        for edition, layout in amazon.LAYOUTS.items()
    },
    "movielens": Source(movielens.open_items, movielens.open_interactions),
    "mmrec": Source(mmrec.open_items, mmrec.open_interactions),
}


def split_source(path: str) -> tuple[str, str]:
    """The scheme and the path of `amazon-2018:meta.json.gz`; the scheme is "" for an ordinary table."""
    scheme, colon, rest = path.partition(":")
    return (scheme, rest) if colon and scheme in SOURCES else ("", path)


def open_items(path: str, pictures: Path) -> Table:
    """The items table that a config names.

    Args:
        path: of a table, `hf:ORG/NAME`, or with a source's scheme.
        pictures: the folder that picture paths start from.

    Raises:
        CatalogError: there is nothing there, or it cannot be read.
    """
    scheme, rest = split_source(path)
    return SOURCES[scheme].items(Path(rest), pictures) if scheme else open_table(path)


def open_interactions(path: str) -> Table:
    """The interactions table that a config names; raises as `open_items`."""
    scheme, rest = split_source(path)
    return SOURCES[scheme].interactions(Path(rest)) if scheme else open_table(path)
