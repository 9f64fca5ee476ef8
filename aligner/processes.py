"""The processes that train together, and what they exchange; one alone is all that is here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from torch import Tensor

Result = TypeVar("Result")


class Processes:
    """One process alone: all is its own, and nothing is exchanged.

    A group does the mathematics of one process. All draw the same random numbers and take the same steps; of
    a step each does its share, and losses and gradients are added up. The first one alone validates, decides
    and writes.

    Attributes:
        rank: of this process, from 0.
        count: how many there are.
    """

    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the process that decides and writes."""
        return self.rank == 0

    def share(self, total: int) -> slice:
        """Which of `total` things in a row are this process's; shares differ by one at most."""
        return slice(total * self.rank // self.count, total * (self.rank + 1) // self.count)

    def add_up(self, tensors: Sequence[Tensor]) -> None:
        """Put the sum over all processes into each tensor; every process gives those of the same shapes."""

    def gather(self, share: Tensor, total: int) -> Tensor:  # noqa: ARG002
        """All processes' rows one below the other, `[total, ·]`, of this one's share of them, `[share, ·]`.

        Backwards, each process takes the gradients of its own rows times the number of processes: every one
        computes the same loss of all rows, and counts a part of it, one by the number of processes.
        """
        return share

    def from_first(self, number: float) -> float:
        """The first process's number; that of others is not looked at."""
        return number

    def check_alike(self, tensors: Sequence[Tensor]) -> None:
        """See that all processes hold the same bytes."""

    def after_first(self, work: Callable[[], Result]) -> Result:
        """Do something where the first process has done it before: what it kept, others find."""
        return work()

    def call(self, name: str) -> None:
        """Have the other processes do what goes by a name; the first one calls."""

    def calls(self) -> Iterator[str]:
        """What the first process calls for, one by one, until it has nothing more; for the others."""
        return iter(())


ALONE = Processes()
