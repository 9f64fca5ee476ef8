"""The demo's catalogue for a tiny BEiT-3 of random weights, to be fine-tuned from pixels and word pieces."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from alignrec.pipeline.demo.catalogue import make_catalogue

TEXT = "{title}. {finish}. {theme}"  # of the demo's columns those that are quickly learned


def write_pixels_demo(folder: Path, seed: int, items: int = 800, **tuning: Any) -> Path:
    """Write the catalogue, a checkpoint and word pieces of its texts; the path of a config."""
    import sentencepiece
    import torch

    from alignrec.extractors.backends.beit3.checkpoint import save_checkpoint
    from alignrec.extractors.backends.beit3.model import PublishedBEiT3, Sizes

    make_catalogue(folder / "catalogue", seed=seed, items=items)
    rows = [json.loads(line) for line in (folder / "catalogue" / "items.jsonl").read_text().splitlines()]
    texts = [f"{row['title']}. {row['finish']}. {row['theme']}" for row in rows if row.get("title")]
    (folder / "beit3").mkdir()
    with (folder / "beit3" / "beit3.spm").open("wb") as file:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(texts),
            model_writer=file,
            model_type="bpe",
            vocab_size=300,
            hard_vocab_limit=False,
            minloglevel=2,
        )
    sizes = Sizes(width=64, layers=3, hidden=256, heads=1, patch=8, image=48, vocabulary=320, positions=26)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        save_checkpoint(PublishedBEiT3(sizes), folder / "beit3" / "beit3.safetensors")
    settings = {
        "out": "run",
        "catalog": {"items": {"path": "catalogue/items.jsonl", "text": TEXT}},
        "extract": {"image": "beit3:beit3", "text": "beit3:beit3"},
        "finetune": {
            "codes": 32,
            "batch_size": 32,
            "learning_rate": 2e-3,
            "layer_decay": 1.0,
            "clip": 1.0,
            "held_out": 0.3,
            "device": "cpu",
            **tuning,
        },
    }
    config = folder / "alignrec.yaml"
    config.write_text(yaml.safe_dump(settings))
    return config
