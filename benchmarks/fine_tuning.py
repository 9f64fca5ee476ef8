"""Does fine-tuning teach `[CLS]` what users like, and do the pairs teach it? Shuffled pairs beside true ones.

    python benchmarks/fine_tuning.py --seeds 11 --log benchmarks/fine_tuning_trials.jsonl

Each seed draws a catalogue of the demo's, and a tiny BEiT-3 of random weights is fine-tuned on it twice:
on its items, and on the same items with their texts permuted among them. Prints a line of JSON a seed, and
one of all together: Recall@20 of zero-shot by `[CLS]`, centred, of picture and text at once and of either
alone (where `[CLS]` of a text is what begins it), before, after, and after shuffled pairs; whichever was
trained, true items are read. The differences have 95% intervals over the users of all seeds.
"""

from __future__ import annotations

import argparse
import io
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import sentencepiece
import torch
import yaml
from numpy.typing import NDArray
from PIL import Image

from alignrec.aligner.content_space import centre
from alignrec.aligner.evaluate.bootstrap import interval
from alignrec.aligner.evaluate.evaluation import evaluate
from alignrec.aligner.evaluate.scorers import zero_shot
from alignrec.aligner.evaluate.splits import TEST, TRAIN, VALID, Split
from alignrec.aligner.finetune.items import PixelItems
from alignrec.aligner.finetune.settings import FinetuneSettings
from alignrec.aligner.finetune.training import finetune
from alignrec.extractors.backends.beit3.model import PublishedBEiT3, Sizes
from alignrec.extractors.backends.beit3.preparation import Preparation, scaled
from alignrec.extractors.backends.beit3.trainable import TrainableBEiT3
from alignrec.extractors.backends.beit3.word_pieces import WordPieces
from alignrec.extractors.registry import load_extractor
from alignrec.pipeline.catalog.file_hashes import FileHashes
from alignrec.pipeline.catalog.interactions import read_interactions
from alignrec.pipeline.catalog.items import read_catalogue
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.demo.catalogue import make_catalogue
from alignrec.pipeline.runner.checkpoint import Checkpoint
from alignrec.pipeline.stages.finetune.picture_shards import PictureShards
from alignrec.pipeline.stages.finetune.teacher import Teacher
from alignrec.pipeline.stages.split import cut_interactions

COLUMNS = ("title", "finish", "theme")  # of the demo's columns those that are quickly learned
SIZES = Sizes(width=64, layers=3, hidden=256, heads=1, patch=12, image=48, vocabulary=320, positions=26)
SETTINGS = FinetuneSettings(
    codes=32,
    steps=1200,
    batch_size=64,
    learning_rate=2e-3,
    layer_decay=1.0,
    clip=1.0,
    classify=True,
    device="cpu",
)
BEFORE, AFTER, SHUFFLED = "before", "after", "after shuffled pairs"
FORMS = {"pair": (True, True), "image": (True, False), "text": (False, True)}
K = 20
Found = dict[str, dict[str, NDArray[np.float64]]]  # by form and training, a value a user


@dataclass(frozen=True)
class Catalogue:
    """A demo's catalogue as fine-tuning reads it, its split, and the id of a hidden word piece."""

    items: PixelItems
    split: Split
    mask: int


def draw(folder: Path, seed: int, settings: FinetuneSettings) -> Catalogue:
    """Draw a demo's catalogue, learn word pieces of its texts and take codes of its pictures."""
    make_catalogue(folder, seed=seed)
    template = ". ".join(f"{{{column}}}" for column in COLUMNS)
    log = {"path": str(folder / "interactions.csv"), "rating": "rating", "min_rating": 4}
    items = {"path": str(folder / "items.jsonl"), "text": template}
    config = Config.model_validate({"catalog": {"items": items, "interactions": log}, "seed": seed})
    catalogue = read_catalogue(config.catalog.items, FileHashes())
    number = {item_id: place for place, item_id in enumerate(catalogue.item_ids)}
    texts = {one.item_id: str(one.value) for one in catalogue.inputs["text"]}
    pieces = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts.values()),
        model_writer=pieces,
        model_type="bpe",
        vocab_size=300,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    (folder / "demo.spm").write_bytes(pieces.getvalue())
    known = WordPieces(folder / "demo.spm")
    prepare = Preparation(SIZES, known)
    pixels = np.zeros((len(number), SIZES.image, SIZES.image, 3), dtype=np.uint8)
    usable = np.zeros(len(number), dtype=np.bool_)
    for one in catalogue.inputs["image"]:
        try:
            with Image.open(folder / "images" / f"{one.item_id}.png") as picture:
                pixels[number[one.item_id]] = prepare(picture.convert("RGB")).pixels
        except OSError:  # the demo's faults, which extraction would list
            continue
        usable[number[one.item_id]] = True
    pictures = SimpleNamespace(
        pixels=lambda rows: pixels[rows], usable=lambda: usable, shards=[("all", slice(0, len(pixels)))]
    )
    teacher = Teacher(
        lambda: load_extractor(settings.teacher, "image", device="cpu"),
        cast("PictureShards", pictures),
        SIZES.image // SIZES.patch,
    )
    codes = teacher.codes(settings, seed, Checkpoint(folder / "codebook.pt", "x"), folder, lambda _: None)
    ids = [prepare(texts[item_id]).ids or [] if item_id in texts else [] for item_id in catalogue.item_ids]
    assert config.catalog.interactions is not None
    table = read_interactions(config.catalog.interactions, catalogue.item_ids).table
    cut = cut_interactions(config, catalogue.item_ids, table)
    return Catalogue(PixelItems(lambda rows: pixels[rows], codes, usable, ids), cut.split, known.mask)


