"""Catalogues as others publish them, read in place: `scheme:path` where a config names a table.

A source is one object in one module of this folder, or of a plugin. It gives tables whose columns have the
names that a config takes by default: items `item_id`, `title`, `description`, `image` and more; interactions
`user_id`, `item_id`, `rating`, `timestamp`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alignrec.core.errors import suggest
from alignrec.core.plugins import Registry
from alignrec.pipeline.catalog.formats.format import open_table
from alignrec.pipeline.catalog.tables import Table
from alignrec.pipeline.config.paths import split_scheme
from alignrec.pipeline.errors import CatalogError


@dataclass(frozen=True)
class Draft:
    """What `init` found in a folder, as the sections of a config; empty where there is nothing to say.

    Attributes:
        items, interactions, split, extract: keys and values, paths relative to the config's folder. A source
            that recognises interactions alone leaves `items` empty: a table beside them holds the items.
        notes: what a person should look at.
        modalities: beside image and text, by name.
    """

    items: dict[str, Any]
    interactions: dict[str, Any] = field(default_factory=dict)
    split: dict[str, Any] = field(default_factory=dict)
    extract: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    modalities: dict[str, dict[str, Any]] = field(default_factory=dict)


def recognise_nothing(folder: Path) -> Draft | None:  # noqa: ARG001
    """The `detect` of a source that cannot be told by what lies in a folder."""
    return None


@dataclass(frozen=True)
class Source:
    """How a published catalogue is found and read.

    Attributes:
        name: its scheme in a config: two lower-case letters or more, digits, hyphens.
        items: from the path and the folder of the pictures to the items table.
        interactions: from the path to the interactions table.
        detect: from a folder to what a config would say of it; None where it holds no such catalogue.
        precedence: which source is asked first whether it recognises a folder: the one with the higher.
    """

    name: str
    items: Callable[[Path, Path], Table]
    interactions: Callable[[Path], Table]
    detect: Callable[[Path], Draft | None] = recognise_nothing
    precedence: int = 0


SOURCES = Registry(Source, "source", "alignrec.pipeline.catalog.sources")


def open_items(path: str, pictures: Path) -> Table:
    """The items table that a config names.

    Args:
        path: of a table, or with a source's scheme.
        pictures: the folder that picture paths start from.

    Raises:
        CatalogError: there is nothing there, it cannot be read, or the scheme is not known.
    """
    scheme, rest = split_scheme(path)
    return _source(scheme, path).items(Path(rest), pictures) if scheme else open_table(path)


def open_interactions(path: str) -> Table:
    """The interactions table that a config names; raises as `open_items`."""
    scheme, rest = split_scheme(path)
    return _source(scheme, path).interactions(Path(rest)) if scheme else open_table(path)


def _source(scheme: str, path: str) -> Source:
    if scheme not in SOURCES:
        raise CatalogError(
            f"{path}: there is no source {scheme!r}, nor a file of that whole name; "
            f"{suggest(scheme, SOURCES)}"
        )
    return SOURCES[scheme]
