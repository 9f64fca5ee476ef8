"""Real processes exchange what they compute, wait for one another, and say when one of them is gone."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
import torch

from alignrec.aligner import process_group
from alignrec.aligner.errors import ProcessesError
from alignrec.aligner.process_group import grouped
from alignrec.aligner.processes import Processes
from tests.aligner.together import together

ROWS = torch.arange(10.0).reshape(5, 2)


def exchange(group: Processes, folder: Path) -> dict[str, object]:
    """Everything that processes exchange, in each of them."""
    one, two = torch.full((2, 2), float(group.rank)), torch.tensor(1.0)
    group.add_up([one, two])
    mine = (ROWS[group.share(5)] * 2).requires_grad_()
    whole = group.gather(mine, 5)
    (whole.square().sum() / group.count).backward()  # type: ignore[no-untyped-call]
    group.check_alike([torch.arange(4), torch.tensor(0.5, dtype=torch.bfloat16)])

    def find() -> str:
        path = folder / "found"
        if not path.exists():
            path.write_text(f"by {group.rank}")
        return path.read_text()

    found = group.after_first(find)
    if group.first:
        group.call("one")
        group.call("another")
    return {
        "sums": (one.tolist(), two.item()),
        "gathered": torch.equal(whole, ROWS * 2),
        "own gradient": mine.grad is not None and torch.allclose(mine.grad, 2 * mine),
        "first": group.from_first(float(group.rank) + 0.25),
        "found": found,
        "calls": [] if group.first else [next(calls := group.calls()), next(calls)],
    }


def test_they_add_up_gather_and_follow_the_first(tmp_path: Path) -> None:
    results = together(3, exchange, tmp_path)
    for rank, result in enumerate(results):
        assert result == {
            "sums": ([[3.0, 3.0], [3.0, 3.0]], 3.0),
            "gathered": True,
            "own gradient": True,
            "first": 0.25,
            "found": "by 0",
            "calls": ["one", "another"] if rank else [],
        }


def begin_otherwise(group: Processes) -> None:
    group.check_alike([torch.tensor(group.rank // 2)])
    group.add_up([torch.zeros(1)])


def test_one_that_begins_with_other_numbers_says_so_and_the_others_that_it_is_gone() -> None:
    results = together(3, begin_otherwise)
    assert all(isinstance(error, ProcessesError) for error in results)
    assert "process 2 would begin with other numbers than process 0: give all" in str(results[2])
    assert "another process of this training ended" in str(results[0])


def be_killed(group: Processes, number: int) -> None:
    if group.rank == 1:
        os.kill(os.getpid(), number)
    for _ in range(2):
        group.add_up([torch.zeros(1)])


def test_where_one_is_killed_the_others_end_with_words() -> None:
    first, killed = together(2, be_killed, signal.SIGKILL)
    assert killed is None
    assert "another process of this training ended" in str(first) and "the same command goes on" in str(first)
    assert "pair.cc" not in str(first) and "GLHF" not in str(first)


def be_ended_by_torchrun(group: Processes) -> str:
    os.kill(os.getpid(), signal.SIGTERM)
    return "went on"


def test_the_first_that_torchrun_ends_says_so_and_the_others_end_at_once() -> None:
    first, other = together(2, be_ended_by_torchrun)
    assert isinstance(first, ProcessesError) and "ended by torchrun" in str(first)
    assert other is None


def speak_while_it_is_ended(_alone: Processes) -> str:
    try:
        with grouped():
            os.kill(os.getpid(), signal.SIGTERM)
    except ProcessesError as error:
        os.kill(os.getpid(), signal.SIGTERM)
        return str(error)
    return "went on"


def test_the_last_words_of_the_first_are_not_cut_off() -> None:
    (words,) = together(1, speak_while_it_is_ended)
    assert words is not None and words.startswith("ended by torchrun")


def test_what_torchrun_would_have_set_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    for name in ("RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ProcessesError, match="RANK expected"), grouped():
        pass


def test_more_processes_than_gpus_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_group.torch.cuda, "device_count", lambda: 1)
    monkeypatch.setenv("LOCAL_RANK", "1")
    with pytest.raises(ProcessesError, match="has 1 GPUs and more processes: start one a GPU"), grouped():
        pass