def shuffled(items: PixelItems, seed: int) -> PixelItems:
    """The same items, with the texts of those that have one permuted among them: none keeps its own."""
    order = np.random.default_rng(seed).permutation(np.flatnonzero(items.text))
    texts = list(items.texts)
    for place, other in zip(order, np.roll(order, 1), strict=True):
        texts[place] = items.texts[other]
    return replace(items, texts=texts)


def measure(catalogue: Catalogue, settings: FinetuneSettings, seed: int, part: int) -> Found:
    """Recall@20 of each user, by form and by training."""
    found: Found = {form: {} for form in FORMS}
    items = catalogue.items
    for training, given in ((BEFORE, None), (AFTER, items), (SHUFFLED, shuffled(items, seed))):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            published = PublishedBEiT3(SIZES)
        model = TrainableBEiT3(published, catalogue.mask, settings.codes, seed)
        if given is not None:
            finetune(model, given, settings, seed)
        for form in FORMS:
            matrix = vectors(model.published.eval(), items, form)
            history = catalogue.split.matrix(TRAIN)
            scorer = zero_shot(centre(matrix, matrix.any(axis=1)), history)
            found[form][training] = evaluate(scorer, catalogue.split, part, (K,)).values["recall", K]
    return found


@torch.no_grad()
def vectors(model: PublishedBEiT3, items: PixelItems, form: str) -> NDArray[np.float32]:
    """The first state of each item, float32 `[n, width]`: of what it has of a form; zeros for nothing."""
    found = np.zeros((len(items.texts), SIZES.width), dtype=np.float32)
    sides = {
        (picture, text): np.flatnonzero(
            (items.picture & FORMS[form][0] == picture) & (items.text & FORMS[form][1] == text)
        )
        for picture, text in FORMS.values()
    }
    for (picture, text), rows in sides.items():
        for some in np.array_split(rows, len(rows) // 256 + 1):
            if not len(some):
                continue
            ids, lengths = items.padded(some)
            real = np.arange(ids.shape[1])[None, :] < lengths[:, None]
            states = model.beit3(
                scaled(torch.from_numpy(items.pixels(some))) if picture else None,
                torch.from_numpy(ids) if text else None,
                torch.from_numpy(real) if text else None,
            )
            found[some] = states[:, 0].numpy()
    return found


def compared(seeds: Sequence[Found]) -> dict[str, Any]:
    """Means over the users of all seeds, and how far training on the pairs is above the other two."""
    record: dict[str, Any] = {}
    for form in FORMS:
        pooled = {name: np.concatenate([found[form][name] for found in seeds]) for name in seeds[0][form]}
        record[form] = {name: round(float(values.mean()), 4) for name, values in pooled.items()}
        for name in (BEFORE, SHUFFLED):
            gain = interval(pooled[AFTER], pooled[name])
            record[form][f"over {name}"] = [round(one, 4) for one in (gain.mean, gain.low, gain.high)]
    return record


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the seeds asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, nargs="+", required=True, help="of the demo's catalogues")
    parser.add_argument("--part", choices=("valid", "test"), default="valid", help="what recall is of")
    parser.add_argument("-o", "--set", action="append", default=[], metavar="KEY=VALUE", help="of finetune")
    parser.add_argument("--log", type=Path, help="a file that gets the lines too")
    given = parser.parse_args(arguments)
    changed = {key: yaml.safe_load(value) for key, _, value in (pair.partition("=") for pair in given.set)}
    settings = FinetuneSettings.model_validate(SETTINGS.model_dump() | changed)
    part, seeds = {"valid": VALID, "test": TEST}[given.part], []
    for seed in given.seeds:
        with tempfile.TemporaryDirectory() as folder:
            catalogue = draw(Path(folder), seed, settings)
        seeds.append(measure(catalogue, settings, seed, part))
        say({"seeds": [seed], "part": given.part, "changed": changed} | compared(seeds[-1:]), given.log)
    if len(seeds) > 1:
        say({"seeds": given.seeds, "part": given.part, "changed": changed} | compared(seeds), given.log)


def say(record: Mapping[str, Any], log: Path | None) -> None:
    """Print a line of JSON, and append it to the log."""
    line = json.dumps(record)
    print(line, flush=True)
    if log is not None:
        with log.open("a", encoding="utf-8") as file:
            file.write(line + "\n")


if __name__ == "__main__":
    main()
