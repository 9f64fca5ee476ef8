from __future__ import annotations

from pathlib import Path

import numpy as np

from alignrec.aligner.evaluate.evaluation import Evaluation
from alignrec.aligner.evaluate.top_k import Evaluations
from alignrec.pipeline.stages.evaluate.evaluation_cache import kept_evaluations


def evaluations() -> Evaluations:
    values = {("recall", 10): np.array([0.25, 1.0]), ("ndcg", 20): np.array([0.5, 0.0])}
    return {
        ("top-k", "test"): Evaluation(np.array([1, 3]), values),
        ("top-k", "valid"): Evaluation(np.array([], np.int64), {("recall", 10): np.array([])}),
    }


def test_what_was_reached_is_kept_and_not_reached_again(tmp_path: Path) -> None:
    calls: list[str] = []
    path = tmp_path / "scratch" / "piece.npz"
    for _ in range(2):
        kept = kept_evaluations(path, lambda: calls.append("evaluated") or evaluations())  # type: ignore[func-returns-value]
        assert list(kept) == list(evaluations()) and len(kept) == 2
        for key, expected in evaluations().items():
            assert kept[key].users.tolist() == expected.users.tolist()
            assert {name: v.tolist() for name, v in kept[key].values.items()} == {
                name: v.tolist() for name, v in expected.values.items()
            }
    assert calls == ["evaluated"]
    assert [file.name for file in path.parent.iterdir()] == ["piece.npz"]


def test_what_is_damaged_is_reached_again(tmp_path: Path) -> None:
    path = tmp_path / "piece.npz"
    kept_evaluations(path, evaluations)
    whole = path.read_bytes()
    for damaged in (whole[:-9], b"", whole[:40] + bytes([whole[40] ^ 1]) + whole[41:]):
        path.write_bytes(damaged)
        kept = kept_evaluations(path, evaluations)
        assert kept["top-k", "test"].values["recall", 10].tolist() == [0.25, 1.0]
        assert path.read_bytes() == whole
