"""How much does the extraction stage cost beyond decoding and computing, each measured alone?

    python benchmarks/extraction.py examples/ml100k.yaml

Prints the ratio of the stage's time (without imports) to the sum of decoding every picture and of one
forward pass over every input, each at the best batch size and memory format found in this same run.
Decoding is the workers' whole task: read, decode, resize; for texts, tokenise.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any

import torch

from alignrec.extractors.contract import Extractor
from alignrec.extractors.parallel import compute_pool
from alignrec.extractors.registry import load_extractor
from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.engines.base import LoadedModel, Unit
from alignrec.pipeline.engines.inputs import InputReader
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.runner.runner import bring_up_to_date, planned
from alignrec.pipeline.runner.stage import StageContext
from alignrec.pipeline.stages.extract import stage as stage

BATCH_SIZES = (4, 8, 16, 32, 64)
FORMATS = {"channels-last": torch.channels_last, "contiguous": torch.contiguous_format}
THREADS = (1, torch.get_num_threads())
SAMPLE = 192


def seconds(work: Callable[[], Any]) -> float:
    """Time of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def prepare_all(units: Sequence[Unit], extractor: Extractor, workers: int) -> tuple[float, list[Any]]:
    """Time to read and prepare every input of a modality, and the inputs."""
    out: list[Any] = []
    read = InputReader(units)
    fetches = [fetch for unit in units for fetch in read(unit)]

    def one(fetch: Callable[[], Any]) -> Any:
        return extractor.prepare(fetch())

    def work() -> None:
        with ThreadPoolExecutor(workers) as pool:
            out.extend(pool.map(one, fetches))

    return seconds(work), out


def forward(extractor: Extractor, prepared: Sequence[Any], batch_size: int, threads: int) -> float:
    """Time of one forward pass, those of like length together; with one thread, batches side by side."""
    ordered = sorted(prepared, key=extractor.length)
    batches = [ordered[i : i + batch_size] for i in range(0, len(ordered), batch_size)]
    if threads > 1:
        return seconds(lambda: [extractor.embed(batch) for batch in batches])
    with compute_pool(extractor) as (pool, _):
        return seconds(lambda: list(pool.map(extractor.embed, batches)))


def model_of(extractor: Extractor) -> torch.nn.Module | None:
    """The network inside an extractor, where its memory format can matter."""
    features = getattr(extractor, "_features", None)
    return features.__self__ if features is not None else getattr(extractor, "_model", None)


def best_forward(extractor: Extractor, prepared: Sequence[Any]) -> tuple[float, str]:
    """The fastest full forward pass among batch sizes and memory formats, chosen on a sample."""
    sample = prepared[:: max(1, len(prepared) // SAMPLE)]
    model = model_of(extractor)
    trials = {}
    for name in FORMATS if model is not None else ("as it is",):
        if model is not None:
            model.to(memory_format=FORMATS[name])
        for batch_size, threads in product(BATCH_SIZES, THREADS):
            forward(extractor, sample[:batch_size], batch_size, threads)
            spent = forward(extractor, sample, batch_size, threads)
            trials[spent] = (name, batch_size, threads)
            print(f"    {name}, batch {batch_size}, threads {threads}: {len(sample) / spent:.0f}/s")
    name, batch_size, threads = trials[min(trials)]
    if model is not None:
        model.to(memory_format=FORMATS[name])
    spent = forward(extractor, prepared, batch_size, threads)
    return spent, f"{name}, batch {batch_size}, threads {threads}"


def main() -> None:
    """Run both sides and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", type=Path)
    config = load_config(parser.parse_args().config)
    work = planned(StageContext(config, stage.STAGE, {})).plan.details
    alone = 0.0
    for job in work.jobs:
        print(f"{job.name}: {len(job.inputs)} inputs")
        model = job.model
        extractor = load_extractor(
            model.name, model.modality, device=model.device, precision=model.identity.precision
        )
        job = job.chosen(LoadedModel(extractor.card, extractor.device, extractor.batch_size))
        units = job.units(job.shards, config.catalog.items, Path("unused"))
        decoding, prepared = min((prepare_all(units, extractor, w) for w in (1, 2)), key=lambda pair: pair[0])
        computing, how = best_forward(extractor, prepared)
        print(f"  decoding alone {decoding:.1f} s, forward pass alone {computing:.1f} s ({how})")
        alone += decoding + computing
    folder = Path(tempfile.mkdtemp(prefix="alignrec-benchmark-"))
    try:
        settings = config.model_copy(update={"out": folder})
        whole = seconds(lambda: bring_up_to_date(StageContext(settings, stage.STAGE, {}, console=Console())))
    finally:
        shutil.rmtree(folder)
    print(f"the stage, with reading the catalogue and loading the models: {whole:.1f} s")
    print(f"ratio to decoding plus computing alone ({alone:.1f} s): {whole / alone:.2f}")


if __name__ == "__main__":
    main()
