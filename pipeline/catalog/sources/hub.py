"""Datasets on the Hugging Face Hub: `hf:ORG/NAME[/CONFIG][@REVISION][#SPLIT]`.

Without a configuration, a dataset's only one or its default is read; without a revision, the newest; without
a split, all of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from alignrec.core.errors import suggest
from alignrec.core.network import NotHereError, is_offline
from alignrec.pipeline.catalog.formats.dataset import table_of_dataset
from alignrec.pipeline.catalog.sources.source import Source
from alignrec.pipeline.catalog.tables import Table
from alignrec.pipeline.config.paths import HUB
from alignrec.pipeline.errors import CatalogError

_NAME = re.compile(
    r"(?P<repository>[^/@#]+(/[^/@#]+)?)(/(?P<config>[^@#]+))?(@(?P<revision>[^#]+))?(#(?P<split>.+))?"
)


class NotFetchedError(CatalogError, NotHereError):
    """A dataset is not on this machine, and nothing is to be fetched (exit code 4)."""


@dataclass(frozen=True)
class HubName:
    """Which table of which repository; "" for what is not named.

    Attributes:
        repository: `ORG/NAME`.
        config: one of the dataset's configurations (subsets).
        revision: a commit, branch or tag.
        split: one of the configuration's splits.
    """

    repository: str
    config: str = ""
    revision: str = ""
    split: str = ""

    @classmethod
    def parse(cls, name: str) -> HubName:
        """The parts of `ORG/NAME[/CONFIG][@REVISION][#SPLIT]`.

        Raises:
            CatalogError: it is not of that form.
        """
        match = _NAME.fullmatch(name)
        if match is None:
            raise CatalogError(
                f"{HUB}:{name} names no dataset: expected {HUB}:ORG/NAME[/CONFIG][@REVISION][#SPLIT]"
            )
        return cls(**{part: value or "" for part, value in match.groupdict().items()})

    def __str__(self) -> str:
        """As a config has it."""
        parts = (("/", self.config), ("@", self.revision), ("#", self.split))
        return f"{HUB}:{self.repository}" + "".join(mark + part for mark, part in parts if part)


def open_dataset(path: Path) -> Table:
    """A table of a repository, downloaded if it is not there yet.

    Raises:
        CatalogError: it cannot be loaded, or has no such configuration or split.
        NotFetchedError: it is not there yet, and nothing is to be fetched.
    """
    import datasets  # slow to import

    name = HubName.parse(path.as_posix())
    try:
        loaded = datasets.load_dataset(name.repository, name.config or None, revision=name.revision or None)
    except Exception as error:
        if is_offline():
            raise NotFetchedError(
                f"the dataset {name.repository!r} is not on this machine, and nothing is fetched now"
            ) from None
        raise CatalogError(_reason(name) or f"{_unloadable(name)}: {error}") from None
    table = table_of_dataset(loaded, str(replace(name, split="")), name.split)
    configs = () if name.config else _configs(name)
    if len(configs) < 2:
        return table
    taken = next(iter(loaded.values())).info.config_name
    note = f"{name}: the configuration {taken} is read; there are {', '.join(configs)}."
    return replace(table, notes=(note, *table.notes))


def _configs(name: HubName) -> tuple[str, ...]:
    """The configurations that a dataset has; () where they cannot be found out."""
    import datasets  # slow to import

    try:
        return tuple(datasets.get_dataset_config_names(name.repository, revision=name.revision or None))
    except Exception:  # they only serve messages
        return ()


def _unloadable(name: HubName) -> str:
    return f"the dataset {name.repository!r} cannot be loaded from the Hub"


def _reason(name: HubName) -> str:
    """Why a dataset did not load, where that is for want of the right configuration; "" else."""
    configs = _configs(name)
    if name.config and configs and name.config not in configs:
        return (
            f"the dataset {name.repository!r} has no configuration {name.config!r}; "
            f"{suggest(name.config, configs)}. It has: {', '.join(configs)}."
        )
    if not name.config and len(configs) > 1:
        one = replace(name, config=configs[0])
        return f"{_unloadable(name)} as a whole: name one of its configurations, {', '.join(configs)}: {one}"
    return ""


def open_items(name: Path, _pictures: Path) -> Table:
    """The dataset, its rows items; raises as `open_dataset`."""
    return open_dataset(name)


DATASET = Source(HUB, open_items, open_dataset)
