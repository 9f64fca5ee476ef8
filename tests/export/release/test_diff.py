from __future__ import annotations

import json
import timeit
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from alignrec.export import FeatureSet, write_release
from alignrec.export.load import open_release
from alignrec.export.release.diff import diff_releases, diff_sets
from tests.export.hub_cases import features, make_release


def test_equal_releases_are_equal(tmp_path: Path) -> None:
    make_release(tmp_path / "a")
    make_release(tmp_path / "b")
    found = diff_releases(open_release(tmp_path / "a"), open_release(tmp_path / "b"))
    assert found.equal and not found.only_first and not found.metrics
    for one in found.sets:
        assert (one.added, one.removed, one.changed, one.same) == ([], [], [], 16)
        assert one.cosine is not None and one.cosine["least"] == pytest.approx(1)
        assert one.neighbours == 1


def test_items_that_came_went_and_changed_are_named() -> None:
    first = features("image", 8)
    ids = [*first.ids[:-2], "new"]  # i018 and i019 went; i000, i005, i010, i015 are not valid
    matrix = np.concatenate([first.matrix[:-2], np.ones((1, 8), np.float32)])
    valid = np.append(first.valid[:-2], True)
    matrix[1] = -matrix[1]
    matrix[2] *= 2
    matrix[5], valid[5] = 1, True
    found = diff_sets(first, FeatureSet("image", ids, matrix, valid))
    assert found.added == ["i005", "new"] and found.removed == ["i018", "i019"]
    assert found.changed == ["i001", "i002"] and found.same == 12
    assert found.cosine is not None and found.cosine["least"] == pytest.approx(-1)


def test_neighbours_do_not_care_for_rotation_or_dimension() -> None:
    first = features("image", 8, n=200)
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(8, 8)))[0].astype(np.float32)
    rotated = diff_sets(first, replace(first, matrix=first.matrix @ rotation))
    assert rotated.neighbours is not None and rotated.neighbours > 0.99
    assert rotated.cosine is not None and rotated.cosine["mean"] < 0.5
    other = diff_sets(first, features("image", 5, seed=1, n=200))
    assert other.cosine is None and other.dims == (8, 5) and len(other.changed) == 160
    assert other.neighbours is not None and other.neighbours < 0.2


def _with_metrics(folder: Path, *values: float) -> None:
    records = [
        {"protocol": "zero-shot", "subject": "image", "against": None, "metric": "recall", "k": 20}
        | {"split": "test", "seed": seed, "aggregate": aggregate, "share": None, "value": value}
        | {"low": None, "high": None}
        for seed, aggregate, value in zip((1, 2, None), (None, None, "mean"), values, strict=False)
    ]
    write_release(
        folder,
        [features("image", 4)],
        [],
        {},
        extractors={},
        metrics=json.dumps({"format": 1, "records": records}).encode(),
    )


def test_metrics_stand_side_by_side(tmp_path: Path) -> None:
    _with_metrics(tmp_path / "a", 0.1, 0.3, 0.2)
    _with_metrics(tmp_path / "b", 0.2, 0.4, 0.3)
    (record,) = diff_releases(open_release(tmp_path / "a"), open_release(tmp_path / "b")).metrics
    assert (record["protocol"], record["first"], record["second"]) == ("zero-shot", 0.2, 0.3)


def test_a_single_training_stands_beside_the_mean_of_several(tmp_path: Path) -> None:
    _with_metrics(tmp_path / "a", 0.1)
    _with_metrics(tmp_path / "b", 0.2, 0.4, 0.3)
    (record,) = diff_releases(open_release(tmp_path / "a"), open_release(tmp_path / "b")).metrics
    assert (record["first"], record["second"]) == (0.1, 0.3)


def test_equal_vectors_take_no_longer_than_others() -> None:
    rng = np.random.default_rng(0)
    valid = np.ones(8000, dtype=np.bool_)
    ids = [f"i{n:05d}" for n in range(len(valid))]

    def seconds(matrix: np.ndarray) -> float:
        one = FeatureSet("image", ids, matrix.astype(np.float32), valid)
        return min(timeit.repeat(lambda: diff_sets(one, one), number=1, repeat=3))

    apart = seconds(rng.standard_normal((len(valid), 8)))
    equal = np.tile(rng.standard_normal((1, 8)), (len(valid), 1))
    nearly = equal + 1e-7 * rng.standard_normal(equal.shape)
    groups = rng.standard_normal((7, 8))[rng.integers(0, 7, len(valid))]
    assert max(seconds(equal), seconds(nearly), seconds(groups)) < 3 * apart
