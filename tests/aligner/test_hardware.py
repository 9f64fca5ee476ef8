"""Devices by name; small steps run on one thread, and a result does not depend on the number of cores."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from alignrec.aligner.errors import AlignerError
from alignrec.aligner.hardware import device_of, one_thread_if_small
from alignrec.aligner.pretrain.pretraining import pretrain
from alignrec.aligner.train.collaborative import collaborative
from alignrec.aligner.train.settings import TrainSettings
from alignrec.aligner.train.training import train
from tests.aligner.pretrain.kinds import TINY, weights, world
from tests.aligner.worlds import two_tastes

FEATURES, VALID, SPLIT = two_tastes()


class Seen:
    """Told of each epoch, it notes how many threads there are."""

    def __init__(self) -> None:
        self.threads: list[int] = []

    def __call__(self, _epoch: int, _losses: dict[str, float]) -> None:
        self.threads.append(torch.get_num_threads())


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    after = torch.get_num_threads()
    torch.set_num_threads(before)
    assert after == 2


@pytest.mark.parametrize(("width", "threads"), [(16, 1), (512, 2)])
def test_pretraining(width: int, threads: int) -> None:
    settings = TINY.model_copy(update={"width": width, "epochs": 1, "batch_size": 64})
    seen = Seen()
    pretrain(world(), settings, 1, advance=seen)
    assert seen.threads == [threads]


def test_pretraining_on_more_cores_ends_in_the_same_bytes() -> None:
    two = weights(pretrain(world(), TINY, 1))
    torch.set_num_threads(1)
    one = weights(pretrain(world(), TINY, 1))
    torch.set_num_threads(2)
    assert one == two


@pytest.mark.parametrize(("loss", "dim", "threads"), [("bpr", 8, 1), ("bpr", 2**15, 2), ("softmax", 8, 2)])
def test_training_by_ids_alone(loss: str, dim: int, threads: int) -> None:
    settings = TrainSettings.paper(dim=dim, epochs=1, loss=loss, device="cpu")
    seen = Seen()
    collaborative(SPLIT, settings, 1, advance=seen)
    assert seen.threads == [threads]


def test_training_with_content_compares_items_with_one_another_on_all_threads() -> None:
    settings = TrainSettings.paper(dim=8, epochs=1, device="cpu")
    seen = Seen()
    train(FEATURES, VALID, SPLIT, settings, 1, advance=seen)
    assert seen.threads == [2]


def test_a_training_that_fails_gives_the_threads_back() -> None:
    def fail(_epoch: int, _losses: dict[str, float]) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        pretrain(world(), TINY, 1, advance=fail)


@pytest.mark.parametrize(("here", "device"), [(False, "cpu"), (True, "cuda")])
def test_auto_is_a_gpu_if_there_is_one(monkeypatch: pytest.MonkeyPatch, here: bool, device: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: here)
    assert device_of("auto") == torch.device(device)
    assert device_of("cpu") == torch.device("cpu")
    if here:
        assert device_of("cuda:3") == torch.device("cuda", 3)
    else:
        with pytest.raises(AlignerError, match="device is 'cuda:3', but PyTorch sees no GPU here"):
            device_of("cuda:3")


def test_what_is_no_device_is_named() -> None:
    with pytest.raises(AlignerError, match="device must be auto, cpu, cuda or cuda:N, got 'gpu'"):
        device_of("gpu")


@pytest.mark.parametrize(("work", "threads"), [(0, 1), (9_999_999, 1), (10_000_000, 2), (float("inf"), 2)])
def test_little_work_is_done_by_one_thread(work: float, threads: int) -> None:
    with pytest.raises(InterruptedError), one_thread_if_small(work):
        assert torch.get_num_threads() == threads
        raise InterruptedError
    assert torch.get_num_threads() == 2
