"""Costs, and what they are measured by."""

from __future__ import annotations

from mmap import PAGESIZE, mmap
from pathlib import Path

import pytest

from alignrec.pipeline.runner import cost
from alignrec.pipeline.runner.cost import Bar, Cost, ListeningConsole, Measured, bytes_of, measuring

MIB = 2**20


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(cost, "time", clock)
    return clock


def test_the_pace_leaves_out_what_happens_once(clock: Clock) -> None:
    console = ListeningConsole()
    with measuring(console) as taken:
        clock.now += 5
        with console.progress("train", 100) as advance:
            for seconds in (7, 2, 2):
                clock.now += seconds
                advance(1, "a note")
            clock.now += 1
    (measured,) = taken
    (bar,) = measured.bars
    assert (bar.title, bar.pace, bar.seconds) == ("train", 2, 12)
    assert bar.more((2, 10)) == (-2, 14)
    assert (measured.seconds, measured.beside(bar)) == (17, 5)


def test_a_bar_that_moved_once_goes_as_fast_as_it_did() -> None:
    assert Bar("extract", [3.0], [6], 12.0).pace == 2
    assert Bar("extract").more((5, 5)) == (0, 0)


def test_bars_of_before_are_not_measured_again() -> None:
    console = ListeningConsole()
    for title in ("one", "two"):
        with measuring(console) as taken, console.progress(title, 1) as advance:
            advance(1)
        assert [bar.title for bar in taken[0].bars] == [title]


def test_the_peak_is_that_of_the_block() -> None:
    with measuring() as large:
        _touch(64 * MIB)
    with measuring() as small:
        _touch(MIB)
    assert large[0].memory > 64 * MIB
    if Path("/proc/self/clear_refs").exists():
        assert large[0].memory - small[0].memory > 32 * MIB


def _touch(size: int) -> None:
    """Have so many bytes for a moment: pages of their own, which no allocator keeps for later."""
    with mmap(-1, size) as pages:
        pages[::PAGESIZE] = bytes(len(range(0, size, PAGESIZE)))


def test_bytes_are_those_of_files_below_and_beside(tmp_path: Path) -> None:
    (tmp_path / "folder" / "deep").mkdir(parents=True)
    (tmp_path / "folder" / "deep" / "one").write_bytes(b"12345")
    (tmp_path / "two").write_bytes(b"123")
    assert bytes_of(tmp_path / "folder", tmp_path / "two", tmp_path / "none") == 8
    assert bytes_of(tmp_path, tmp_path / "two") == 8


def test_a_cost_gets_longer_at_both_ends() -> None:
    assert Cost((1, 2), 3, 4).longer(10, 20) == Cost((11, 22), 3, 4)
    assert Measured(5, 1, ()).beside(Bar("longer", seconds=9)) == 0
