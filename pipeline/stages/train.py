"""The train stage: AlignRec on the pretrained features and the interactions, resumable at every epoch."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from alignrec.aligner.train.graphs import content_neighbours
from alignrec.aligner.train.settings import TrainSettings
from alignrec.aligner.train.training import Neighbours, Trained, train
from alignrec.aligner.trainer import Hooks
from alignrec.core.features import FeatureSet
from alignrec.core.files import digest, replacing, replacing_folder
from alignrec.core.vocabulary import ALIGNED, CONTENT, MULTIMODAL, USER
from alignrec.pipeline.catalog.items import STAGE as EXTRACTION
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.runner.checkpoint import Checkpoint, resumable
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.runner.curves import write_records
from alignrec.pipeline.runner.disk import check_disk
from alignrec.pipeline.runner.manifest import MANIFEST, StageManifest, list_files
from alignrec.pipeline.runner.run_folder import read_set, write_set
from alignrec.pipeline.runner.stage import Before, Stage, Work
from alignrec.pipeline.stages.pretrain import STAGE as PRETRAINING
from alignrec.pipeline.stages.split import CatalogueSplit, make_split, split_parts

STAGE = "train"
ENCODER = "encoder/aligner"
# Counts up when the same inputs would give other bytes.
VERSION = 2


def training_parts(before: Before) -> dict[str, str]:
    """Hashes of all that decides what training makes."""
    config = before.config
    return {
        "train version": str(VERSION),
        "train settings": digest(config.train.model_dump(mode="json")),
        "multimodal features": digest(before.done[PRETRAINING].files),
        **split_parts(config, before.done[EXTRACTION]),
    }


def kept_neighbours(folder: Path) -> Neighbours:
    """A search for content neighbours that keeps what it found in `folder`, by their content."""

    def search(features: NDArray[np.float32], k: int, exact: int) -> sp.csr_array:
        name = hashlib.sha256(features.tobytes() + f"{features.shape} {k} {exact}".encode()).hexdigest()
        path = folder / f"{name}.npz"
        if path.is_file():
            return sp.csr_array(sp.load_npz(path))
        found = content_neighbours(features, k, exact)
        with replacing(path) as temporary, temporary.open("wb") as file:
            sp.save_npz(file, found, compressed=False)
        return found

    return search


@contextmanager
def following(checkpoint: Checkpoint, epochs: int, console: Console, title: str) -> Iterator[Hooks]:
    """What lets a training go on from its checkpoint, and shows the loss's parts behind a bar."""
    state = checkpoint.load()
    done = 0 if state is None else len(state["curves"])
    if done:
        console.note(f"{title}: resuming after epoch {done}")
    with console.progress(title, epochs) as advance:

        def show(epochs: int, curve: Mapping[str, float]) -> None:
            nonlocal done
            losses = [f"{k.removeprefix('loss.')} {v:.3f}" for k, v in curve.items() if k.startswith("loss.")]
            advance(epochs - done, ", ".join([*losses, f"recall@20 {curve['recall@20']:.4f}"]))
            done = epochs

        yield {"state": state, "save": checkpoint.save, "advance": show}


def train_resumably(
    features: FeatureSet,
    made: CatalogueSplit,
    settings: TrainSettings,
    seed: int,
    checkpoint: Checkpoint,
    console: Console,
    title: str,
) -> Trained:
    """Train, from the checkpoint on if there is one; found neighbours are kept beside it."""
    near = kept_neighbours(checkpoint.path.parent)
    with following(checkpoint, settings.epochs, console, title) as hooks:
        return train(
            features.matrix,
            features.valid,
            made.split,
            settings,
            seed,
            neighbours=near,
            **hooks,
        )


def _plan(before: Before) -> Work:
    return resumable(STAGE, before, training_parts(before), _run)


def _run(before: Before, parts: Mapping[str, str], checkpoint: Checkpoint, console: Console) -> StageManifest:
    config = before.config
    made = make_split(config, before.folder(EXTRACTION))
    features = read_set(config.run_folder, MULTIMODAL)
    # Vectors, gradients, two moments and the best epoch; and the sets themselves.
    check_disk(config.run_folder, 32 * config.train.dim * (made.split.users + made.split.items))
    trained = train_resumably(features, made, config.train, config.seed, checkpoint, console, STAGE)
    sets = feature_sets(trained, made)
    with replacing_folder(before.folder(STAGE)) as folder:
        for made_set in sets:
            write_set(made_set, folder / f"{made_set.name}.arrow")
        (folder / ENCODER).mkdir(parents=True)
        trained.encoder.save_pretrained(folder / ENCODER)
        write_records(_curves(trained, config.seed), folder / "curves.json")
        files = list_files(folder, [p for p in folder.rglob("*") if p.is_file()])
        summary = {
            "sets": {s.name: {"dim": s.dim, "valid": int(s.valid.sum())} for s in sets},
            "trained": int(trained.origin.sum()),
            "epochs": len(trained.fit.curves),
            "best epoch": trained.fit.best_epoch,
            "validation": trained.fit.validation,
        }
        manifest = StageManifest(STAGE, parts, files, summary)
        manifest.write(folder / MANIFEST)
    return manifest


def feature_sets(trained: Trained, made: CatalogueSplit) -> list[FeatureSet]:
    """The sets `aligned`, `content` and `user` of a training."""
    origin = ["trained" if known else "content" for known in trained.origin]
    known = np.asarray(trained.user.any(axis=1))
    return [
        FeatureSet(ALIGNED, made.item_ids, trained.aligned, trained.valid, origin=origin),
        FeatureSet(CONTENT, made.item_ids, trained.content, trained.valid, origin=origin),
        FeatureSet(USER, made.user_ids, trained.user, known, "user_id"),
    ]


def _curves(trained: Trained, seed: int) -> list[dict[str, object]]:
    records: list[dict[str, object]] = []
    for epoch, curve in enumerate(trained.fit.curves, start=1):
        for key, value in curve.items():
            name = key.removeprefix("loss.")
            split, metric = ("train", f"{name} loss") if name != key else ("valid", name)
            records.append({"epoch": epoch, "metric": metric, "value": value, "split": split, "seed": seed})
    return records


def _tell(done: StageManifest) -> list[str]:
    s, sets = done.summary, done.summary["sets"]
    made = ", ".join(f"{name} {entry['valid']:,} × {entry['dim']}" for name, entry in sets.items())
    return [
        f"train: {made}; {s['trained']:,} items trained on interactions; best of {s['epochs']} epochs: "
        f"{s['best epoch']}, validation recall@20 {s['validation']['recall@20']:.4f}"
    ]


def _skip(config: Config) -> str:
    return "" if config.trains else "export.sets names no set that training makes; add aligned to it."


TRAIN = Stage(STAGE, _plan, _tell, _skip)
