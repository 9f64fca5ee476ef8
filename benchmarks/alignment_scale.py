"""What does linear alignment cost, by items and by modalities?

    python benchmarks/alignment_scale.py --items 10000 100000 --views 2 6

Draws modalities that share causes, 5% of each missing, fits the linear encoder and encodes all items, each
size in a process of its own. Prints seconds of both, what the modalities' vectors take, and the peak of the
whole process, these and the item vectors included.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Sequence

import numpy as np

from alignrec.aligner.inputs import Inputs, ModalityInput, TokenSequences
from alignrec.aligner.pretrain.linear_encoder import LinearEncoder
from alignrec.aligner.pretrain.settings import PretrainSettings

GIB = 1 << 30
CAUSES, DIM, MISSING, BLOCK = 64, 384, 0.05, 4096


def draw(items: int, views: int) -> Inputs:
    """Modalities of common causes, float32 `[items, 384]` each."""
    rng = np.random.default_rng(1)
    causes = rng.standard_normal((items, CAUSES), dtype=np.float32)
    inputs = {}
    for view in range(views):
        mixing = rng.standard_normal((CAUSES, DIM), dtype=np.float32)
        valid = rng.random(items) >= MISSING
        pooled = np.zeros((items, DIM), dtype=np.float32)
        for start in range(0, items, BLOCK):
            rows = slice(start, start + BLOCK)
            noise = 4 * rng.standard_normal((len(valid[rows]), DIM), dtype=np.float32)
            pooled[rows] = (causes[rows] @ mixing + noise) * valid[rows, None]
        tokens = TokenSequences(np.zeros((0, 2), np.float16), np.zeros(items + 1, np.int64))
        inputs[f"view{view}"] = ModalityInput(pooled, valid, tokens, kind="text")
    return inputs


def measure(items: int, views: int, dim: int) -> None:
    """Print one line of the table."""
    inputs = draw(items, views)
    given = sum(source.pooled.nbytes for source in inputs.values())
    start = time.perf_counter()
    encoder = LinearEncoder.fitted(PretrainSettings(vector="linear", dim=dim), inputs, seed=1)
    fitted = time.perf_counter()
    vectors, _ = encoder.encode(inputs)
    done = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(
        f"| {items:,} | {views} | {vectors.shape[1]} | {fitted - start:.0f} s | {done - fitted:.0f} s "
        f"| {given / GIB:.2f} GiB | {peak / GIB:.2f} GiB |",
        flush=True,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure every size."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--views", type=int, nargs="+", default=[2, 6])
    parser.add_argument("--dim", type=int, default=1024, help="of the vectors, at most")
    asked = parser.parse_args(arguments)
    if len(asked.items) == len(asked.views) == 1:
        measure(asked.items[0], asked.views[0], asked.dim)
        return
    print("| items | modalities | width | fit | encode | vectors given | peak |")
    print("| --- | --- | --- | --- | --- | --- | --- |", flush=True)
    for items in asked.items:
        for views in asked.views:
            size = ["--items", str(items), "--views", str(views), "--dim", str(asked.dim)]
            subprocess.run([sys.executable, __file__, *size], check=True)


if __name__ == "__main__":
    main()
