"""How much dearer are checked interactions than pyarrow alone, which parses the same file on as many threads?

    python benchmarks/reading.py [--rows 10000000] [--repeat 5]

Writes random interactions of 200,000 users and 50,000 items into a temporary folder, as Parquet and as CSV,
and reads each with `read_interactions` and with pyarrow alone (`read_table`, `read_csv`).

The ratio is that of medians in one process, where the two take turns and have read the file once before the
first turn is timed: their memory is then their allocator's own. The first touch of memory that the system has
to find, or a virtual machine's host, costs both by the byte, as much as reading does and differently on each
machine; the ratio with it, of one reading each in fresh processes, is printed beside. Peaks are of those
processes, what reading added.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from alignrec.pipeline.catalog.interactions import read_interactions
from alignrec.pipeline.config.catalog import InteractionsConfig

USERS, ITEMS = 200_000, 50_000
SMALL = 10  # rows of a file that is read untimed, in a fresh process
FORMS = ("parquet", "csv")
OURS, ALONE = "checked", "alone"


@dataclass(frozen=True)
class Fresh:
    """One reading in a fresh process, after imports and a small file: seconds, and bytes at its peak."""

    seconds: float
    peak: int


def checked(path: Path) -> pa.Table:
    """The interactions of a file as a run reads them."""
    config = InteractionsConfig(path=str(path), rating="rating", timestamp="timestamp")
    return read_interactions(config, [f"item-{number:06d}" for number in range(ITEMS)]).table


def alone(path: Path) -> pa.Table:
    """The same file as pyarrow parses it."""
    return pyarrow.csv.read_csv(path) if path.suffix == ".csv" else pq.read_table(path)


READERS: dict[str, Callable[[Path], pa.Table]] = {OURS: checked, ALONE: alone}


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


def seconds_of(reader: str, path: Path, rows: int) -> float:
    """How long one reading takes; its table is gone afterwards."""
    start = time.perf_counter()
    table = READERS[reader](path)
    seconds = time.perf_counter() - start
    assert table.num_rows == rows
    return seconds


def warm(path: Path, rows: int, repeat: int) -> dict[str, float]:
    """Median seconds of each reader, in turns, the first of which is not counted."""
    turns = [{reader: seconds_of(reader, path, rows) for reader in READERS} for _ in range(repeat + 1)]
    return {reader: statistics.median(turn[reader] for turn in turns[1:]) for reader in READERS}


def fresh(reader: str, folder: Path, form: str, rows: int) -> Fresh:
    """One reading in a process of its own."""
    files = [str(folder / f"{name}.{form}") for name in ("large", "small")]
    command = [sys.executable, __file__, "--fresh", reader, *files, "--rows", str(rows)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return Fresh(*json.loads(answer))


def print_fresh(reader: str, large: Path, small: Path, rows: int) -> None:
    """The fresh process's part; the peak is the kernel's account of it."""
    seconds_of(reader, small, SMALL)
    before = _memory("VmRSS")
    seconds = seconds_of(reader, large, rows)
    print(json.dumps([seconds, _memory("VmHWM") - before]))


def _memory(field: str) -> int:
    """Bytes of this process, as the kernel counts them."""
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return int(next(line for line in lines if line.startswith(field)).split()[1]) * 1024


def compare(folder: Path, form: str, rows: int, repeat: int) -> str:
    """Both readers on one file, in a line."""
    first = {reader: fresh(reader, folder, form, rows) for reader in READERS}
    path = folder / f"large.{form}"
    medians = warm(path, rows, repeat)
    ratio = medians[OURS] / medians[ALONE]
    cold = first[OURS].seconds / first[ALONE].seconds
    peaks = {reader: one.peak / 2**20 for reader, one in first.items()}
    size = checked(path).nbytes / 2**20
    return (
        f"{form}: checked {medians[OURS]:.2f} s, pyarrow alone {medians[ALONE]:.2f} s, ratio {ratio:.2f} "
        f"(at most 3; {cold:.2f} in fresh processes); peak {peaks[OURS]:,.0f} MiB, "
        f"alone {peaks[ALONE]:,.0f}, for a table of {size:,.0f}"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--fresh", nargs=3, help=argparse.SUPPRESS)  # what `fresh` asks of its process
    options = parser.parse_args(arguments)
    if options.fresh:
        reader, large, small = options.fresh
        print_fresh(reader, Path(large), Path(small), options.rows)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_interactions(folder, "large", options.rows)
        write_interactions(folder, "small", SMALL)
        print(f"{options.rows:,} interactions, {pa.cpu_count()} threads", flush=True)
        for form in FORMS:
            print(compare(folder, form, options.rows, options.repeat), flush=True)


if __name__ == "__main__":
    main()
