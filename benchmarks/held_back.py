"""What do new items get from a release that never saw them? Items held back, then encoded by it.

    python benchmarks/held_back.py examples/ml100k.yaml

Holds items back at random, trains a release without them and without what users did with them, and encodes
them. Prints zero-shot Recall@20 of the whole catalogue, once with their encoded vectors and once with an
encoder pretrained with their content; then the cold-start Recall@20: the held-back items alone ranked for
each user, all that users did with them being positives. There the release's `aligned` vectors stand against
what content alone can do; each difference has a paired 95% interval over users.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from alignrec.aligner.content_space import centre, concatenate
from alignrec.aligner.evaluate.bootstrap import interval
from alignrec.aligner.evaluate.evaluation import evaluate
from alignrec.aligner.evaluate.ranking import Scorer, dot_scorer
from alignrec.aligner.evaluate.scorers import feature_cf, zero_shot
from alignrec.aligner.evaluate.splits import TEST, TRAIN, Split
from alignrec.aligner.landmarks.popularity import popularity
from alignrec.export.load import open_release
from alignrec.pipeline.catalog.items import image_root
from alignrec.pipeline.catalog.sources.source import open_interactions, open_items
from alignrec.pipeline.commands.encode import encode
from alignrec.pipeline.config.catalog import ItemsConfig
from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.config.settings import Config, SplitConfig
from alignrec.pipeline.runner.catalogue_split import CatalogueSplit
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.runner.run_folder import RunFolder
from alignrec.pipeline.stages.chain import run

K = 20
Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]


def without(
    config: Config, catalogue: CatalogueSplit, held: Mask, folder: Path
) -> tuple[Config, ItemsConfig]:
    """A run of what is kept, its split cut alike, and the table of the items held back."""
    folder.mkdir(parents=True, exist_ok=True)
    items, log = config.catalog.items, config.catalog.interactions
    assert log is not None
    gone = {catalogue.item_ids[row] for row in np.flatnonzero(held)}
    table = open_items(items.path, image_root(items))
    files = {name: (folder / f"{name}.jsonl").open("w", encoding="utf-8") for name in ("kept", "held")}
    for row in table.rows(table.columns):
        print(json.dumps(row), file=files["held" if str(row[items.id]) in gone else "kept"])
    for file in files.values():
        file.close()
    kept_log = open_interactions(log.path)
    frame = pd.DataFrame(kept_log.rows(kept_log.columns), dtype=object)
    frame[~frame[log.item].isin(gone)].to_csv(folder / "interactions.csv", index=False)
    pairs = catalogue.table().to_pandas()
    pairs = pairs[~pairs["item_id"].isin(gone)]
    paths = {"path": folder / "kept.inter", "items": folder / "items.tsv", "users": folder / "users.tsv"}
    dense = {name: pd.factorize(pairs[f"{name}_id"]) for name in ("user", "item")}
    columns = {"userID": dense["user"][0], "itemID": dense["item"][0], "x_label": pairs["label"]}
    pd.DataFrame(columns).to_csv(paths["path"], sep="\t", index=False)
    for name, path in (("item", paths["items"]), ("user", paths["users"])):
        pd.DataFrame({"id": dense[name][1], "dense": range(len(dense[name][1]))}).to_csv(
            path, sep="\t", index=False
        )
    place = {"image_root": image_root(items)}
    kept = items.model_copy(update={"path": str(folder / "kept.jsonl"), **place})
    catalog = config.catalog.model_copy(
        update={
            "items": kept,
            "interactions": log.model_copy(update={"path": str(folder / "interactions.csv")}),
        }
    )
    changed = {"catalog": catalog, "split": SplitConfig(method="mmrec", **paths), "out": folder / "run"}
    return config.model_copy(update=changed), kept.model_copy(update={"path": str(folder / "held.jsonl")})


def show(title: str, own: str, scorers: Mapping[str, Scorer], split: Split) -> None:
    """Print Recall@20 on test of each, and how far `own` is above it, with the paired interval."""
    found = {
        name: evaluate(scorer, split, TEST, (K,)).values["recall", K] for name, scorer in scorers.items()
    }
    print(f"\n{title}: {len(found[own]):,} users")
    for name, values in sorted(found.items(), key=lambda pair: -pair[1].mean()):
        gain = interval(found[own], values)
        over = f"   {own} over it {gain.mean:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}]" if name != own else ""
        print(f"  {name:34} {values.mean():.4f}{over}", flush=True)


def measure(config: Config, count: int, seed: int, folder: Path) -> None:
    """Hold back, train, encode and print."""
    quiet = Console()
    run(config, "split", console=quiet)
    whole = run(config, "pretrain", console=quiet).folder
    catalogue = RunFolder(whole).split()
    held = np.zeros(len(catalogue.item_ids), dtype=np.bool_)
    rows = np.flatnonzero(catalogue.split.recommended)
    held[np.random.default_rng(seed).choice(rows, count, replace=False)] = True
    without_them, items = without(config, catalogue, held, folder)
    done = run(without_them, console=quiet)
    assert done.release is not None
    encoded = encode(open_release(done.release), items, folder / "encoded", quiet)
    new = {features.name: features for features in encoded.sets}

    def joined(name: str) -> tuple[Floats, Mask]:
        """A set over the whole catalogue: the release's vectors, and encoded ones of what was held back."""
        old, valid = RunFolder(done.folder).features(name).align_to(catalogue.item_ids)
        added, there = new[name].align_to(catalogue.item_ids)
        return np.where(there[:, None], added, old), valid | there

    history = catalogue.split.matrix(TRAIN)
    multimodal, _ = joined("multimodal")
    pretrained, _ = RunFolder(whole).features("multimodal").align_to(catalogue.item_ids)
    show(
        "zero-shot, the whole catalogue",
        "encoded",
        {"encoded": zero_shot(multimodal, history), "pretrained with them": zero_shot(pretrained, history)},
        catalogue.split,
    )
    split = catalogue.split
    known, asked = ~held[split.item] & (split.label == TRAIN), held[split.item]
    rows = known | asked
    label = np.where(asked, TEST, TRAIN).astype(np.uint8)[rows]
    cold = Split(split.users, split.items, split.user[rows], split.item[rows], label, held)
    past = cold.matrix(TRAIN)
    user, _ = RunFolder(done.folder).features("user").align_to(catalogue.user_ids)
    sides = {name: centre(*joined(name)) for name in ("image", "text")}
    both = concatenate(sides["image"], sides["text"], weights=(0.5, 1.0))
    scorers = {
        "aligned": dot_scorer(user, joined("aligned")[0]),
        "multimodal, zero-shot": zero_shot(multimodal, past),
        "multimodal, item-CF": feature_cf(multimodal, past),
        "centred concatenation, zero-shot": zero_shot(both, past),
        "centred concatenation, item-CF": feature_cf(both, past),
        "text, centred, zero-shot": zero_shot(sides["text"], past),
        "popularity (of new items: none)": popularity(past),
    }
    show(f"cold-start, the {count} items held back", "aligned", scorers, cold)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", type=Path, help="of a catalogue with interactions")
    parser.add_argument("--items", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("runs/held-back"))
    given = parser.parse_args(arguments)
    config = load_config(given.config)
    # Every set is needed, whatever the config publishes, and of the evaluation as little as can be.
    sets = ("image", "text", "multimodal", "content", "aligned", "user")
    changed = {"export": config.export.model_copy(update={"sets": sets})}
    changed["evaluate"] = config.evaluate.model_copy(update={"masked": ()})
    config = config.model_copy(update=changed)
    measure(config, given.items, given.seed, given.out.absolute())


if __name__ == "__main__":
    main()
