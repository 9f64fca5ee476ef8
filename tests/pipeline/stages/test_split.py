from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from alignrec.aligner.evaluate.splits import TEST, TRAIN, VALID, read_mmrec
from alignrec.core.errors import AlignRecWarning
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.errors import CatalogError
from alignrec.pipeline.runner.catalogue_split import CatalogueSplit
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.stages.chain import run
from alignrec.pipeline.stages.split import cut_interactions, times_unused
from tests.conftest import SHARED
from tests.pipeline.tiny_runs import write_tiny

ITEMS = [f"i{n}" for n in range(8)]


def _config(**split: object) -> Config:
    source = {"path": "y", "timestamp": "t"}
    return Config.model_validate(
        {"catalog": {"items": {"path": "x"}, "interactions": source}, "split": {"k_core": 2, **split}}
    )


@pytest.fixture
def interactions() -> pa.Table:
    """Four users with items 0 to 5 each, u3 also with i6 alone; u0 took i0 twice; nobody i7."""
    users = [f"u{n}" for n in range(4) for _ in range(6)] + ["u3", "u0"]
    items = [f"i{n}" for _ in range(4) for n in range(6)] + ["i6", "i0"]
    times = [*range(100, 124), 7, 99]
    columns = {"user_id": users, "item_id": items, "rating": pa.nulls(26, pa.float64()), "timestamp": times}
    return pa.table(columns)


def _pairs(cut: CatalogueSplit, label: int) -> set[tuple[str, str]]:
    table = cut.table().to_pylist()
    return {(row["user_id"], row["item_id"]) for row in table if row["label"] == label}


def test_it_covers_the_catalogue_and_recommends_what_the_core_keeps(interactions: pa.Table) -> None:
    cut = cut_interactions(_config(), ITEMS, interactions)
    assert cut.split.items == 8 and cut.user_ids == ["u0", "u1", "u2", "u3"]
    assert cut.split.recommended.tolist() == [True] * 6 + [False] * 2
    assert len(cut.split.user) == 24
    assert [np.bincount(cut.split.user[cut.split.label == part]).tolist() for part in (VALID, TEST)] == [
        [1] * 4
    ] * 2
    again = cut_interactions(_config(), ITEMS, interactions)
    assert np.array_equal(cut.split.label, again.split.label)


def test_leave_one_out_goes_by_time_and_a_repeat_by_its_first(interactions: pa.Table) -> None:
    cut = cut_interactions(_config(method="leave-one-out"), ITEMS, interactions)
    assert _pairs(cut, TEST) == {(f"u{n}", "i5") for n in range(4)}
    assert _pairs(cut, VALID) == {(f"u{n}", "i4") for n in range(4)}


def test_temporal_cuts_at_two_moments(interactions: pa.Table) -> None:
    cut = cut_interactions(_config(method="temporal", ratios=(0.75, 0.125, 0.125)), ITEMS, interactions)
    assert _pairs(cut, TEST) == {("u3", f"i{n}") for n in (3, 4, 5)}
    assert ("u0", "i0") in _pairs(cut, TRAIN)


def test_new_items_have_nothing_in_train(interactions: pa.Table) -> None:
    settings = {"method": "new-items", "ratios": (0.5, 0.25, 0.25), "k_core": 2}
    cut = cut_interactions(_config(**settings), ITEMS, interactions)
    train, valid, test = ({item for _, item in _pairs(cut, part)} for part in (TRAIN, VALID, TEST))
    assert len(test) == 2 and not test & (train | valid) and len(valid - train) == 2
    assert [len(_pairs(cut, part)) for part in (TRAIN, VALID, TEST)] == [4, 12, 8]
    many = _config(**settings | {"ratios": (0.01, 0.49, 0.5)})
    with pytest.raises(CatalogError, match=r"split\.method new-items: 6 items are too few to hold 6 of them"):
        cut_interactions(many, ITEMS, interactions)


def test_too_large_a_core_says_what_to_lower(interactions: pa.Table) -> None:
    with pytest.raises(CatalogError, match=r"-o split\.k_core"):
        cut_interactions(_config(k_core=9), ITEMS, interactions)


def test_times_that_do_not_cut_are_named_until_the_method_is_written() -> None:
    assert times_unused(_config()).startswith("split: at random, though t has times, so")
    assert times_unused(_config(method="random")) == times_unused(_config(method="temporal")) == ""
    items = {"items": {"path": "x"}}
    assert times_unused(Config.model_validate({"catalog": items})) == ""
    assert times_unused(Config.model_validate({"catalog": items | {"interactions": {"path": "y"}}})) == ""


def _mmrec(folder: Path, items: str = "i5\t0\ni2\t1\n") -> Config:
    (folder / "x.inter").write_text("userID\titemID\tx_label\n0\t0\t0\n0\t1\t2\n1\t1\t0\n")
    (folder / "items.csv").write_text("asin\titemID\n" + items)
    (folder / "users.csv").write_text("user_id\tuserID\nb\t1\na\t0\n")
    names = {"path": "x.inter", "items": "items.csv", "users": "users.csv"}
    return _config(method="mmrec", **{key: folder / name for key, name in names.items()})


def test_a_split_of_mmrec_keeps_its_labels(tmp_path: Path) -> None:
    cut = cut_interactions(_mmrec(tmp_path), ITEMS, None)
    assert _pairs(cut, TRAIN) == {("a", "i5"), ("b", "i2")}
    assert _pairs(cut, TEST) == {("a", "i2")}
    assert np.flatnonzero(cut.split.recommended).tolist() == [2, 5]


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ("i5\t0\nother\t1\n", "The id 'other' is not in the catalogue, whose ids look like 'i0'"),
        ("i5\t0\n", r"split\.items: .*items\.csv has no id for 1 of the numbers 0 to 1, such as 1\."),
        ("i5\t0\ni2\n", r"split\.items: .*items\.csv, line 3: expected an id, .* got \['i2'\]"),
    ],
)
def test_a_split_of_other_items_is_refused(tmp_path: Path, items: str, expected: str) -> None:
    with pytest.raises(CatalogError, match=expected):
        cut_interactions(_mmrec(tmp_path, items), ITEMS, None)


def test_the_shared_split_is_read_as_it_is() -> None:
    folder = SHARED / "bench" / "ml100k"
    if not folder.is_dir():
        pytest.skip("the shared benchmark is not beside the project")
    ids = [line.split("\t")[0] for line in (folder / "i_id_mapping.csv").read_text().splitlines()[1:]]
    catalogue = sorted([*ids, "no one's"])
    paths = {"path": "ml100k.inter", "items": "i_id_mapping.csv", "users": "u_id_mapping.csv"}
    config = _config(method="mmrec", **{key: folder / name for key, name in paths.items()})
    cut = cut_interactions(config, catalogue, None)
    with (folder / "ml100k.inter").open() as lines:
        raw = read_mmrec(lines)
    assert np.array_equal(cut.split.label, raw.label)
    assert [catalogue[row] for row in cut.split.item[:50]] == [ids[item] for item in raw.item[:50]]
    assert int(cut.split.recommended.sum()) == raw.items


def test_a_log_with_times_and_no_method_warns_as_it_is_cut(tmp_path: Path) -> None:
    config = write_tiny(tmp_path)
    config.write_text(config.read_text().replace("  method: random\n", ""))
    with pytest.warns(AlignRecWarning, match="at random, though timestamp has times"):
        run(config, "split", console=Console(quiet=True))
