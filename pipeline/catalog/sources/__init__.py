"""Catalogues as others publish them, read in place: `scheme:path` where a config names a table.

Each source gives tables whose columns have the names that a config takes by default: items `item_id`,
`title`, `description`, `image` and more; interactions `user_id`, `item_id`, `rating`, `timestamp`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from alignrec.core.errors import suggest
from alignrec.pipeline.catalog.sources import amazon, mmrec, movielens
from alignrec.pipeline.catalog.tables import Table, open_table
from alignrec.pipeline.config.paths import HUB, split_scheme
from alignrec.pipeline.errors import CatalogError


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


def open_items(path: str, pictures: Path) -> Table:
    """The items table that a config names.

    Args:
        path: of a table, `hf:ORG/NAME`, or with a source's scheme.
        pictures: the folder that picture paths start from.

    Raises:
        CatalogError: there is nothing there, it cannot be read, or the scheme is not known.
    """
    scheme, rest = split_scheme(path)
    return open_table(path) if scheme in ("", HUB) else _source(scheme, path).items(Path(rest), pictures)


def open_interactions(path: str) -> Table:
    """The interactions table that a config names; raises as `open_items`."""
    scheme, rest = split_scheme(path)
    return open_table(path) if scheme in ("", HUB) else _source(scheme, path).interactions(Path(rest))


def _source(scheme: str, path: str) -> Source:
    if scheme not in SOURCES:
        raise CatalogError(
            f"{path}: there is no source {scheme!r}, nor a file of that whole name; "
            f"{suggest(scheme, [*SOURCES, HUB])}"
        )
    return SOURCES[scheme]
