"""How fast does extraction run on Ray, as a share of the local engine's rate on the same cores?

    python benchmarks/engines.py [--pictures FOLDER] [--items 10000] [--workers 2] [--rounds 2]

Embeds short drawn titles with the packaged text model, or a folder's pictures, over again until there are
enough, with the packaged image model, by both engines in turns on a local cluster. Prints for each round both
rates, how long Ray took to its first units, and whether all shards are equal.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path
from random import Random
from time import perf_counter

from alignrec.core.files import sha256_file
from alignrec.extractors.modality import MODALITIES
from alignrec.extractors.registry import identify_extractor
from alignrec.pipeline.catalog.file_hashes import FileHashes
from alignrec.pipeline.catalog.inputs import Input
from alignrec.pipeline.catalog.items import read_catalogue
from alignrec.pipeline.config.catalog import ItemsConfig
from alignrec.pipeline.engines.base import Engine, Model, Unit
from alignrec.pipeline.engines.local import LocalEngine
from alignrec.pipeline.engines.ray import RayEngine
from alignrec.pipeline.runner.shards import plan

TEXT_MODEL, IMAGE_MODEL = "packaged:all-minilm-l6-v2", "packaged:efficientnet-lite0"
BATCH = 32
WORDS = (
    "red",
    "blue",
    "small",
    "large",
    "cotton",
    "steel",
    "shirt",
    "lamp",
    "chair",
    "garden",
    "of",
    "two",
    "and",
)


def picture_units(items: int, pictures: Path, folder: Path) -> list[Unit]:
    """The pictures of a folder, as many times as it takes, in shards."""
    files = cycle(sorted(path.name for path in pictures.iterdir()))
    rows = [f"{row},{name}" for row, name in enumerate(islice(files, items))]
    table = folder / "items.csv"
    table.write_text("\n".join(["item,photo", *rows]) + "\n")
    config = ItemsConfig(path=str(table), id="item", image="photo", text=None, image_root=str(pictures))
    modality = MODALITIES["image"]
    model = Model(IMAGE_MODEL, modality, identify_extractor(IMAGE_MODEL, modality), "cpu")
    shards = plan(read_catalogue(config, FileHashes()).inputs["image"], {})
    return [Unit(shard, model, BATCH, False, config, folder, ("photo",)) for shard in shards]


def title_units(items: int, folder: Path) -> list[Unit]:
    """Titles of six words, in shards."""
    modality, draw = MODALITIES["text"], Random(1)
    texts = [" ".join(draw.choices(WORDS, k=6)) for _ in range(items)]
    inputs = [
        Input(f"i{row}", row, hashlib.sha256(text.encode()).hexdigest(), text)
        for row, text in enumerate(texts)
    ]
    model = Model(TEXT_MODEL, modality, identify_extractor(TEXT_MODEL, modality), "cpu")
    return [
        Unit(shard, model, BATCH, False, ItemsConfig(path="unused"), folder) for shard in plan(inputs, {})
    ]


def measure(engine: Engine, units: list[Unit], folder: Path) -> tuple[float, float, set[tuple[str, str]]]:
    """Seconds in all, seconds until the first units were done, and the shards."""
    units = [replace(unit, folder=folder) for unit in units]
    ticks: list[float] = []
    started = perf_counter()
    engine.run(units, advance=lambda *_: ticks.append(perf_counter() - started))
    seconds = perf_counter() - started
    return seconds, ticks[0], {(unit.path.name, sha256_file(unit.path)) for unit in units}


def main() -> None:
    """Measure both in turns."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=Path, help="a folder of nothing else")
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    local, ray = LocalEngine(), RayEngine("local", given.workers)
    with tempfile.TemporaryDirectory(prefix="alignrec-benchmark-") as folder:
        place = Path(folder)
        pictures = given.pictures
        units = picture_units(given.items, pictures, place) if pictures else title_units(given.items, place)
        begun = perf_counter()
        for engine in (local, ray):
            engine.load(units[0].model)
        print(f"both engines ready in {perf_counter() - begun:.1f} s", flush=True)
        for turn in range(given.rounds):
            here, _, expected = measure(local, units, place / f"local{turn}")
            there, first, found = measure(ray, units, place / f"ray{turn}")
            print(
                f"local {given.items / here:.0f}/s; {given.workers} workers {given.items / there:.0f}/s "
                f"({here / there:.2f} of local), first units after {first:.1f} s; "
                f"shards {'equal' if expected == found else 'DIFFER'}",
                flush=True,
            )
        ray.close()


if __name__ == "__main__":
    main()
