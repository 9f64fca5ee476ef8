"""What a run says: progress bars on a terminal, a line each half minute elsewhere, nothing when quiet."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

import rich.console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column, Table

from alignrec.core.display import printable, printable_line

# How often a log without a terminal gets a line of what is under way.
LOG_SECONDS = 30.0
# By so much of the past a bar tells the time left: an epoch may take minutes.
SPEED_SECONDS = 3600.0
# A title that is longer leaves no room for the times on a terminal of 100 columns.
LONGEST_TITLE = 32


def cell(value: object) -> str:
    """A value as the words of one cell of a table, whatever it holds."""
    return escape(printable_line(str(value)))


class Advance(Protocol):
    """Moves a progress bar on."""

    def __call__(self, count: int, note: str = "") -> None:
        """So many more are done; `note` stands behind the bar."""


@dataclass
class Console:
    """Where messages go: notes and progress to standard error, so that standard output is for answers.

    Attributes:
        quiet: say nothing but warnings and errors.
    """

    quiet: bool = False
    _rich: rich.console.Console = field(
        default_factory=lambda: rich.console.Console(stderr=True, soft_wrap=True)
    )

    def note(self, message: str) -> None:
        """One line of information."""
        if not self.quiet:
            self._rich.print(printable(message), markup=False, highlight=False)

    def show(self, table: Table) -> None:
        """A table of numbers."""
        if not self.quiet:
            self._rich.print(table)

    @contextmanager
    def progress(self, title: str, total: int, done: int = 0) -> Iterator[Advance]:
        """Show how far the block has come; it is given what tells so.

        On a terminal a bar with the time so far and the time left, elsewhere a line each half minute.

        Args:
            title: what is done.
            total: how many there are in all.
            done: how many of them were done before.
        """
        if self.quiet or not sys.stderr.isatty():
            self.note(f"{title}: {total - done:,} to do")
            with _logged(_Log(title, total, done), self) as advance:
                yield advance
            return
        with Progress(
            *_bar_columns(),
            console=self._rich,
            transient=True,
            expand=True,
            speed_estimate_period=SPEED_SECONDS,
        ) as bar:
            task = bar.add_task(printable_line(title), total=total, completed=done, note="")
            yield lambda count, note="": bar.update(task, advance=count, note=printable_line(note))


def _bar_columns() -> list[ProgressColumn]:
    """Of a line where the bar gives way first and the note takes what is left, so that times stay whole."""

    def whole(**more: int) -> Column:
        return Column(no_wrap=True, overflow="ellipsis", **more)  # type: ignore[arg-type]

    return [
        TextColumn("{task.description}", markup=False, table_column=whole(max_width=LONGEST_TITLE)),
        BarColumn(20),
        MofNCompleteColumn(table_column=whole()),
        TimeElapsedColumn(table_column=whole()),
        TextColumn("so far", table_column=whole()),
        TimeRemainingColumn(table_column=whole()),
        TextColumn("left", table_column=whole()),
        TextColumn("{task.fields[note]}", markup=False, table_column=whole(ratio=1)),
    ]


@dataclass
class _Log:
    """How far a task has come, for a line of a log.

    Attributes:
        title: what is done.
        total: how many there are in all.
        before: how many of them were done before it began.
        now: how many were done since.
        note: the last that was said.
        began: by the clock of `time.monotonic`.
    """

    title: str
    total: int
    before: int
    now: int = 0
    note: str = ""
    began: float = field(default_factory=time.monotonic)

    def advance(self, count: int, note: str = "") -> None:
        self.now += count
        self.note = note or self.note

    def line(self) -> str:
        done, seconds = self.before + self.now, time.monotonic() - self.began
        left = "" if not self.now else f", {_clock(seconds / self.now * (self.total - done))} left"
        note = f"; {self.note}" if self.note else ""
        return f"{self.title}: {done:,} of {self.total:,}, {_clock(seconds)} so far{left}{note}"


@contextmanager
def _logged(log: _Log, console: Console) -> Iterator[Advance]:
    """A line each half minute while the block runs, however long a step of it takes."""
    ended = threading.Event()

    def write() -> None:
        while not ended.wait(LOG_SECONDS):
            console.note(printable_line(log.line()))

    writer = threading.Thread(target=write, name="progress", daemon=True)
    if not console.quiet:
        writer.start()
    try:
        yield log.advance
    finally:
        ended.set()
        if writer.is_alive():
            writer.join()


def _clock(seconds: float) -> str:
    """Hours, minutes and seconds, `0:00:30`."""
    return str(timedelta(seconds=round(seconds)))
