"""Which columns of the vectors a process trains, where several share a training."""

from __future__ import annotations

from dataclasses import dataclass

from alignrec.aligner.processes import Processes
from alignrec.aligner.train.model import Representations, UserItemVectors


@dataclass(frozen=True)
class ColumnShare:
    """A process's part of every step: no column of a model depends on another one, up to the loss.

    Each process has members of its own, and with them their part of the loss. Where there are fewer members
    than processes each propagates columns of its own, gets those of others, and counts a part of the loss.

    Attributes:
        columns: of all vectors, that this process propagates.
        members: that this process computes the loss of.
        weight: what the mean loss of those counts in the whole.
        lacking: the processes to get the other columns from, and how many there are; None where none is.
    """

    columns: slice
    members: int
    weight: float
    lacking: tuple[Processes, int] | None

    @classmethod
    def of(cls, processes: Processes, dim: int, members: int) -> ColumnShare:
        """The share of this one of several processes, of `members` with `dim` columns together."""
        if members < processes.count:
            return cls(processes.share(dim), members, 1 / processes.count, (processes, dim))
        mine, width = processes.share(members), dim // members
        count = mine.stop - mine.start
        return cls(slice(mine.start * width, mine.stop * width), count, count / members, None)

    def complete(self, vectors: Representations) -> Representations:
        """The vectors of the members that this process computes the loss of, from its own columns."""
        if self.lacking is None:
            return vectors
        category = self._all_columns(vectors.category)
        if vectors.content is None:
            return Representations(category, category)
        content = self._all_columns(vectors.content)
        return Representations(category + content, category, content)

    def _all_columns(self, vectors: UserItemVectors) -> UserItemVectors:
        assert self.lacking is not None
        processes, dim = self.lacking
        return UserItemVectors(*(processes.gather(x.T, dim).T for x in (vectors.user, vectors.item)))
