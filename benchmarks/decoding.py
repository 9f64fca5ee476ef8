"""How much faster are large JPEGs prepared at a reduced scale, and how far do their vectors move?

    python benchmarks/decoding.py [--model packaged:efficientnet-lite0] [--side 1500] [--pictures FILE …]

Prepares the same pictures in full and reduced, as an extraction does (decoded, cropped, resized), one after
the other in one thread; the ratio is that of medians of CPU time over turns that alternate, so that other
work on the machine weighs on both alike. Then embeds both and prints the cosine errors. Photographs are
drawn, square, soft and sharp to the last pixel, in three qualities of JPEG; their size in bytes is printed,
since what a scale does not save is to read them. Files are upscaled.
"""

from __future__ import annotations

import argparse
import io
import statistics
import time
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from alignrec.extractors.contract import Extractor
from alignrec.extractors.inputs.images import decode_image, reduction
from alignrec.extractors.registry import load_extractor
from alignrec.extractors.testing import sample_photograph

QUALITIES = (75, 85, 95)
FALLS = {"soft": 1.4, "sharp": 1.2}
COUNT = 8


def drawn(side: int, fall: float, quality: int, count: int) -> list[bytes]:
    """Square photographs, each as a JPEG of some quality (see `sample_photograph`)."""
    found = []
    for seed in range(count):
        stream = io.BytesIO()
        square = decode_image(sample_photograph(side, seed, fall)).crop((0, 0, side, side))
        square.save(stream, "JPEG", quality=quality)
        found.append(stream.getvalue())
    return found


def upscaled(path: Path, side: int) -> bytes:
    """A smaller picture as if it had been taken larger: bicubic, with the grain of a sensor."""
    stream, grain = io.BytesIO(), np.random.default_rng(0)
    picture = decode_image(path.read_bytes()).resize((side, side), Image.Resampling.BICUBIC)
    pixels = np.asarray(picture) + grain.normal(0, 3, (side, side, 1))
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(stream, "JPEG", quality=85)
    return stream.getvalue()


def prepared(extractor: Extractor, data: bytes, side: int) -> tuple[float, object]:
    """CPU seconds to prepare one picture, and what came of it."""
    started = time.thread_time()
    value = extractor.prepare(decode_image(data, side))
    return time.thread_time() - started, value


def compare(extractor: Extractor, files: Sequence[bytes], repeat: int) -> str:
    """Both ways for some pictures, in a line."""
    side = extractor.picture_side
    seconds: dict[int, list[float]] = {0: [], side: []}
    for data in files:  # untimed, for memory that is touched for the first time
        prepared(extractor, data, 0)
    values: dict[int, list[object]] = {0: [], side: []}
    for turn in range(repeat):
        for data in files:
            for way in (0, side) if turn % 2 else (side, 0):
                spent, value = prepared(extractor, data, way)
                seconds[way].append(spent)
                if not turn:
                    values[way].append(value)
    full, reduced = (statistics.median(seconds[way]) * 1000 for way in (0, side))
    left, right = (
        np.concatenate([extractor.embed([one]).pooled for one in values[way]]).astype(np.float64)
        for way in (0, side)
    )
    lengths = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    errors = 1 - (left * right).sum(axis=1) / lengths
    scales = sorted({reduction(decode_image(data, side)) for data in files})
    size = statistics.mean(len(data) for data in files) / 1000
    return (
        f"{size:,.0f} kB, by {'/'.join(map(str, scales))}: full {full:.1f} ms, reduced "
        f"{reduced:.1f} ms, ratio {full / reduced:.2f}; cosine error mean {errors.mean():.1e}, largest "
        f"{errors.max():.1e}"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run both sides and print ratios and errors."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="packaged:efficientnet-lite0")
    parser.add_argument("--side", type=int, default=1500)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--pictures", nargs="*", type=Path, default=[])
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    extractor = load_extractor(options.model, "image", device="cpu")
    print(f"{options.model} resizes pictures to {extractor.picture_side}", flush=True)
    size = f"{options.side} x {options.side}"
    for (name, fall), quality in product(FALLS.items(), QUALITIES):
        files = drawn(options.side, fall, quality, COUNT)
        line = compare(extractor, files, options.repeat)
        print(f"{name}, {size}, quality {quality}: {line}", flush=True)
    if options.pictures:
        files = [upscaled(path, options.side) for path in options.pictures]
        print(f"files: {compare(extractor, files, options.repeat)}", flush=True)


if __name__ == "__main__":
    main()
