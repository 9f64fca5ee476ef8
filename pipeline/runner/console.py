"""What a run says: progress bars on a terminal, one line a stage elsewhere, nothing when quiet."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import rich.console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from alignrec.core.display import printable, printable_line


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
    def progress(self, title: str, total: int) -> Iterator[Advance]:
        """A bar with rate and time left while the block runs; the block is given what advances it."""
        if self.quiet or not sys.stderr.isatty():
            self.note(f"{title}: {total:,} to do")
            yield lambda _count, _note="": None
            return
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TaskProgressColumn(show_speed=True),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}", markup=False),
        )
        with Progress(*columns, console=self._rich, transient=True) as bar:
            task = bar.add_task(printable_line(title), total=total, note="")
            yield lambda count, note="": bar.update(task, advance=count, note=printable_line(note))
