"""Small catalogues written to disk, for the pipeline's tests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any
from wave import open as open_wave

import numpy as np
import yaml
from PIL import Image

TINY_PRETRAINING = {
    "dim": 8,
    "width": 8,
    "depth": 1,
    "heads": 2,
    "tokens": 2,
    "codes": 4,
    "batch_size": 8,
    "epochs": 3,
    "patience": 9,
}


def picture(seed: int, form: str = "PNG") -> bytes:
    """A picture of coloured noise, 48 × 40."""
    pixels = np.random.default_rng(seed).integers(0, 256, (40, 48, 3), dtype=np.uint8)
    out = BytesIO()
    Image.fromarray(pixels).save(out, form)
    return out.getvalue()


def sound(seed: int, seconds: float = 0.4, rate: int = 16_000) -> bytes:
    """A tone with an overtone, as a WAV file of 16 bits."""
    time = np.arange(int(seconds * rate)) / rate
    wave = np.sin(2 * np.pi * (220 + 20 * seed) * time) + 0.3 * np.sin(2 * np.pi * (880 + 7 * seed) * time)
    out = BytesIO()
    with open_wave(out, "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes((12_000 * wave).astype("<i2").tobytes())
    return out.getvalue()


def write_items(folder: Path, rows: Sequence[dict[str, Any]], name: str = "items.jsonl") -> Path:
    """An items table in JSON Lines."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def write_catalogue(folder: Path, items: int = 6, users: int = 3) -> Path:
    """Items with a picture and a text each, interactions, and a config; returns the config's path.

    Each user has a third of the items; the config asks for raw sets alone.
    """
    rows = []
    for number in range(items):
        image = folder / "images" / f"{number}.png"
        image.parent.mkdir(parents=True, exist_ok=True)
        image.write_bytes(picture(number))
        title = f"thing {number}"
        description = "a fine thing " * (number % 5 + 1)
        rows.append(
            {
                "item_id": f"i{number}",
                "title": title,
                "description": description,
                "image": f"images/{number}.png",
            }
        )
    write_items(folder, rows)
    taken = [(user, (3 * n + user * (1 + n % 2)) % items) for user in range(users) for n in range(items // 3)]
    lines = ["user_id,item_id,rating", *(f"u{user},i{item},{item % 5 + 1}" for user, item in taken)]
    (folder / "interactions.csv").write_text("\n".join(lines) + "\n")
    config = folder / "alignrec.yaml"
    settings = {
        "name": "tiny",
        "out": "run",
        "catalog": {
            "items": {"path": "items.jsonl"},
            "interactions": {"path": "interactions.csv", "rating": "rating"},
        },
        "extract": {"max_rejected": 0.5},
        "split": {"k_core": 1},
        "pretrain": TINY_PRETRAINING,
        "export": {"sets": ["image", "text"]},
    }
    config.write_text(yaml.safe_dump(settings))
    return config
