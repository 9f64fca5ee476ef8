"""What would a trial on the machine gain over each model's own way of computing?

    python benchmarks/batches.py MODEL [--modality image] [--items 32] [--rounds 3]

Embeds the same inputs in the model's own way (its batch size and memory format, batches side by side with a
thread each) and with one thing changed at a time: batch size, memory format, precision, or two threads in
each batch, one batch after the other. All ways take turns, in another order each round. Prints what an item
takes as a share of the first way's time, the median over rounds: below 1 is faster. Other work of the machine
weighs on the clock and hardly on CPU time, but what a second thread is worth only the clock shows.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from statistics import median
from typing import Any

import torch

from alignrec.extractors.contract import Extractor
from alignrec.extractors.precision import BFLOAT16, FLOAT32, has_bfloat16
from alignrec.extractors.registry import load_extractor
from alignrec.extractors.testing import SAMPLES
from benchmarks.extraction import forward, model_of

BATCH_SIZES = (1, 2, 4, 8, 16, 32)
FORMATS = {"channels-last": torch.channels_last, "contiguous": torch.contiguous_format}


@dataclass(frozen=True)
class Way:
    """How a model computes.

    Attributes:
        batch_size: items a batch.
        precision: `float32` or `bfloat16`.
        memory_format: a key of `FORMATS`; "" as the model has it.
        cores: how many it has.
        threads: in a batch; with one, a batch runs on each core.
    """

    batch_size: int
    precision: str = FLOAT32
    memory_format: str = ""
    cores: int = 1
    threads: int = 1

    def __str__(self) -> str:
        """As a line has it."""
        words = [self.precision, f"batch {self.batch_size}", self.memory_format]
        if self.cores > 1:
            words.append(f"{self.cores} cores, {self.threads} a batch")
        return ", ".join(filter(None, words))


def ways(own: int, precision: str, *, spatial: bool) -> list[Way]:
    """The model's own way in a precision, then each with one thing changed."""
    first = Way(own, precision)
    sizes = [replace(first, batch_size=size) for size in BATCH_SIZES if size != own]
    formats = [replace(first, memory_format=name) for name in FORMATS] if spatial else []
    threads = [replace(first, cores=2, threads=count) for count in (1, 2)]
    return [first, *sizes, *formats, *threads]


def load(name: str, modality: str, way: Way) -> Extractor:
    """The model as a way has it."""
    extractor = load_extractor(name, modality, device="cpu", precision=way.precision)
    model = model_of(extractor)
    if way.memory_format and model is not None:
        model.to(memory_format=FORMATS[way.memory_format])
    return extractor


def spent(extractor: Extractor, prepared: Sequence[Any], way: Way) -> tuple[float, float]:
    """CPU seconds, and seconds on the clock, of one pass over the inputs."""
    torch.set_num_threads(way.cores)
    cpu = time.process_time()
    try:
        seconds = forward(extractor, prepared, way.batch_size, way.threads)
        return time.process_time() - cpu, seconds
    finally:
        torch.set_num_threads(1)


def shares(mine: Sequence[tuple[float, float]], own: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """CPU time and time on the clock over the model's own, each the median over rounds."""
    pairs = list(zip(mine, own, strict=True))
    return median(one[0] / other[0] for one, other in pairs), median(
        one[1] / other[1] for one, other in pairs
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run all ways and print their times."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model")
    parser.add_argument("--modality", choices=sorted(SAMPLES), default="image")
    parser.add_argument("--items", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    precisions = [FLOAT32, BFLOAT16] if has_bfloat16("cpu") else [FLOAT32]
    own = load_extractor(options.model, options.modality, device="cpu").batch_size
    every = [way for one in precisions for way in ways(own, one, spatial=options.modality == "image")]
    loaded: dict[tuple[str, str], Extractor] = {}
    for way in every:
        if (key := (way.precision, way.memory_format)) not in loaded:
            loaded[key] = load(options.model, options.modality, way)
    samples = SAMPLES[options.modality]()[: options.items]
    prepared = [next(iter(loaded.values())).prepare(value) for value in samples]
    times: dict[Way, list[tuple[float, float]]] = {way: [] for way in every}
    for number in range(options.rounds + 1):
        for way in Random(number).sample(every, len(every)):
            measured = spent(loaded[way.precision, way.memory_format], prepared, way)
            if number:  # the first touches memory
                times[way].append(measured)
    cpu = 1000 * median(seconds for seconds, _ in times[every[0]]) / len(prepared)
    print(f"{options.model}: its own way takes {cpu:.1f} ms of CPU an item")
    for way, measured in times.items():
        cpu, clock = shares(measured, times[every[0]])
        print(f"{way}: {cpu:.2f} of its CPU time, {clock:.2f} on the clock", flush=True)


if __name__ == "__main__":
    main()
