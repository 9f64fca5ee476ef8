"""What share of a run is spent on comparing its files with their hashes, and on hashing what it seals?

    python benchmarks/checks.py [-c examples/ml100k.yaml] [-o KEY=VALUE …]

Runs the config in a temporary folder, then once more when nothing is left to do; each time the seconds within
the checks are summed, over all threads: what runs beside other work counts in full. Prints both ratios.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alignrec.core import sealed
from alignrec.pipeline.runner import manifest
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.stages.chain import run

AIM = 0.03
# Everything that hashes for the sake of a check.
CHECKS = ("read_sealed", "read_sealed_json", "seal_json", "sha256_file", "is_whole", "_hashes")


@dataclass
class Watch:
    """Seconds within the checks; one that another calls counts once."""

    seconds: float = 0.0

    def __post_init__(self) -> None:
        self._inside, self._adding = threading.local(), threading.Lock()

    def timed(self, check: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, watched."""

        def watched(*arguments: Any, **named: Any) -> Any:
            if getattr(self._inside, "yes", False):
                return check(*arguments, **named)
            self._inside.yes, start = True, time.perf_counter()
            try:
                return check(*arguments, **named)
            finally:
                self._inside.yes = False
                with self._adding:
                    self.seconds += time.perf_counter() - start

        return watched


@contextmanager
def watching() -> Iterator[Watch]:
    """Watch every check of the block, wherever it is imported."""
    watch = Watch()
    checks = {name: getattr(manifest if name == "_hashes" else sealed, name) for name in CHECKS}
    timed = {name: watch.timed(check) for name, check in checks.items()}
    _replace(checks, timed)
    try:
        yield watch
    finally:
        _replace(timed, checks)


def _replace(old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    for key in [key for key in sys.modules if key.startswith("alignrec.")]:
        for name in CHECKS:
            if vars(sys.modules[key]).get(name) is old[name]:
                setattr(sys.modules[key], name, new[name])


def measure(title: str, config: Path, overrides: Sequence[str]) -> None:
    """Run, and print the share of the checks."""
    start = time.perf_counter()
    with watching() as watch:
        run(config, overrides=overrides, console=Console(quiet=True))
    seconds = time.perf_counter() - start
    share = watch.seconds / seconds
    print(f"{title}: {seconds:.2f} s, of which checks {watch.seconds:.3f} s, ratio {share:.4f}", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-c", "--config", type=Path, default=Path("examples/ml100k.yaml"))
    parser.add_argument("-o", "--set", action="append", default=[], metavar="KEY=VALUE")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        overrides = [*chosen.set, f"out={folder}/run"]
        measure(f"a whole run (at most {AIM})", chosen.config, overrides)
        measure("nothing left to do", chosen.config, overrides)


if __name__ == "__main__":
    main()
