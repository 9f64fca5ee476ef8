"""What a training learns from, and the log with its parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from alignrec.aligner.evaluate.splits import Split
from alignrec.core.learned_from import LearnedFrom
from alignrec.pipeline.config.settings import SplitConfig
from alignrec.pipeline.runner.catalogue_split import CatalogueSplit
from alignrec.pipeline.runner.run_folder import RunFolder
from alignrec.pipeline.runner.split_log import interactions_of, learned_from
from tests.pipeline.run_folders import IDS, finish, write_extracted

USERS = ["ann", "bob"]
# Of ann: i0 and i1 in training, i2 in test; of bob: i3 in training, i0 in validation.
PAIRS = [("ann", "i0", 0), ("ann", "i1", 0), ("ann", "i2", 2), ("bob", "i3", 0), ("bob", "i0", 1)]


def write_run(folder: Path, times: list[int | None], unit: str = "s", *, train: bool = False) -> RunFolder:
    """A run whose log mentions the first pair again, later."""
    rows = [*PAIRS, PAIRS[0]]
    schema = pa.schema(
        [
            ("user_id", pa.string()),
            ("item_id", pa.string()),
            ("rating", pa.float64()),
            pa.field("timestamp", pa.int64(), metadata={"unit": unit}),
        ]
    )
    columns: list[Any] = [[row[0] for row in rows], [row[1] for row in rows], [4.0] * 5 + [1.0], times]
    write_extracted(folder, pa.table(columns, schema=schema))
    user = np.array([USERS.index(row[0]) for row in PAIRS])
    item = np.array([IDS.index(row[1]) for row in PAIRS])
    label = np.array([0 if train else row[2] for row in PAIRS], np.uint8)
    CatalogueSplit.of(Split(2, len(IDS), user, item, label), USERS, IDS).write(folder / "split")
    finish(folder / "split", {}, {})
    return RunFolder(folder)


def test_the_earliest_mention_of_a_pair_counts(tmp_path: Path) -> None:
    run = write_run(tmp_path, [1000, 2000, 3000, 1500, 2500, 9999], "ms")
    found = interactions_of(run)
    assert list(zip(found.users, found.items, found.label.tolist(), strict=True)) == PAIRS
    assert found.timestamp.tolist() == [1, 2, 3, 1, 2] and found.rating.tolist() == [4.0] * 5


def test_what_is_learned_from_is_the_training_part_until_its_last_time(tmp_path: Path) -> None:
    run = write_run(tmp_path, [1000, 2500, 3000, 1500, 2999, 9999], "ms")
    assert learned_from(run, SplitConfig(k_core=5), 7) == LearnedFrom(
        "the split's training part: each user's at random, 0.8:0.1:0.1, seed 7, after the 5-core",
        3,
        2,
        "1970-01-01T00:00:02.500Z",
    )


def test_what_learns_from_all_parts_holds_nothing_out(tmp_path: Path) -> None:
    run = write_run(tmp_path, [1, 2, 30, 4, 5, 99])
    found = learned_from(run, SplitConfig(k_core=5), 7, everything=True)
    assert found == LearnedFrom("the whole log, after the 5-core", 5, 0, "1970-01-01T00:00:30Z")


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        ({"method": "temporal", "ratios": (0.5, 0.2, 0.3)}, "before two moments for all users, 0.5:0.2:0.3"),
        ({"method": "leave-one-out"}, "all but each user's last two, seed 7"),
        (
            {"method": "new-items"},
            "all but those of items drawn at random, and a share of each user's, 0.8:0.1:0.1, seed 7",
        ),
        (
            {"method": "mmrec", "path": "a", "items": "b", "users": "c"},
            "as a file in MMRec's format labels them",
        ),
    ],
)
def test_the_rule_is_the_splits(tmp_path: Path, settings: dict[str, Any], rule: str) -> None:
    run = write_run(tmp_path, [1, 2, 3, 4, 5, 6])
    found = learned_from(run, SplitConfig(**{"k_core": 1} | settings), 7)
    assert found.rule == f"the split's training part: {rule}"


def test_without_all_times_none_is_the_last(tmp_path: Path) -> None:
    run = write_run(tmp_path, [1, None, 3, 4, 5, None])
    assert learned_from(run, SplitConfig(), 1).last is None


def test_where_nothing_is_held_out_the_rule_says_so(tmp_path: Path) -> None:
    run = write_run(tmp_path, [1, 2, 30, 4, 5, 6], train=True)
    found = learned_from(run, SplitConfig(k_core=1, ratios=(1, 0, 0)), 1)
    assert found == LearnedFrom("the whole log", 5, 0, "1970-01-01T00:00:30Z") and found.everything
