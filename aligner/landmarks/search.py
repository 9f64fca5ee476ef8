"""A landmark's settings, chosen on validation as ours are: a small search whose budget is stated."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from alignrec.aligner.evaluate.evaluation import evaluate
from alignrec.aligner.evaluate.ranking import Scorer
from alignrec.aligner.evaluate.splits import VALID, Split
from alignrec.aligner.landmarks.contract import Search

# Of landmarks that are trained by BPR: what decides them most comes first.
TRAINED = Search(
    {
        "l2_weight": (0.0, 1e-4, 1e-3, 1e-2, 3e-2, 1e-1),
        "learning_rate": (0.0003, 0.001, 0.003, 0.01),
        "dim": (64, 128, 256),
    },
    budget=10,
)


def climb(
    grid: Mapping[str, Sequence[float]],
    start: Mapping[str, float],
    score: Callable[[Mapping[str, float]], float],
    budget: int,
) -> dict[str, float]:
    """Coordinate search: one setting at a time goes to the next value of its grid while the score rises.

    Args:
        grid: for each setting its values, in order; settings are tried in the grid's order, round after
            round, until a round changes nothing.
        start: a value of each.
        score: of settings, as a rule a recall on validation; the higher the better.
        budget: how many settings are scored at most, at least 1.

    Returns:
        The best settings that were scored; of equals the first.
    """
    best = dict(start)
    scores = {tuple(best.values()): score(best)}

    def better(candidate: dict[str, float]) -> bool:
        key = tuple(candidate.values())
        if key not in scores and len(scores) < budget:
            scores[key] = score(candidate)
        return key in scores and scores[key] > scores[tuple(best.values())]

    changed = True
    while changed:
        changed = False
        for name, values in grid.items():
            for step in (1, -1):
                place = values.index(best[name]) + step
                while 0 <= place < len(values) and better({**best, name: values[place]}):
                    best, changed = {**best, name: values[place]}, True
                    place += step
    return best


def validation_recall(scorer: Scorer, split: Split) -> float:
    """Recall@20 on validation, which settings are chosen by."""
    return evaluate(scorer, split, VALID, (20,)).mean("recall", 20)
