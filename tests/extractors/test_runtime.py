"""Where a model runs: devices and precisions by name, and what surrounds a forward pass."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import nn

from alignrec.extractors.errors import DeviceError, ExtractorError
from alignrec.extractors.runtime import Runtime, to_numpy


@pytest.mark.parametrize(("gpus", "device"), [(0, "cpu"), (1, "cuda")])
def test_auto_is_a_gpu_if_there_is_one(monkeypatch: pytest.MonkeyPatch, gpus: int, device: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    found = Runtime.resolve()
    assert (found, found.is_cuda) == (Runtime(torch.device(device), "float32"), gpus > 0)
    with pytest.raises(DeviceError, match=f"'cuda:{gpus}' was asked for, but PyTorch sees {gpus}"):
        Runtime.resolve(f"cuda:{gpus}")


@pytest.mark.parametrize("device", ["gpu", "meta", "", "cpu:x"])
def test_what_is_no_device_is_named(device: str) -> None:
    with pytest.raises(ExtractorError, match=f"device '{device}' is not supported"):
        Runtime.resolve(device)


def test_a_model_is_frozen_in_float32_whatever_it_was_saved_in() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Dropout()).to(torch.float16)
    placed = Runtime.resolve("cpu").place(model)
    assert not placed.training
    assert {(p.dtype, p.requires_grad) for p in placed.parameters()} == {(torch.float32, False)}


class _Rotary(nn.Module):
    """A buffer that a checkpoint holds, and one that is computed."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(2)
        self.register_buffer("frequencies", torch.tensor([1 / 3]), persistent=False)


def test_bfloat16_converts_weights_once_and_leaves_what_is_computed() -> None:
    runtime = Runtime.resolve("cpu", "bfloat16")
    placed = runtime.place(nn.Sequential(_Rotary(), nn.Linear(2, 2)).to(torch.float16))
    assert {(p.dtype, p.requires_grad) for p in placed.parameters()} == {(torch.bfloat16, False)}
    types = {name: buffer.dtype for name, buffer in placed.named_buffers()}
    assert types == {
        "0.norm.running_mean": torch.bfloat16,
        "0.norm.running_var": torch.bfloat16,
        "0.norm.num_batches_tracked": torch.int64,
        "0.frequencies": torch.float32,
    }
    assert runtime.tensor(np.ones(2)).dtype == torch.bfloat16
    assert runtime.tensor(np.ones(2, dtype=np.int64)).dtype == torch.int64
    small = runtime.place(nn.Linear(2, 2), exact=True)
    assert small.weight.dtype == torch.float32
    with runtime.forward():
        assert placed[1](torch.ones(1, 2)).dtype == torch.bfloat16


def test_arrays_go_to_a_gpu_through_pinned_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a GPU only the calls can be watched."""
    calls: list[object] = []

    def pin(tensor: torch.Tensor) -> torch.Tensor:
        calls.append("pinned")
        return tensor

    def to(tensor: torch.Tensor, *place: object, **how: object) -> torch.Tensor:
        calls.append((*place, how))
        return tensor

    monkeypatch.setattr(torch.Tensor, "pin_memory", pin)
    monkeypatch.setattr(torch.Tensor, "to", to)
    Runtime(torch.device("cuda")).tensor(np.ones(2, dtype=np.float32))
    assert calls == ["pinned", (torch.device("cuda"), {"non_blocking": True})]


def test_on_a_gpu_a_batch_is_put_together_while_another_computes_and_passes_wait_for_each_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without a GPU only the order can be watched, and the setting of the process that a pass changes."""
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda tensor: tensor)
    monkeypatch.setattr(torch.Tensor, "to", lambda tensor, *_, **__: tensor)
    runtime, events = Runtime(torch.device("cuda")), []
    computing, copied = threading.Event(), threading.Event()
    before = torch.backends.cudnn.allow_tf32

    def first() -> None:
        with runtime.forward(), runtime.forward():  # a pass may lie within another
            computing.set()
            events.append("first begins")
            assert copied.wait(20)
            events.append(f"first ends, TF32 {torch.backends.cudnn.allow_tf32}")

    def second() -> None:
        assert computing.wait(20)
        runtime.tensor(np.ones(2, dtype=np.float32))
        copied.set()
        with runtime.forward():
            events.append(f"second, TF32 {torch.backends.cudnn.allow_tf32}")

    with ThreadPoolExecutor(2) as pool:
        for work in [pool.submit(first), pool.submit(second)]:
            work.result()
    assert events == ["first begins", "first ends, TF32 False", "second, TF32 False"]
    assert torch.backends.cudnn.allow_tf32 is before is True


@pytest.mark.parametrize(("precision", "dtype"), [("float32", torch.float32), ("bfloat16", torch.bfloat16)])
def test_a_forward_pass_has_the_precision_and_no_gradients(precision: str, dtype: torch.dtype) -> None:
    runtime = Runtime.resolve("cpu", precision)
    linear = nn.Linear(2, 3)
    with runtime.forward():
        out = linear(runtime.tensor(np.ones((4, 2), dtype=np.float32)))
        assert torch.is_inference_mode_enabled()
    assert (out.dtype, out.requires_grad, tuple(out.shape)) == (dtype, False, (4, 3))
    assert not torch.is_inference_mode_enabled() and not torch.is_autocast_enabled("cpu")


def test_arrays_go_in_with_their_type_and_come_out_as_float32() -> None:
    turned = np.arange(6, dtype=np.int64).reshape(2, 3).T
    assert torch.equal(Runtime.resolve("cpu").tensor(turned), torch.tensor([[0, 3], [1, 4], [2, 5]]))
    array = to_numpy(torch.tensor([[1.5, -2.0]], dtype=torch.bfloat16).T)
    assert array.dtype == np.float32 and array.flags.c_contiguous and array.tolist() == [[1.5], [-2.0]]
