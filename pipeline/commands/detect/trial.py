"""A draft of a config, tried: its tables are read, some pictures opened, its interactions joined and cut."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice, product
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from alignrec.aligner.evaluate.splits import TEST, TRAIN, VALID
from alignrec.core.libraries import is_installed
from alignrec.core.vocabulary import IMAGE, TEXT
from alignrec.extractors.modality import AUDIO
from alignrec.pipeline.catalog.file_cells import is_url
from alignrec.pipeline.catalog.file_hashes import FileHashes
from alignrec.pipeline.catalog.interactions import Interactions, read_interactions
from alignrec.pipeline.catalog.items import Catalogue, image_root, read_catalogue
from alignrec.pipeline.catalog.rejections import ABSENT, Rejection
from alignrec.pipeline.catalog.sources.source import Draft
from alignrec.pipeline.catalog.times import UNITS, unit_of
from alignrec.pipeline.commands.config_template import DEFAULT_SPLIT
from alignrec.pipeline.commands.detect.pictures import TRIED, folders_outside, open_all
from alignrec.pipeline.config.catalog import CatalogConfig, InteractionsConfig, ItemsConfig, ModalityConfig
from alignrec.pipeline.config.paths import make_absolute
from alignrec.pipeline.config.settings import Config, ExtractConfig, SplitConfig
from alignrec.pipeline.errors import CatalogError, ConfigError
from alignrec.pipeline.stages.split import cut_interactions

_FAR = 3  # steps up, from which on a path is written in full
_ROWS = 1000  # the first rows are those that pictures are tried of
_K_CORES = (5, 3, 2, 1, 0)
# What may keep interactions from being read, tried without in this order.
_OPTIONAL: tuple[tuple[str, ...], ...] = ((), ("min_rating",), ("timestamp",), ("rating", "min_rating"))


@dataclass
class Trial:
    """What a draft gives.

    Attributes:
        draft: without what did not work, and with a note for each change.
        found: what was found, as (what, value), for a person.
        problems: what would stop a run.
        downloads: pictures have to be fetched before a run.
    """

    draft: Draft
    folder: Path
    found: list[tuple[str, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    downloads: bool = False

    @property
    def next_commands(self) -> list[str]:
        """What to call next, in order."""
        return ["download", "run"] if self.downloads else ["run"]

    def note(self, message: str) -> None:
        """Add a note to the draft."""
        self.draft = replace(self.draft, notes=[*self.draft.notes, message])

    def without(self, modality: str, why: str) -> None:
        """Take a modality out of the draft, and say why."""
        self.draft = replace(self.draft, items=self.draft.items | {modality: None})
        self.note(f"{modality} is null: {why}")


def try_draft(draft: Draft, folder: Path) -> Trial:
    """Read what a draft names, and take out what cannot be read.

    Args:
        draft: what was detected.
        folder: its paths start from there.

    Raises:
        CatalogError: the items cannot be read.
        ConfigError: they have neither pictures nor texts.
    """
    trial = Trial(draft, folder)
    catalogue = _items(trial)
    _pictures(trial, catalogue)
    _sounds(trial, catalogue)
    if not _config(trial.draft, folder).modalities:
        raise ConfigError(
            f"{catalogue.table.where} has neither pictures or sounds that open nor texts, and an item needs "
            f"one of them. {' '.join(trial.draft.notes)}"
        )
    if trial.draft.interactions:
        _interactions(trial, catalogue)
    return trial


def _config(draft: Draft, folder: Path) -> Config:
    """The config of a draft, paths absolute; what only a whole config has to hold is not checked."""
    log = InteractionsConfig(**draft.interactions) if draft.interactions else None
    config = Config.model_construct(
        catalog=CatalogConfig(
            items=ItemsConfig(**draft.items),
            modalities={name: ModalityConfig(**one) for name, one in draft.modalities.items()},
            interactions=log,
        ),
        split=SplitConfig(**draft.split),
        extract=ExtractConfig(**draft.extract),
    )
    return make_absolute(config, folder.resolve())


def _items(trial: Trial) -> Catalogue:
    """Read ids and texts."""
    config = _config(trial.draft, trial.folder).catalog.items
    alone = config.model_copy(update={IMAGE: None})
    try:
        catalogue = read_catalogue(alone, FileHashes())
    except CatalogError as error:
        if config.text is None or config.image is None:
            raise
        catalogue = read_catalogue(alone.model_copy(update={TEXT: None}), FileHashes())
        trial.without(TEXT, str(error))
    broken = [r for r in catalogue.rejections if r.modality is None]
    trial.found += [
        ("items", str(trial.draft.items["path"])),
        ("rows", f"{catalogue.rows:,}"),
        ("unique ids", f"{len(catalogue.item_ids):,} in {config.id}{_reasons(broken)}"),
    ]
    for modality, inputs in catalogue.inputs.items():
        count = f"{len(inputs):,} of {len(catalogue.item_ids):,}"
        trial.found.append((f"{modality}s", f"{count}: {config.text}"))
    _limit(trial, "items", broken, catalogue.rows)
    return catalogue


def _pictures(trial: Trial, catalogue: Catalogue) -> None:
    """Open twenty pictures."""
    config = _config(trial.draft, trial.folder).catalog.items
    if config.image is None:
        return
    catalogue.table.require({"catalog.items.image": config.image})
    some = [row[config.image] for row in islice(catalogue.table.rows([config.image]), _ROWS)]
    named = [value for value in some if value not in (None, "", [])]
    values = named[:: max(1, len(named) // TRIED)][:TRIED]
    if not values:
        trial.without(IMAGE, f"the first {len(some):,} items name no picture in {config.image}.")
        return
    trial.downloads = any(isinstance(value, str) and is_url(value) for value in values)
    tried = open_all(config.image, values, image_root(config))
    if tried.opened and tried.linked:
        _link(trial, folders_outside(named, tried.root))
    why = f"; {tried.why}" if tried.why else ""
    trial.found.append((f"{IMAGE}s", f"{tried.opened} of {tried.tried} tried open: {config.image}{why}"))
    if tried.opened < tried.tried and not trial.downloads:
        trial.problems.append(
            f"{tried.tried - tried.opened} of {tried.tried} pictures do not open ({tried.why}): a run stops "
            "where more than extract.max_rejected of them do not"
        )


def _sounds(trial: Trial, catalogue: Catalogue) -> None:
    """Open twenty sounds of each column."""
    config = _config(trial.draft, trial.folder).catalog
    for column in [name for one in config.modalities.values() for name in one.columns]:
        some = [row[column] for row in islice(catalogue.table.rows([column]), _ROWS)]
        named = [value for value in some if value not in (None, "", [])]
        values = named[:: max(1, len(named) // TRIED)][:TRIED]
        urls = any(isinstance(value, str) and is_url(value) for value in values)
        trial.downloads = trial.downloads or urls
        tried = open_all(column, values, image_root(config.items), AUDIO)
        why = f"; {tried.why}" if tried.why else ""
        trial.found.append((f"{AUDIO.noun}s", f"{tried.opened} of {tried.tried} tried open: {column}{why}"))
        if tried.opened < tried.tried and not urls:
            trial.problems.append(
                f"{tried.tried - tried.opened} of {tried.tried} sounds do not open ({tried.why}): a run "
                "stops where more than extract.max_rejected of them do not"
            )
    if config.modalities and not is_installed(AUDIO.libraries[0]):
        trial.problems.append(
            f"sounds are decoded by {AUDIO.libraries[0]}: pip install 'alignrec[{AUDIO.extra}]'"
        )


def _link(trial: Trial, outside: Sequence[Path]) -> None:
    """Let pictures be read that lie outside of their root."""
    relative = {folder: os.path.relpath(folder, trial.folder.resolve()) for folder in outside}
    folders = [str(folder) if path.count("..") > _FAR else path for folder, path in relative.items()]
    trial.draft = replace(trial.draft, items=trial.draft.items | {"linked_folders": folders})
    trial.note(
        f"Pictures lie outside of the folder, in {', '.join(folders)}: linked_folders lets a run read them "
        "there, and nowhere else."
    )


def _interactions(trial: Trial, catalogue: Catalogue) -> None:
    """Join the interactions with the items, and cut them."""
    read = _read_interactions(trial, catalogue.item_ids)
    if read is None:
        return
    section, table = trial.draft.interactions, read.table
    users, items = (len(pc.unique(table[name])) for name in ("user_id", "item_id"))
    rated = f" rated {section['min_rating']} or more" if "min_rating" in section else ""
    trial.found += [
        ("interactions", str(section["path"])),
        ("usable", f"{table.num_rows:,} of {read.rows:,}{rated}{_reasons(read.rejections)}"),
        ("users", f"{users:,} in {section.get('user', 'user_id')}"),
        ("their items", f"{items:,} in {section.get('item', 'item_id')}"),
    ]
    if section.get("timestamp"):
        ends = pc.min_max(table["timestamp"]).as_py()
        unit = UNITS[unit_of(table.schema.field("timestamp"))]
        days = f"{_day(ends['min'] // unit)} to {_day(ends['max'] // unit)}"
        trial.found.append(("times", f"{days} in {section['timestamp']}"))
    _limit(trial, "interactions", read.rejections, read.rows)
    _cut(trial, list(catalogue.item_ids), table)


def _read_interactions(trial: Trial, item_ids: Sequence[str]) -> Interactions | None:
    """Read them without the columns that keep most from being read; None, and a note, where nothing helps."""
    whole, why = trial.draft, ""
    for dropped in _OPTIONAL:
        if dropped and not set(dropped) & set(whole.interactions):
            continue
        kept = {key: value for key, value in whole.interactions.items() if key not in dropped}
        attempt = replace(whole, interactions=kept)
        config = _config(attempt, trial.folder).catalog.interactions
        assert config is not None
        try:
            read = read_interactions(config, item_ids)
        except CatalogError as error:
            why = why or str(error)
            continue
        bad = sum(rejection.reason.endswith("-timestamp") for rejection in read.rejections)
        if config.timestamp and bad > read.rows / 20:
            why = f"{bad:,} of {read.rows:,} values of {config.timestamp} could not be read as times"
            continue
        trial.draft = attempt
        if dropped:
            trial.note(f"Of the interactions, {' and '.join(dropped)} is left out: {why}")
        return read
    trial.draft = replace(whole, interactions={}, split={})
    trial.note(f"The interactions are left out: {why}")
    return None


def _cut(trial: Trial, item_ids: list[str], table: pa.Table) -> None:
    """Cut by times where there are some; lower the k-core until every part of the split has something."""
    if trial.draft.split.get("method") == "mmrec":
        return
    whole = trial.draft.split or DEFAULT_SPLIT
    methods = ["temporal", "random"] if trial.draft.interactions.get("timestamp") else [whole["method"]]
    for method, k_core in product(methods, _K_CORES):
        draft = replace(trial.draft, split=whole | {"method": method, "k_core": k_core})
        try:
            label = cut_interactions(_config(draft, trial.folder), item_ids, table).split.label
        except CatalogError:
            continue
        counts = np.bincount(label, minlength=3)
        if counts.min() == 0:
            continue
        trial.draft = draft
        parts = f"{counts[TRAIN]:,} to train on, {counts[VALID]:,} to validate, {counts[TEST]:,} to test"
        trial.found.append(("split", f"{method}, k-core {k_core}: {parts}"))
        if method != methods[0]:
            trial.note(f"split.method is {method}: {methods[0]} leaves nothing to train on or to test.")
        if k_core != _K_CORES[0]:
            trial.note(f"split.k_core is {k_core}: with more, too little is left to train on and to test.")
        return
    trial.problems.append(f"{table.num_rows:,} interactions are too few to train on, to validate and to test")


def _limit(trial: Trial, what: str, rejections: Sequence[Rejection], rows: int) -> None:
    """A problem, where a run would stop at so many rejections."""
    limit = _config(trial.draft, trial.folder).extract.max_rejected
    damaged = [r for r in rejections if r.reason != ABSENT]
    if len(damaged) > limit * rows:
        trial.problems.append(
            f"{len(damaged):,} of {rows:,} {what} cannot be used{_reasons(damaged)}; extract.max_rejected "
            f"allows {limit:.0%}: mend them, or raise it"
        )


def _reasons(rejections: Sequence[Rejection]) -> str:
    counts = Counter(r.reason for r in rejections)
    return "".join(f"; {number:,} {reason}" for reason, number in counts.most_common())


def _day(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):  # beyond the years that Python counts
        return f"{seconds:,} s"
