"""How much dearer are checked interactions than pyarrow alone, which parses the same file on as many threads?

    python benchmarks/reading.py [--rows 10000000] [--repeat 3]

Writes random interactions of 200,000 users and 50,000 items into a temporary folder, as Parquet and as CSV,
and reads each in turn with `read_interactions` and with pyarrow alone (`read_table`, `read_csv`), every time
in a fresh process. Prints the ratio of the medians, and the peak memory that reading added.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

USERS, ITEMS = 200_000, 50_000
FORMS = ("parquet", "csv")
# Imports and a small file come first, untimed; the peak is the kernel's account of the process.
MEASURE = """
import json, sys, time
import pyarrow.csv, pyarrow.parquet
from alignrec.pipeline.catalog.interactions import read_interactions
from alignrec.pipeline.config.catalog import InteractionsConfig
def memory(field):
    line = next(line for line in open("/proc/self/status") if line.startswith(field))
    return int(line.split()[1]) * 1024
def ours(path):
    config = InteractionsConfig(path=path, rating="rating", timestamp="timestamp")
    return read_interactions(config, items).table
def alone(path):
    return pyarrow.csv.read_csv(path) if path.endswith(".csv") else pyarrow.parquet.read_table(path)
work, large, small, count = globals()[sys.argv[1]], *sys.argv[2:4], int(sys.argv[4])
items = [f"item-{number:06d}" for number in range(count)]
work(small)
before = memory("VmRSS")
start = time.perf_counter()
table = work(large)
seconds = time.perf_counter() - start
print(json.dumps([seconds, memory("VmHWM") - before, table.nbytes, table.num_rows]))
"""


def write_interactions(folder: Path, name: str, rows: int) -> None:
    """Write random interactions in every form."""
    rng = np.random.default_rng(1)
    users = pa.array([f"user-{number:07d}" for number in range(USERS)])
    items = pa.array([f"item-{number:06d}" for number in range(ITEMS)])
    table = pa.table(
        {
            "user_id": users.take(pa.array(rng.integers(0, USERS, rows))),
            "item_id": items.take(pa.array(rng.integers(0, ITEMS, rows))),
            "rating": rng.integers(1, 6, rows).astype(np.float64),
            "timestamp": rng.integers(1_000_000_000, 1_700_000_000, rows),
        }
    )
    pq.write_table(table, folder / f"{name}.parquet")
    pa.csv.write_csv(table, folder / f"{name}.csv")


def measure(work: str, folder: Path, form: str) -> tuple[float, int, int, int]:
    """Seconds, bytes at the peak, bytes of the table and its rows, of one reading in a fresh process."""
    files = [str(folder / f"{name}.{form}") for name in ("large", "small")]
    command = [sys.executable, "-c", MEASURE, work, *files, str(ITEMS)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    seconds, peak, size, rows = json.loads(answer)
    return seconds, peak, size, rows


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_interactions(folder, "large", options.rows)
        write_interactions(folder, "small", 10)
        print(f"{options.rows:,} interactions, {pa.cpu_count()} threads")
        for form in FORMS:
            runs = [
                (measure("ours", folder, form), measure("alone", folder, form)) for _ in range(options.repeat)
            ]
            ours, alone = (statistics.median(run[side][0] for run in runs) for side in (0, 1))
            peaks = [max(run[side][1] for run in runs) / 2**20 for side in (0, 1)]
            assert all(reading[3] == options.rows for run in runs for reading in run)
            size = runs[0][0][2] / 2**20
            print(
                f"{form}: checked {ours:.2f} s, pyarrow alone {alone:.2f} s, ratio {ours / alone:.2f} "
                f"(at most 3); peak {peaks[0]:,.0f} MiB, alone {peaks[1]:,.0f}, for a table of {size:,.0f}"
            )


if __name__ == "__main__":
    main()
