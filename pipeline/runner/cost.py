"""What a stage takes: time, memory and disk, and how they are measured."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from alignrec.pipeline.runner.console import Advance, Console

_KIB = 1024


@dataclass(frozen=True)
class Cost:
    """What a stage takes on this machine.

    Attributes:
        seconds: by the clock, at least and at most: training stops when it gets no better.
        memory: bytes that the process has at the stage's peak, libraries and all.
        disk: bytes that the stage leaves in the run folder.
    """

    seconds: tuple[float, float]
    memory: int
    disk: int

    def longer(self, low: float, high: float) -> Cost:
        """The same with so many seconds more, at least and at most."""
        return replace(self, seconds=(self.seconds[0] + low, self.seconds[1] + high))


@dataclass(eq=False)
class Bar:
    """What a progress bar has shown of a piece of work.

    Attributes:
        title: of the bar.
        times: seconds since the bar began, at each advance.
        counts: how many were done by then.
        seconds: that the bar was there.
    """

    title: str
    times: list[float] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def pace(self) -> float:
        """Seconds for one, the first advance left out where there are more: it has what happens once."""
        if len(self.times) > 1:
            return (self.times[-1] - self.times[0]) / (self.counts[-1] - self.counts[0])
        return self.seconds / self.counts[-1] if self.counts else 0.0

    def more(self, counts: tuple[float, float]) -> tuple[float, float]:
        """The seconds, at least and at most, that it takes longer to do so many."""
        done = self.counts[-1] if self.counts else 0
        return self.pace * (counts[0] - done), self.pace * (counts[1] - done)


@dataclass
class ListeningConsole(Console):
    """Says nothing, and remembers when progress was made.

    Attributes:
        bars: one for each piece of work that had a bar, in their order.
    """

    quiet: bool = True
    bars: list[Bar] = field(default_factory=list)

    @contextmanager
    def progress(self, title: str, total: int, done: int = 0) -> Iterator[Advance]:  # noqa: ARG002
        """Listen to how far the block has come."""
        bar, began = Bar(title), time.perf_counter()
        self.bars.append(bar)

        def advance(count: int, note: str = "") -> None:  # noqa: ARG001
            bar.times.append(time.perf_counter() - began)
            bar.counts.append((bar.counts[-1] if bar.counts else 0) + count)

        yield advance
        bar.seconds = time.perf_counter() - began


@dataclass(frozen=True)
class Measured:
    """What a piece of work took.

    Attributes:
        seconds: all of it, by the clock.
        memory: bytes at its peak.
        bars: what its progress bars showed.
    """

    seconds: float
    memory: int
    bars: tuple[Bar, ...] = ()

    def beside(self, *bars: Bar) -> float:
        """The seconds that are none of some bars'."""
        return max(0.0, self.seconds - sum(bar.seconds for bar in bars))


@contextmanager
def measuring(console: ListeningConsole | None = None) -> Iterator[list[Measured]]:
    """Measure the block: the list holds it afterwards.

    Args:
        console: the one that the block's work speaks to.
    """
    found: list[Measured] = []
    bars = [] if console is None else console.bars
    before = len(bars)
    _forget_peak()
    began = time.perf_counter()
    yield found
    found.append(Measured(time.perf_counter() - began, _peak(), tuple(bars[before:])))


def bytes_of(*paths: Path) -> int:
    """What files, and all files below folders, take on disk, each once; what is not there takes nothing."""
    files = {file for path in paths for file in ([path] if path.is_file() else path.rglob("*"))}
    return sum(file.stat().st_size for file in files if file.is_file())


def _forget_peak() -> None:
    """Begin the process's peak anew, where the system can; elsewhere it stays that of all it has done."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak() -> int:
    with suppress(OSError, StopIteration):
        status = Path("/proc/self/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * _KIB
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * _KIB
