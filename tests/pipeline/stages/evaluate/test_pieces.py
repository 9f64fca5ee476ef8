"""A piece of an evaluation: made once, known by all that decides it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from alignrec.aligner.evaluate.evaluator import Evaluator
from alignrec.aligner.evaluate.ranking import Scorer
from alignrec.aligner.evaluate.splits import Split
from alignrec.pipeline.runner.checkpoint import Checkpoint
from alignrec.pipeline.stages.evaluate.pieces import Less, Piece, checkpoint_of, keep_controls, split_parts

SPLIT = Split(2, 3, np.array([0, 0, 1, 1]), np.array([0, 1, 1, 2]), np.array([0, 2, 0, 1], np.uint8))


def _piece(
    folder: Path,
    fits: list[str],
    seed: int = 1,
    redrawn: int | None = None,
    less: Less | None = None,
) -> Piece:
    def fit(checkpoint: Checkpoint, title: str) -> Scorer:
        fits.append(title)
        checkpoint.path.write_bytes(b"half-way")
        return lambda users: np.ones((len(users), 3), np.float32)

    return Piece("ours", seed, fit, {"split": "own", **split_parts(redrawn, less)}, folder, less)


def test_a_piece_is_trained_once_and_its_checkpoint_goes(tmp_path: Path) -> None:
    fits: list[str] = []
    piece = _piece(tmp_path, fits)
    first = piece.evaluate(Evaluator(SPLIT, (1,)), "first")
    again = _piece(tmp_path, fits).evaluate(Evaluator(SPLIT, (1,)), "again")
    assert fits == ["first"] and first.keys() == again.keys()
    assert piece.reached.exists() and not piece.checkpoint.path.exists()


def test_another_seed_and_another_split_are_another_piece(tmp_path: Path) -> None:
    pieces = [
        _piece(tmp_path, [], seed, redrawn, less)
        for seed in (1, 2)
        for redrawn in (None, 1, 2)
        for less in (None, Less("thinned", 0.1), Less("thinned", 0.2), Less("trained-mask-image", 0.2))
    ]
    assert len({piece.reached for piece in pieces}) == len(pieces)
    assert split_parts(None, None) == {}, "the run's own split is among the parts already"


def test_a_piece_of_thinned_histories_is_measured_under_these_alone(tmp_path: Path) -> None:
    piece = _piece(tmp_path, [], less=Less("thinned", 0.2))
    assert piece.name == "ours, seed 1, thinned histories, 20% kept"
    assert [protocol for protocol, _ in piece.evaluate(Evaluator(SPLIT, (1,)), "")] == ["thinned"] * 2


def test_what_other_controls_reached_goes(tmp_path: Path) -> None:
    fits: list[str] = []
    kept, other = _piece(tmp_path, fits), _piece(tmp_path, fits, seed=2)
    for piece in (kept, other):
        piece.evaluate(Evaluator(SPLIT, (1,)), piece.name)
    keep_controls([kept])
    assert list(tmp_path.iterdir()) == [kept.reached]
    assert checkpoint_of(tmp_path, kept.name, kept.parts).path.with_suffix(".judged") == kept.reached
