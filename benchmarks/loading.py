"""How much dearer is `load_features` than reading the same bytes with pyarrow, in time and in memory?

    python benchmarks/loading.py [--items 1000000] [--dim 64]

Writes a release of random vectors into a temporary folder, then loads it and reads it in turn, each in a
process of its own, and prints the ratio of the best times and the peak memory in matrices' sizes: what the
process had at its peak, less what it had after loading a release of ten rows in the same way (the libraries'
code and empty pools, some 50 MB whatever the size).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from alignrec.export import FeatureSet, write_release

# Each is timed without imports; the peak is the kernel's account of the process.
MEASURE = """
import json, sys, time
import pyarrow.parquet as pq
from alignrec.export import load_features
def memory(field):
    line = next(line for line in open("/proc/self/status") if line.startswith(field))
    return int(line.split()[1]) * 1024
work = {work}
work(sys.argv[2])
before = memory("VmRSS")
start = time.perf_counter()
loaded = work(sys.argv[1])
seconds = time.perf_counter() - start
print(json.dumps([seconds, memory("VmHWM") - before]))
"""
LOAD = "lambda folder: load_features(folder, 'image')"
READ = "lambda folder: pq.read_table(folder + '/data/image')"


def make_release(folder: Path, items: int, dim: int) -> int:
    """Write random vectors as a release; returns the bytes of their matrix."""
    ids = [f"item-{number:08d}" for number in range(items)]
    matrix = np.random.default_rng(1).standard_normal((items, dim), dtype=np.float32)
    features = FeatureSet("image", ids, matrix, np.ones(items, dtype=np.bool_))
    write_release(folder, [features], [], {}, extractors={})
    return int(matrix.nbytes)


def measure(work: str, folder: Path) -> tuple[float, int]:
    """Seconds and bytes of one call in a fresh process."""
    command = [sys.executable, "-c", MEASURE.format(work=work), str(folder / "large"), str(folder / "small")]
    seconds, peak = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return seconds, peak


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_release(folder / "small", 10, arguments.dim)
        size = make_release(folder / "large", arguments.items, arguments.dim)
        runs = [(measure(LOAD, folder), measure(READ, folder)) for _ in range(arguments.repeat)]
    loading, reading = (min(run[side][0] for run in runs) for side in (0, 1))
    peak = max(run[0][1] for run in runs) / size
    what = f"{arguments.items:,} items × {arguments.dim}"
    print(f"{what}: load_features {loading:.2f} s, read_table {reading:.2f} s")
    print(f"ratio {loading / reading:.2f} (at most 2); peak memory {peak:.2f} matrices (below 1.5)")


if __name__ == "__main__":
    main()
