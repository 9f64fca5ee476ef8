"""A training is followed from its checkpoint on, in words fit for a line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alignrec.aligner.processes import Processes
from alignrec.pipeline.runner.checkpoint import Checkpoint
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.stages.following import following, in_words


class Noted(Console):
    """Notes what it is asked to show."""

    def __init__(self) -> None:
        super().__init__(quiet=True)
        self.shown: list[Any] = []

    def note(self, message: str) -> None:
        self.shown.append(message)

    @contextmanager
    def progress(self, title: str, total: int, done: int = 0) -> Iterator[Callable[..., None]]:
        self.shown.append((title, total, done))
        yield lambda *step: self.shown.append(step)


def test_it_goes_on_after_the_last_epoch_and_shows_what_each_call_adds(tmp_path: Path) -> None:
    checkpoint, console = Checkpoint(tmp_path / "a.pt", "mark"), Noted()
    with following(checkpoint, 9, console, "train") as hooks:
        assert hooks["state"] is None
        assert hooks["save"] is not None and hooks["advance"] is not None
        hooks["save"]({"curves": [{"loss.bpr": 1.0}, {"loss.bpr": 0.5}]})
        hooks["advance"](2, {"loss.bpr": 0.5, "recall@20": 0.125})
    with following(checkpoint, 9, console, "train") as hooks:
        assert hooks["state"] == {"curves": [{"loss.bpr": 1.0}, {"loss.bpr": 0.5}]}
        assert hooks["advance"] is not None
        hooks["advance"](3, {"held out image": 0.25, "held out text": 0.5, "loss.image": 9.0})
    assert console.shown == [
        ("train", 9, 0),
        (2, "bpr 0.500, recall@20 0.1250"),
        "train: resuming after epoch 2",
        ("train", 9, 2),
        (1, "image 0.250, text 0.500"),
    ]


def test_an_epoch_without_known_numbers_has_no_words() -> None:
    assert in_words({"seconds": 1.0}) == ""


class Calling(Processes):
    """One of two that notes what it calls for."""

    count = 2

    def __init__(self, rank: int) -> None:
        self.rank = rank
        self.called: list[str] = []

    def call(self, name: str) -> None:
        self.called.append(name)


def test_of_several_processes_the_first_calls_and_saves_and_the_others_begin_where_it_does(
    tmp_path: Path,
) -> None:
    checkpoint, console = Checkpoint(tmp_path / "a.pt", "mark"), Noted()
    checkpoint.save({"curves": [{"loss.bpr": 1.0}]})
    first, other = Calling(0), Calling(1)
    with following(checkpoint, 9, console, "train", first) as hooks:
        assert hooks["processes"] is first and {"save", "advance"} <= hooks.keys()
    shown = len(console.shown)
    with following(checkpoint, 9, console, "train", other) as hooks:
        assert hooks == {"state": {"curves": [{"loss.bpr": 1.0}]}, "processes": other}
    assert (first.called, other.called, len(console.shown)) == (["train"], [], shown)
