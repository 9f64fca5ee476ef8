"""What a run says: progress bars on a terminal, one line a stage elsewhere, nothing when quiet."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import rich.console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


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
            self._rich.print(message, markup=False, highlight=False)

    @contextmanager
    def progress(self, title: str, total: int) -> Iterator[Callable[[int], None]]:
        """A bar with rate and time left while the block runs; the block is given what advances it."""
        if self.quiet or not sys.stderr.isatty():
            self.note(f"{title}: {total:,} to do")
            yield lambda _: None
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TaskProgressColumn(show_speed=True),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self._rich, transient=True) as bar:
            task = bar.add_task(title, total=total)
            yield lambda count: bar.advance(task, count)
