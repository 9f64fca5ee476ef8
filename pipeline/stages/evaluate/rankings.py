"""Lists from elsewhere in a run's evaluation: ids mapped back to the run's, the rules checked, measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from alignrec.aligner.evaluate.evaluator import Evaluator
from alignrec.aligner.evaluate.ranked_lists import RankedLists, evaluate_lists, possible_lengths
from alignrec.aligner.evaluate.splits import TEST
from alignrec.aligner.evaluate.top_k import Evaluations, of_few_interactions
from alignrec.core.display import shown
from alignrec.core.files import sha256_file
from alignrec.core.protocols import TOP_K
from alignrec.core.vocabulary import is_own
from alignrec.export.formats.mmrec import ITEM_IDS, USER_IDS, dense_ids
from alignrec.pipeline.catalog.id_maps import read_ids
from alignrec.pipeline.catalog.rankings import RankedIds, read_rankings
from alignrec.pipeline.errors import CatalogError, ConfigError
from alignrec.pipeline.runner.catalogue_split import CatalogueSplit

Note = Callable[[str], None]


def check_names(names: Iterable[str], taken: Iterable[str]) -> None:
    """Refuse names of other rows.

    Args:
        names: of lists from elsewhere.
        taken: the names of landmarks.

    Raises:
        ConfigError: a name is that of a set, an ablation or a landmark.
    """
    used = {name.casefold() for name in taken}
    for name in names:
        if is_own(name) or name.casefold() in used:
            raise ConfigError(
                f"evaluate.rankings: {name!r} is the name of a row of this evaluation: give the lists another"
            )


def rankings_inputs(rankings: Mapping[str, Path]) -> dict[str, list[str]]:
    """What decides the rows of lists from elsewhere: the hashes of each list's file and of its id maps.

    Raises:
        CatalogError: a file is not there.
    """
    for path in rankings.values():
        if not path.is_file():
            raise CatalogError(f"evaluate.rankings: there is no file {path}")
    return {name: [sha256_file(file) for file in (path, *_id_maps(path))] for name, path in rankings.items()}


def evaluate_rankings(
    rankings: Mapping[str, Path], cut: CatalogueSplit, evaluator: Evaluator, note: Note
) -> dict[str, Evaluations]:
    """The lists of each file, measured on test.

    A user who has positives and no list finds nothing, which is noted.

    Args:
        rankings: by the name of their row, files of the forms that `read_rankings` reads. Ids are the run's,
            or MMRec's numbers: those of `u_id_mapping.csv` and `i_id_mapping.csv` beside the file, and
            without these two the numbers that the run's own export in MMRec's format has.
        cut: the run's split.
        evaluator: of the run.
        note: takes lines for a person.

    Raises:
        CatalogError: a file cannot be read, or breaks a rule: unknown users or items, an item twice in a
            list or from the user's training history, a list that is too short.
    """
    found: dict[str, Evaluations] = {}
    for name, path in rankings.items():
        on_test = evaluate_lists(_lists(name, path, cut, evaluator, note), evaluator)
        reached: Evaluations = {(TOP_K, "test"): on_test}
        found[name] = {**reached, **of_few_interactions(reached, cut.split)}
    return found


def _lists(name: str, path: Path, cut: CatalogueSplit, evaluator: Evaluator, note: Note) -> NDArray[np.int64]:
    """Checked lists, int64 `[users, largest k]`."""
    found = read_rankings(path)
    user, item = found.user, found.item
    if found.dense:
        user_names, item_names = _numbered(path, cut)
        user = _ids(user, user_names, found.where, "users")
        item = _ids(item, item_names, found.where, "items")
    users = _indices(user, cut.user_ids, found.where, "users")
    items = _indices(item, cut.item_ids, found.where, "items")
    order = np.lexsort((found.order, users))
    lists = RankedLists(users[order], items[order])
    for entries, fault in (
        (lists.repeated(), "recommends an item twice"),
        (lists.trained_on(evaluator), "recommends what the user has in the training part of the split"),
    ):
        if len(entries):
            first = int(entries[0])
            raise CatalogError(
                f"{found.where} {fault}, {len(entries):,} times: such as item "
                f"{shown(cut.item_ids[int(lists.item[first])])} for user "
                f"{shown(cut.user_ids[int(lists.user[first])])}. Leave such items out where the lists are "
                "written."
            )
    ranked = lists.ranked(evaluator)
    _check_lengths(found, ranked, lists, cut, evaluator)
    with_positives = np.unique(cut.split.user[cut.split.label == TEST])
    without = np.setdiff1d(with_positives, lists.user)
    if len(without) == len(with_positives):
        raise CatalogError(f"{found.where} has no list of any user with positives in test.")
    if len(without):
        note(
            f"evaluate: {name} has no list for {len(without):,} of {len(with_positives):,} users with "
            f"positives, such as {shown(cut.user_ids[int(without[0])])}: they count as finding nothing"
        )
    return ranked


def _check_lengths(
    found: RankedIds,
    ranked: NDArray[np.int64],
    lists: RankedLists,
    cut: CatalogueSplit,
    evaluator: Evaluator,
) -> None:
    """Refuse lists that would lose hits by their length alone."""
    users = np.unique(lists.user)
    lengths, wanted = (ranked[users] >= 0).sum(axis=1), possible_lengths(evaluator)[users]
    short = np.flatnonzero(lengths < wanted)
    if len(short):
        user = int(users[short[0]])
        raise CatalogError(
            f"{found.where}: {len(short):,} of {len(users):,} lists are shorter than the largest k of the "
            f"evaluation, {max(evaluator.ks)}, such as that of user {shown(cut.user_ids[user])} with "
            f"{lengths[short[0]]} items that may be recommended. Write longer lists, or set evaluate.k to "
            "what they hold."
        )


def _indices(values: pa.Array, names: Sequence[str], where: str, what: str) -> NDArray[np.int64]:
    """Each value's place among names, int64 `[n]`; all of them must have one."""
    coded = values.dictionary_encode()
    place = pc.index_in(coded.dictionary, pa.array(names, pa.string()))
    if place.null_count:
        unknown = coded.dictionary.filter(place.is_null())
        raise CatalogError(
            f"{where}: {len(unknown):,} of {len(place):,} {what} are not known, such as "
            f"{shown(unknown[0].as_py())}; known are such as {shown(names[0])}. The lists must come from "
            "the split that this run exports."
        )
    rows = place.to_numpy(zero_copy_only=False).astype(np.int64)
    indices: NDArray[np.int64] = rows[coded.indices.to_numpy(zero_copy_only=False)]
    return indices


def _ids(numbers: pa.Array, names: Sequence[str], where: str, what: str) -> pa.Array:
    """The ids behind MMRec's numbers."""
    rows = _indices(numbers, [str(number) for number in range(len(names))], where, what)
    return pa.array(names, pa.string()).take(pa.array(rows))


def _numbered(path: Path, cut: CatalogueSplit) -> tuple[Sequence[str], Sequence[str]]:
    """User and item ids by MMRec's numbers: of the maps beside a file, else those of the run's own export."""
    if maps := _id_maps(path):
        users, items = (read_ids(file) for file in maps)
        return users, items
    pairs = cut.table()
    return tuple(dense_ids(pairs[name].to_pylist())[1] for name in ("user_id", "item_id"))  # type: ignore[return-value]


def _id_maps(path: Path) -> list[Path]:
    """The id maps of users and items beside a file; none unless both are there."""
    maps = [path.parent / name for name in (USER_IDS, ITEM_IDS)]
    return maps if all(file.is_file() for file in maps) else []
