from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from alignrec.pipeline.commands.split_interactions import released_run, split_interactions
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.errors import CatalogError, ConfigError
from tests.pipeline.run_folders import IDS, write_extracted


def config(folder: Path, **changes: Any) -> Config:
    catalog = {"items": {"path": "x"}, "interactions": {"path": "y", "timestamp": "t"}}
    settings = {"out": folder, "catalog": catalog, "split": {"k_core": 1}, "export": {"sets": ["text"]}}
    return Config.model_validate(settings | changes)


def interactions() -> pa.Table:
    """Three users with all four items each, in time order; of `u0` and `i0` a second, later mention."""
    pairs = [(f"u{user}", item) for user in range(3) for item in IDS]
    users, items = zip(*pairs, ("u0", "i0"), strict=True)
    times = [*range(100, 112), 200]
    return pa.table({"user_id": users, "item_id": items, "rating": [4.0] * 12 + [1.0], "timestamp": times})


def test_each_interaction_has_its_part_rating_and_time(tmp_path: Path) -> None:
    write_extracted(tmp_path, interactions())
    split = split_interactions(config(tmp_path))
    rows = sorted(zip(split.users, split.items, split.rating.tolist(), split.timestamp.tolist(), strict=True))
    pairs = [(f"u{user}", item) for user in range(3) for item in IDS]
    assert rows == [(*pair, 4.0, 100 + n) for n, pair in enumerate(pairs)]
    parts: dict[str, list[int]] = {"u0": [], "u1": [], "u2": []}
    for user, label in zip(split.users, split.label.tolist(), strict=True):
        parts[user].append(label)
    assert {user: sorted(labels) for user, labels in parts.items()} == {user: [0, 0, 1, 2] for user in parts}


def test_without_ratings_and_times_there_are_ones_and_zeros(tmp_path: Path) -> None:
    nothing = pa.nulls(13, pa.float64())
    table = interactions().set_column(2, "rating", nothing)
    write_extracted(tmp_path, table.set_column(3, "timestamp", nothing.cast(pa.int64())))
    catalog = {"items": {"path": "x"}, "interactions": {"path": "y"}}
    split = split_interactions(config(tmp_path, catalog=catalog, split={"k_core": 1, "method": "random"}))
    assert (split.rating.tolist(), split.timestamp.tolist()) == ([1.0] * 12, [0] * 12)


def test_a_runs_folder_is_one_with_a_release_in_it(tmp_path: Path) -> None:
    run = write_extracted(tmp_path / "run", interactions())
    assert released_run(tmp_path / "run") is None, "it has no release yet"
    (tmp_path / "run" / "release").mkdir()
    (tmp_path / "run" / "release" / "manifest.json").touch()
    assert released_run(tmp_path / "run") == (tmp_path / "run" / "release", None)
    assert released_run(tmp_path / "run" / "release") is None
    split = split_interactions(config(tmp_path / "run"))
    found = released_run(run.path)
    assert found is not None and found[1] is not None and found[1].frame().equals(split.frame())


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="holds no finished extract stage"):
        split_interactions(config(tmp_path))
    with pytest.raises(ConfigError, match=r"the config has no catalog\.interactions"):
        split_interactions(config(tmp_path, catalog={"items": {"path": "x"}}))
    assert list(tmp_path.iterdir()) == []
