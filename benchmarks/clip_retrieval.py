"""How fast is extraction beside clip-retrieval, each as a whole process, and beside the bare model?

    python -m venv other && other/bin/pip install clip-retrieval 'setuptools<70'
    python benchmarks/clip_retrieval.py other/bin/clip-retrieval PICTURES [--pictures 600] [--rounds 5]

Embeds the first pictures of a folder by ViT-B-32 with random weights, which time does not notice: by
clip-retrieval as it comes, by `alignrec run --until extract` in float32, and in bfloat16 where the processor
has it, in turns. Prints each time; then the ratios of the medians, the rates that ours has while it embeds as
shares of the bare model's (one thread on each core, pictures already prepared), and how far bfloat16 moves
vectors. Measure on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from time import perf_counter

import numpy as np
import open_clip
import torch
import yaml
from safetensors.torch import save_file

from alignrec.core.vectors import unit_rows
from alignrec.extractors.backends.openclip.files import CONFIG, LOCAL
from alignrec.extractors.precision import BFLOAT16, FLOAT32, has_bfloat16
from alignrec.pipeline.runner.run_folder import RunFolder

ARCHITECTURE = "ViT-B-32"
OTHER = "clip-retrieval"
BATCH, PIXELS = 8, 224
# Those that both sides read.
ENDINGS = {".jpg", ".jpeg", ".png", ".webp"}


def write_model(folder: Path) -> Path:
    """A model with random weights, in the form that open_clip saves; returns the file of its weights."""
    torch.manual_seed(0)
    model = open_clip.create_model(ARCHITECTURE)
    folder.mkdir()
    written = {"model_cfg": open_clip.get_model_config(ARCHITECTURE), "preprocess_cfg": {}}
    (folder / CONFIG).write_text(json.dumps(written))
    weights = folder / "open_clip_model.safetensors"
    save_file(model.state_dict(), weights)
    return weights


def copy_pictures(source: Path, folder: Path, count: int) -> Path:
    """A folder of the first pictures, and the table that names them; returns the table."""
    folder.mkdir()
    found = (path for path in sorted(source.iterdir()) if path.suffix.lower() in ENDINGS)
    names = []
    for path in islice(found, count):
        shutil.copyfile(path, folder / path.name)
        names.append(path.name)
    if len(names) < count:
        raise SystemExit(f"{source} holds {len(names)} pictures, not {count}")
    table = folder.with_suffix(".csv")
    table.write_text("\n".join(["item,photo", *(f"{name},{name}" for name in names)]) + "\n")
    return table


def write_config(table: Path, model: Path, precision: str) -> Path:
    """The config of an extraction of pictures alone, in a folder of its own."""
    folder = table.parent / precision
    folder.mkdir()
    items = {"path": str(table), "id": "item", "image": "photo", "text": None}
    items["image_root"] = str(table.with_suffix(""))
    extract = {"image": f"open_clip:{LOCAL}{model}", "precision": precision, "device": "cpu"}
    config = {"catalog": {"items": items}, "extract": extract, "export": {"sets": ["image"]}, "out": "run"}
    (folder / "alignrec.yaml").write_text(yaml.safe_dump(config))
    return folder


def run(command: Sequence[str | Path], folder: Path) -> tuple[float, str]:
    """Seconds that a process takes, and what it says."""
    began = perf_counter()
    done = subprocess.run(list(map(str, command)), cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{command[0]} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return perf_counter() - began, done.stdout + done.stderr


def run_other(program: Path, pictures: Path, weights: Path, out: Path) -> float:
    """Seconds that clip-retrieval takes for a folder of pictures."""
    command = [program.absolute(), "inference", "--input_dataset", pictures, "--output_folder", out]
    command += ["--clip_model", f"open_clip:{ARCHITECTURE}/{weights}", "--enable_text", "False"]
    return run(command, out.parent)[0]


def run_ours(folder: Path, number: int) -> tuple[float, float]:
    """Seconds that ours takes, and the pictures a second while it embeds."""
    command = [Path(sys.executable).parent / "alignrec", "run", "--until", "extract"]
    seconds, words = run([*command, "-o", f"out=run-{number}"], folder)
    rate = re.search(r"\((\d+)/s\)", words)
    assert rate is not None, words
    return seconds, float(rate[1])


def bare_rate(precision: str, count: int) -> float:
    """Pictures a second of the model alone, in batches side by side, one thread each."""
    torch.set_num_threads(1)
    kind = torch.bfloat16 if precision == BFLOAT16 else torch.float32
    model = open_clip.create_model(ARCHITECTURE).eval().to(kind)
    batch = torch.randn(BATCH, 3, PIXELS, PIXELS, dtype=kind)

    def embed(_: int) -> None:
        with torch.inference_mode():
            model.encode_image(batch)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(embed, range(2)))
        began, batches = perf_counter(), -(-count // BATCH)
        list(pool.map(embed, range(batches)))
        return batches * BATCH / (perf_counter() - began)


def largest_error(first: Path, second: Path) -> float:
    """One less the smallest cosine between the same pictures' vectors in two run folders."""
    one, other = (unit_rows(RunFolder(folder).features("image").matrix) for folder in (first, second))
    return float(1 - np.einsum("ij,ij->i", one, other, dtype=np.float64).min())


def main(arguments: Sequence[str] | None = None) -> None:
    """Run all sides in turns and print the ratios."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("program", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args(arguments)
    precisions = [FLOAT32, *([BFLOAT16] if has_bfloat16("cpu") else [])]
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        weights = write_model(place / "model")
        table = copy_pictures(given.folder, place / "pictures", given.pictures)
        configs = {precision: write_config(table, weights.parent, precision) for precision in precisions}
        seconds: dict[str, list[float]] = {side: [] for side in (OTHER, *precisions)}
        shares: dict[str, list[float]] = {precision: [] for precision in precisions}
        for number in range(given.rounds):
            out = place / f"other-{number}"
            seconds[OTHER].append(run_other(given.program, table.with_suffix(""), weights, out))
            for precision, folder in configs.items():
                took, rate = run_ours(folder, number)
                seconds[precision].append(took)
                shares[precision].append(rate / bare_rate(precision, given.pictures // 2))
            words = [f"{side} {times[-1]:.1f} s" for side, times in seconds.items()]
            words += [f"{precision} {part[-1]:.0%} of the bare rate" for precision, part in shares.items()]
            print(f"round {number + 1}: {', '.join(words)}", flush=True)
        theirs = statistics.median(seconds[OTHER])
        for precision in precisions:
            ratio = theirs / statistics.median(seconds[precision])
            share = statistics.median(shares[precision])
            print(f"{precision}: {OTHER} takes {ratio:.2f} times as long; {share:.0%} of the bare rate")
        if BFLOAT16 in configs:
            error = largest_error(*(folder / "run-0" for folder in configs.values()))
            print(f"{BFLOAT16}: vectors within a cosine error of {error:.1e}")


if __name__ == "__main__":
    main()
