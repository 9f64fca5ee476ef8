"""A process alone: all is its own. What several exchange is in test_process_group."""

from __future__ import annotations

import pytest
import torch

from alignrec.aligner.processes import ALONE, Processes


class OneOf(Processes):
    """A place among several that are not there."""

    def __init__(self, rank: int, count: int) -> None:
        self.rank, self.count = rank, count


def test_alone_nothing_is_exchanged_and_nobody_calls() -> None:
    tensor = torch.arange(3.0)
    ALONE.add_up([tensor])
    assert tensor.tolist() == [0, 1, 2] and ALONE.gather(tensor, 3) is tensor
    assert ALONE.from_first(2.5) == 2.5 and ALONE.after_first(lambda: "done") == "done"
    ALONE.check_alike([tensor])
    ALONE.call("train")
    assert ALONE.first and list(ALONE.calls()) == []


@pytest.mark.parametrize(("total", "count"), [(8, 2), (7, 3), (2, 4), (0, 2)])
def test_shares_are_all_there_is_and_differ_by_one_at_most(total: int, count: int) -> None:
    shares = [OneOf(rank, count).share(total) for rank in range(count)]
    assert [n for share in shares for n in range(total)[share]] == list(range(total))
    sizes = [share.stop - share.start for share in shares]
    assert max(sizes) - min(sizes) <= 1
