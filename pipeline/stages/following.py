"""A training of a stage, followed: it goes on from its checkpoint, and a bar shows how it does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from alignrec.aligner.processes import ALONE, Processes
from alignrec.pipeline.runner.console import Console

if TYPE_CHECKING:
    from alignrec.aligner.trainer import Hooks
    from alignrec.pipeline.runner.checkpoint import Checkpoint


@contextmanager
def following(
    checkpoint: Checkpoint, epochs: int, console: Console, title: str, processes: Processes = ALONE
) -> Iterator[Hooks]:
    """What lets a training go on from its checkpoint, and shows its numbers behind a bar.

    Of several processes, the first one calls the others by the title; those begin with the same state, and
    neither save nor show anything.

    Args:
        checkpoint: holds the state after the last epoch, if there was one.
        epochs: at most.
        console: where the bar goes.
        title: of the bar.
        processes: that share the training.
    """
    state = checkpoint.load()
    if not processes.first:
        yield {"state": state, "processes": processes}
        return
    processes.call(title)
    done = 0 if state is None else len(state["curves"])
    if done:
        console.note(f"{title}: resuming after epoch {done}")
    with console.progress(title, epochs, done) as advance:

        def show(epochs: int, curve: Mapping[str, float]) -> None:
            nonlocal done
            advance(epochs - done, in_words(curve))
            done = epochs

        yield {"state": state, "save": checkpoint.save, "advance": show, "processes": processes}


def in_words(curve: Mapping[str, float]) -> str:
    """An epoch's numbers, fit for a line: what decides between epochs where there is something, else losses.

    Pretraining is judged by held-out losses, a direction each; a training of users and items shows its loss's
    parts and the recall that it is judged by.
    """
    held_out = [f"{name} {loss:.3f}" for name, loss in _under("held out ", curve)]
    recall = [f"{name} {value:.4f}" for name, value in curve.items() if name == "recall@20"]
    losses = [f"{name} {loss:.3f}" for name, loss in _under("loss.", curve)]
    return ", ".join(held_out or losses + recall)


def _under(prefix: str, curve: Mapping[str, float]) -> list[tuple[str, float]]:
    return [(name.removeprefix(prefix), value) for name, value in curve.items() if name.startswith(prefix)]
