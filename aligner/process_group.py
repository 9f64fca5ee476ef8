"""Several processes that train together, over gloo, or NCCL between GPUs; the environment is torchrun's."""

from __future__ import annotations

import hashlib
import os
import re
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.rendezvous import rendezvous

from alignrec.aligner.errors import ProcessesError
from alignrec.aligner.processes import Processes, Result

if TYPE_CHECKING:
    from torch._C._distributed_c10d import Store

# A step, or the first process's validation and checkpoint, that takes longer is taken for one that hangs.
_PATIENCE = timedelta(minutes=30)
_FOR_EVER = timedelta(days=365)  # what comes before a training, extraction for one, may take days
_NOTHING_MORE = ""
_AGAIN = "what is finished is kept, and the same command goes on after the last epoch"


class ProcessGroup(Processes):
    """A process among several, connected to the others."""

    def __init__(self, store: Store, rank: int, count: int) -> None:
        """Take a place in a group that is connected.

        Args:
            store: that all of them reach.
            rank: of this process.
            count: of all.
        """
        self.rank, self.count = rank, count
        self._store, self._meetings = store, 0

    def add_up(self, tensors: Sequence[Tensor]) -> None:
        """See `Processes.add_up`; all travel as one."""
        joint = torch.cat([tensor.reshape(-1) for tensor in tensors])
        with _own_errors():
            dist.all_reduce(joint)
        totals = torch.split(joint, [tensor.numel() for tensor in tensors])
        for tensor, total in zip(tensors, totals, strict=True):
            tensor.copy_(total.view_as(tensor))

    def gather(self, share: Tensor, total: int) -> Tensor:
        """See `Processes.gather`."""
        whole: Tensor = _Gather.apply(share, total, self)
        return whole

    def from_first(self, number: float) -> float:
        """See `Processes.from_first`."""
        holder = torch.tensor([number], dtype=torch.float64)
        with _own_errors():
            dist.broadcast(holder, 0)
        return holder.item()

    def check_alike(self, tensors: Sequence[Tensor]) -> None:
        """See `Processes.check_alike`.

        Raises:
            ProcessesError: they do not.
        """
        digest = hashlib.sha256()
        for tensor in tensors:
            digest.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().data)
        own = torch.frombuffer(bytearray(digest.digest()), dtype=torch.uint8)
        first = own.clone()
        with _own_errors():
            dist.broadcast(first, 0)
        if not torch.equal(own, first):
            raise ProcessesError(
                f"process {self.rank} would begin with other numbers than process 0: give all of them the "
                "same run folder, versions of libraries, threads (OMP_NUM_THREADS) and kind of processor"
            )

    def after_first(self, work: Callable[[], Result]) -> Result:
        """See `Processes.after_first`."""
        if self.first:
            result = work()
            self._tell("")
            return result
        self._hear()
        return work()

    def call(self, name: str) -> None:
        """See `Processes.call`."""
        self._tell(name)

    def calls(self) -> Iterator[str]:
        """See `Processes.calls`."""
        while (name := self._hear()) != _NOTHING_MORE:
            yield name

    def _tell(self, word: str) -> None:
        with _own_errors():
            self._store.set(self._meeting(), word)

    def _hear(self) -> str:
        meeting = self._meeting()
        with _own_errors():
            self._store.wait([meeting], _FOR_EVER)
            word: bytes = self._store.get(meeting)
        return word.decode()

    def _meeting(self) -> str:
        """The next one's name: the first process tells and the others hear in the same order."""
        self._meetings += 1
        return f"alignrec/{self._meetings}"


class _Gather(torch.autograd.Function):
    """See `Processes.gather`. Shares travel as bytes, filled up to the longest one."""

    @staticmethod
    def forward(ctx: Any, share: Tensor, total: int, group: ProcessGroup) -> Tensor:
        ctx.mine, ctx.count = group.share(total), group.count
        longest = -(-total // group.count)
        own = share.new_zeros(longest, *share.shape[1:])
        own[: len(share)] = share
        found = [torch.empty_like(own) for _ in range(group.count)]
        with _own_errors():
            dist.all_gather([one.view(torch.uint8) for one in found], own.view(torch.uint8))
        sizes = [total * (r + 1) // group.count - total * r // group.count for r in range(group.count)]
        return torch.cat([one[:size] for one, size in zip(found, sizes, strict=True)])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        return gradients[0][ctx.mine] * ctx.count, None, None


@contextmanager
def grouped() -> Iterator[ProcessGroup]:
    """Connect to the other processes while the block runs.

    Raises:
        ProcessesError: they are not to be reached, or torchrun ended this one.
    """
    gpus = _takes_a_gpu(int(os.environ.get("LOCAL_RANK", "0")))
    with _own_errors():
        store, rank, count = next(iter(rendezvous("env://", timeout=_PATIENCE)))
        backend = "cpu:gloo,cuda:nccl" if gpus else "gloo"
        dist.init_process_group(backend, store=store, rank=rank, world_size=count, timeout=_PATIENCE)
    with _ending_well(rank):
        group = ProcessGroup(store, rank, count)
        yield group
        if group.first:
            group.call(_NOTHING_MORE)
        with _own_errors():
            dist.barrier()
    dist.destroy_process_group()


def _takes_a_gpu(number: int) -> bool:
    """Let `auto` and `cuda` mean this process's own GPU, where there are any.

    Raises:
        ProcessesError: there are fewer than processes.
    """
    gpus = torch.cuda.device_count()
    if gpus and number >= gpus:
        raise ProcessesError(
            f"this machine has {gpus} GPUs and more processes: start one a GPU, or set CUDA_VISIBLE_DEVICES= "
            "to train on the CPU"
        )
    if gpus:
        torch.cuda.set_device(number)
    return bool(gpus)


@contextmanager
def _ending_well(rank: int) -> Iterator[None]:
    """Let torchrun end the first process with words, and the others, which only wait and compute, at once."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    if rank:
        for number in before:
            signal.signal(number, signal.SIG_DFL)
    else:
        signal.signal(signal.SIGTERM, _end)
    try:
        yield
    except BaseException:
        if not rank:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)  # its last words are not cut off
        raise
    for number, handler in before.items():
        signal.signal(number, handler)


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    signal.signal(number, signal.SIG_IGN)
    raise ProcessesError(f"ended by torchrun, as it ends all processes when one of them ends: {_AGAIN}")


@contextmanager
def _own_errors() -> Iterator[None]:
    """Raise what PyTorch raises where a connection ends or nothing comes.

    Raises:
        ProcessesError: says how to go on.
    """
    try:
        yield
    except (RuntimeError, ValueError) as error:  # the latter where a variable of torchrun's is missing
        # "[FILE:LINE] What happened. What else there is to say"
        reason = re.sub(r"^\[\S*\] ", "", str(error).strip()).partition("\n")[0].partition(". ")[0]
        raise ProcessesError(
            f"another process of this training ended, hangs or cannot be reached ({reason}): {_AGAIN}"
        ) from error
