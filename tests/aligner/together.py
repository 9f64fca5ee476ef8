"""Real processes of this machine that do something together, as torchrun would start them."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from alignrec.aligner.errors import AlignerError
from alignrec.aligner.torchrun import joined

# Begin with everything imported: a process of its own takes seconds for that.
READY = get_context("forkserver")
READY.set_forkserver_preload(
    [
        "alignrec.aligner.process_group",
        "alignrec.aligner.pretrain.pretraining",
        "alignrec.aligner.train.training",
        "alignrec.pipeline.stages.chain",
    ]
)

Work = Callable[..., Any]


def together(count: int, work: Work, *arguments: Any) -> list[Any]:
    """What `work(processes, *arguments)` returns in each of several processes, or the error that it raises.

    Args:
        count: of processes.
        work: a function of a module; of a process that is killed meanwhile, None is returned.
        arguments: that can be pickled, as the results.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    started: list[tuple[BaseProcess, Connection]] = []
    for rank in range(count):
        here, there = READY.Pipe(duplex=False)
        process = READY.Process(target=_one, args=(there, rank, count, port, work, arguments))
        process.start()
        there.close()
        started.append((process, here))
    results = [_received(here) for _, here in started]
    for process, _ in started:
        process.join()
    return results


def _received(connection: Connection) -> Any:
    try:
        return connection.recv()
    except EOFError:
        return None


def _one(results: Connection, rank: int, count: int, port: int, work: Work, arguments: Any) -> None:
    os.environ |= {"RANK": f"{rank}", "WORLD_SIZE": f"{count}", "LOCAL_RANK": f"{rank}"}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": f"{port}", "CUDA_VISIBLE_DEVICES": ""}
    try:
        with joined() as processes:
            result = work(processes, *arguments)
    except AlignerError as error:
        result = error
    results.send(result)
