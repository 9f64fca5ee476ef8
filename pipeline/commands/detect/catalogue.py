"""`alignrec init`: which tables, columns and pictures of a folder a run would take, and why not others."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from alignrec.core.vocabulary import AUDIO, IMAGE, TEXT
from alignrec.extractors.modality import AUDIO as SOUNDS
from alignrec.extractors.modality import IMAGE as IMAGES
from alignrec.pipeline.catalog.formats.format import formats_by_ending
from alignrec.pipeline.catalog.sources.folder import NO_PICTURES
from alignrec.pipeline.catalog.sources.source import SOURCES, Draft
from alignrec.pipeline.commands.detect.columns import Column
from alignrec.pipeline.commands.detect.pictures import Pictures, picture_roots, try_pictures
from alignrec.pipeline.commands.detect.roles import (
    RATING,
    TIME,
    USER,
    best,
    id_score,
    in_reading_order,
    is_called,
    names_files,
    rating_score,
    time_score,
)
from alignrec.pipeline.commands.detect.tables import (
    FoundTable,
    Joined,
    join,
    table_of_source,
    tables_below,
)
from alignrec.pipeline.errors import ConfigError

MOST_TEXTS = 10  # columns in a template


def detect_catalogue(folder: Path) -> Draft:
    """What a run could take from a folder: a published catalogue that a source recognises, else its tables.

    Raises:
        ConfigError: there is no such folder, or no items table in it; or its items have neither pictures nor
            texts.
    """
    if not folder.is_dir():
        raise ConfigError(f"there is no folder {folder}: name the one that holds the catalogue")
    drafts = []
    for source in sorted(SOURCES.values(), key=lambda source: -source.precedence):
        draft = source.detect(folder)
        if draft is not None and draft.items:
            return draft
        drafts += [draft] if draft is not None else []
    return _from_tables(folder, [draft.interactions["path"] for draft in drafts])


def _from_tables(folder: Path, logs: Sequence[str]) -> Draft:
    """The items that interactions are about, or else those of which most is known.

    Args:
        folder: the catalogue's.
        logs: interactions that sources recognise beside tables of items, `scheme:path`.
    """
    found, notes = tables_below(folder)
    others = [*found, *(table_of_source(path, folder) for path in logs)]
    choices = [
        _Choice(one, column, others)
        for one in found
        if not one.is_log
        for column in one.columns
        if id_score(column) and not is_called(column, USER) and _has_content(folder, one)
    ]
    if not choices:
        raise ConfigError(_no_items(folder, found, notes))
    chosen = max(choices, key=lambda choice: choice.rank)
    items, more = _items_section(folder, chosen)
    modalities, heard = _sounds(folder, chosen.found, items)
    notes += [*more, *heard]
    notes += _other_items(chosen, choices)
    if not chosen.logs:
        notes.append("No table of interactions was found: the run goes as far as pretraining.")
        notes += [_no_join(one, chosen) for one in others if one.is_log]
        return Draft(items, modalities=modalities, notes=notes)
    log = chosen.logs[0]
    notes += [
        f"{other.found.path} could be interactions too (user {other.user.name}, item {other.item.name}); "
        f"{log.found.path} was taken."
        for other in chosen.logs[1:]
    ]
    return Draft(items, _log_section(log), modalities=modalities, notes=notes)


class _Choice:
    """A table as the items, one of its columns as their ids."""

    def __init__(self, found: FoundTable, column: Column, others: Sequence[FoundTable]) -> None:
        self.found, self.column = found, column
        self.ids = found.ids(column.name)
        joined = (join(one, self.ids, column.name) for one in others if one is not found)
        self.logs = sorted(filter(None, joined), key=_log_rank, reverse=True)

    @property
    def rank(self) -> tuple[Any, ...]:
        """Joined by interactions, the likeliest ids of their table, most to read, most items."""
        share = self.logs[0].share if self.logs else 0
        return share > 0, self.column is self.found.id, len(self.found.texts), share, len(self.ids)


def _log_rank(log: Joined) -> tuple[Any, ...]:
    return is_called(log.user, USER), log.share > 0.5, len(log.item.texts), log.share


def _items_section(folder: Path, chosen: _Choice) -> tuple[dict[str, Any], list[str]]:
    """The section of an items table, and notes on what was passed over."""
    found = chosen.found
    pictures, notes = _picture_column(folder, found)
    section: dict[str, Any] = {"path": found.path, "id": chosen.column.name}
    section[IMAGE] = pictures.column if pictures else None
    home = found.file if found.file.is_dir() else found.file.parent
    if pictures is None:
        notes.append(NO_PICTURES)
    elif pictures.root != home:
        section["image_root"] = os.path.relpath(pictures.root, folder)
    if pictures and pictures.urls:
        notes.append("Pictures are URLs: `alignrec download` fetches them before the run.")
    texts = in_reading_order([c for c in found.texts if c is not chosen.column])
    taken = [c for c in texts[:MOST_TEXTS] if _fits_a_template(c.name)]
    section[TEXT] = ". ".join(f"{{{c.name}}}" for c in taken) or None
    if not taken:
        notes.append("No column looks like a text: text is null.")
    left = [c.name for c in texts if c not in taken]
    if left:
        notes.append(f"{found.path}: the texts {', '.join(left)} are left out of the template.")
    return section, notes


def _fits_a_template(name: str) -> bool:
    return not set(name) & set("{}!:.[]")


def _picture_column(folder: Path, found: FoundTable) -> tuple[Pictures | None, list[str]]:
    """The column that most pictures open from, and notes on others that look like it."""
    roots = picture_roots(folder, found.file)
    tried = [one for column in found.columns if (one := try_pictures(column, roots))]
    named = {c.name for c in found.columns if c.pictures > 0.5 or names_files(c, IMAGES)}
    taken = max(tried, key=lambda one: (one.opened, one.urls, one.column in named), default=None)
    if taken and not taken.opened and not taken.urls:
        taken = None
    notes = [
        f"{found.path}: {one.column} looks like pictures, but {one.opened} of {one.tried} open: {one.why}"
        for one in tried
        if one is not taken and not one.opened and not one.urls
    ]
    return taken, notes


def _has_content(folder: Path, found: FoundTable) -> bool:
    """Whether a table has anything to read, to look at or to listen to."""
    return bool(found.texts or _picture_column(folder, found)[0] or _sound_columns(folder, found, None))


def _sounds(
    folder: Path, found: FoundTable, items: dict[str, Any]
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """A modality of the columns that sounds open from, and notes.

    Their paths start where those of pictures do; where there are none, `items` is told where.
    """
    home = found.file if found.file.is_dir() else found.file.parent
    seen = items.get(IMAGE) is not None
    taken = _sound_columns(folder, found, folder / items["image_root"] if "image_root" in items else home)
    notes = []
    if not taken and (elsewhere := _sound_columns(folder, found, None)):
        if not seen:
            taken = elsewhere
            items["image_root"] = os.path.relpath(elsewhere[0].root, folder)
        else:
            notes.append(
                f"{found.path}: {elsewhere[0].column} holds sounds, but its paths do not start where those "
                "of the pictures do: write them from one folder, which image_root names."
            )
    if not taken:
        return {}, notes
    if any(one.urls for one in taken):
        notes.append("Sounds are URLs: `alignrec download` fetches them before the run.")
    return {AUDIO: {"type": AUDIO, "columns": [one.column for one in taken]}}, notes


def _sound_columns(folder: Path, found: FoundTable, root: Path | None) -> list[Pictures]:
    """The columns that sounds open from below a root, or below the one that most open from.

    Ids that are the names of sounds are such a column where there is no other.
    """
    roots = picture_roots(folder, found.file, SOUNDS) if root is None else [root]
    tried = [one for column in found.columns if (one := try_pictures(column, roots, SOUNDS))]
    opened = [one for one in tried if one.opened or one.urls]
    best = max((one.opened for one in opened), default=0)
    opened = [one for one in opened if one.urls or one.opened == best]
    ids = {column.name for column in found.columns if id_score(column) == 1}
    return [one for one in opened if one.column not in ids] or opened[:1]


def _log_section(log: Joined) -> dict[str, Any]:
    """The section of interactions."""
    rest = [c for c in log.found.columns if c not in (log.item, log.user)]
    section: dict[str, Any] = {"path": log.found.path, "user": log.user.name, "item": log.item.name}
    rating, time = best(rest, rating_score, RATING), best(rest, time_score, TIME)
    if rating:
        section["rating"] = rating.name
    if time:
        section["timestamp"] = time.name
    if rating and max(map(float, rating.values)) == 5:
        section["min_rating"] = 4
    return section


def _other_items(chosen: _Choice, choices: Iterable[_Choice]) -> list[str]:
    """Why other tables and other columns of ids were not taken."""
    taken, notes = chosen.found, []
    for choice in choices:
        found = choice.found
        if found is taken and choice is not chosen and id_score(choice.column) == 1:
            notes.append(
                f"{found.path}: {choice.column.name} could be the ids too; {chosen.column.name} was taken."
            )
        elif found is not taken and choice.column is found.id:
            why = (
                "interactions are about it"
                if chosen.logs and not choice.logs
                else f"{len(taken.texts)} columns to read, against {len(found.texts)}; "
                f"{len(chosen.ids):,} items, against {len(choice.ids):,}"
            )
            notes.append(
                f"{found.path} could be the items too; {taken.path} was taken ({why}). Put both into one "
                "table if both matter."
            )
    return notes


def _no_join(log: FoundTable, chosen: _Choice) -> str:
    items = [c for c in log.columns if c.texts]
    examples = ", ".join(f"{c.name} {c.texts[0]!r}" for c in items[:4])
    return (
        f"{log.path} looks like interactions, but none of its columns ({examples}) meets the ids of "
        f"{chosen.found.path} ({chosen.column.name} {min(chosen.ids, default='')!r})."
    )


def _no_items(folder: Path, found: Sequence[FoundTable], notes: Sequence[str]) -> str:
    """The error of a folder in which no table holds items."""
    reasons = [f"\n  {one.path}: {_why_no_items(one)}" for one in found] + [f"\n  {note}" for note in notes]
    names = ", ".join(one.path for one in found) or "none"
    return (
        f"{folder} has no table of items: expected one of {', '.join(formats_by_ending())} with a column of "
        f"ids, each there once, and a text, a picture or a sound. Tables seen: {names}{''.join(reasons)}"
    )


def _why_no_items(found: FoundTable) -> str:
    columns = ", ".join(c.name for c in found.columns) or "no column"
    if found.is_log:
        return f"looks like interactions ({columns})"
    if found.id is None:
        return f"no column has another value in every row ({columns})"
    return (
        f"{found.id.name} could be the ids, but no column holds a text, or pictures or sounds that open "
        f"({columns})"
    )
