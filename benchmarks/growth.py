"""How do the graph of neighbours and the evaluation grow, beside the plainest way to the same?

    OMP_NUM_THREADS=1 python benchmarks/growth.py [--graph 1000 …] [--ranking 1000 …] [--plot FILE.svg]

The graph of the ten nearest items stands beside the matrix product that it needs, in the same blocks, its
result thrown away. The evaluation of 512 users, all metrics at 10 and 20, stands beside a loop over users
that scores, sorts and counts recall alone. Both sides run one after the other in one process, in one thread,
on drawn vectors of 768 dimensions for the graph and of 128 for the evaluation; the times are CPU seconds.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from alignrec.aligner.evaluate.metrics import hits, measure
from alignrec.aligner.evaluate.ranking import dot_scorer, rank
from alignrec.aligner.neighbours import cosine_neighbours

SEED, NEIGHBOURS, USERS, CUT_OFFS = 1, 10, 512, (10, 20)
CONTENT_DIM, DIM = 768, 128
HISTORY, POSITIVES = 20, 5  # items of a user
CELLS = 1 << 22  # of a block of scores, as the graph has them
Floats = NDArray[np.float32]
Times = tuple[int, float, float]
Panel = tuple[str, tuple[str, str], list[Times]]


def seconds(work: Callable[[], Any]) -> float:
    """CPU time of this process."""
    started = time.process_time()
    work()
    return time.process_time() - started


def drawn(rows: int, dim: int = DIM) -> Floats:
    """Vectors of length 1."""
    vectors = np.random.default_rng(SEED).standard_normal((rows, dim), dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def product(vectors: Floats) -> None:
    """All cosines, a block of rows at a time."""
    size = max(1, CELLS // len(vectors))
    for start in range(0, len(vectors), size):
        vectors[start : start + size] @ vectors.T


def graph(items: int) -> Times:
    """Seconds of the graph and of the product."""
    vectors = drawn(items, CONTENT_DIM)
    return items, seconds(lambda: cosine_neighbours(vectors, NEIGHBOURS)), seconds(lambda: product(vectors))


def matrix(items: int, each: int, seed: int) -> sp.csr_array:
    """Items of users, drawn: CSR `[USERS, items]`."""
    rng = np.random.default_rng(seed)
    chosen = np.stack([rng.choice(items, each, replace=False) for _ in range(USERS)])
    ones, rows = np.ones(chosen.size, dtype=np.float32), np.repeat(np.arange(USERS), each)
    return sp.csr_array((ones, (rows, chosen.ravel())), shape=(USERS, items))


def ranking(items: int) -> Times:
    """Seconds of the evaluation and of the loop, which must agree on recall."""
    item, user = drawn(items), drawn(USERS)
    history, positives = matrix(items, HISTORY, 2), matrix(items, POSITIVES, 3)
    users, counts = np.arange(USERS), np.diff(positives.indptr).astype(np.int64)
    found: dict[str, Any] = {}

    def ours() -> None:
        best = rank(dot_scorer(user, item), users, max(CUT_OFFS), history)
        found["ours"] = measure(hits(best, users, positives), counts, CUT_OFFS)["recall", max(CUT_OFFS)]

    def loop() -> None:
        recalls = []
        for one in users:
            scores = item @ user[one]
            scores[history.indices[history.indptr[one] : history.indptr[one + 1]]] = -np.inf
            best = np.argsort(-scores)[: max(CUT_OFFS)]
            wanted = positives.indices[positives.indptr[one] : positives.indptr[one + 1]]
            recalls.append(len(set(best) & set(wanted)) / len(wanted))
        found["loop"] = np.array(recalls)

    times = items, seconds(ours), seconds(loop)
    assert np.allclose(found["ours"], found["loop"])
    return times


def grown(title: str, sides: tuple[str, str], work: Callable[[int], Times], sizes: Sequence[int]) -> Panel:
    """Both sides for each size, printed as they come."""
    work(sizes[0])
    print(f"\n{title}\n| items | {sides[0]} | {sides[1]} | ratio |\n| --- | --- | --- | --- |", flush=True)
    rows = []
    for size in sizes:
        items, ours, plain = work(size)
        print(f"| {items:,} | {ours:.3f} s | {plain:.3f} s | {ours / plain:.2f} |", flush=True)
        rows.append((items, ours, plain))
    return title, sides, rows


def plot(path: Path, panels: Sequence[Panel]) -> None:
    """Both sides by the number of items, on logarithmic axes; equal numbers give equal bytes."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams["svg.hashsalt"] = "growth"
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    for axes, (title, sides, rows) in zip(figure.subplots(1, len(panels)), panels, strict=True):
        items, ours, plain = zip(*rows, strict=True)
        axes.loglog(items, ours, "o-", label=sides[0])
        axes.loglog(items, plain, "s--", label=sides[1])
        axes.set(title=title, xlabel="items", ylabel="CPU seconds, one thread")
        axes.grid(alpha=0.3)
        axes.legend()
    figure.savefig(path, metadata={"Date": None})


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--graph", type=int, nargs="+", default=[1_000, 3_000, 10_000, 30_000, 100_000])
    parser.add_argument("--ranking", type=int, nargs="+", default=[1_000, 3_000, 10_000, 30_000, 100_000])
    parser.add_argument("--plot", type=Path)
    wanted = parser.parse_args(arguments)
    with threadpool_limits(1):
        panels = [
            grown("Ranking for 512 users", ("evaluation", "loop over users"), ranking, wanted.ranking),
            grown("Ten nearest items of each", ("graph", "its matrix product"), graph, wanted.graph),
        ]
    if wanted.plot is not None:
        plot(wanted.plot, panels)


if __name__ == "__main__":
    main()
