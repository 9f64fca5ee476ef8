"""The train stage: AlignRec on the pretrained features and the interactions, resumable at every epoch."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from alignrec.aligner.processes import ALONE, Processes
from alignrec.aligner.train.settings import TrainSettings
from alignrec.core.features import FeatureSet
from alignrec.core.protocols import ZERO_SHOT
from alignrec.core.sealed import read_sealed, sealing
from alignrec.core.vocabulary import ALIGNED, CONTENT, MULTIMODAL, USER
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.runner.catalogue_split import CatalogueSplit
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.runner.cost import Cost, Measured
from alignrec.pipeline.runner.curves import CURVES, write_records
from alignrec.pipeline.runner.run_folder import EXTRACT, PRETRAIN, SPLIT, TRAIN, write_set
from alignrec.pipeline.runner.stage import Plan, Stage, StageContext, begun, describe_sets
from alignrec.pipeline.stages.following import following

if TYPE_CHECKING:
    from alignrec.aligner.train.training import Neighbours, Trained
    from alignrec.aligner.train.whole_log import Chosen
    from alignrec.pipeline.runner.checkpoint import Checkpoint

ENCODER = "encoder/aligner"


class TrainStage(Stage):
    """Trains on the split's interactions, and writes what it makes of every item and user."""

    name = TRAIN
    version = 6
    libraries = ("numpy", "scipy", "torch")

    def skip(self, config: Config) -> str:
        """Sets that no training makes need none."""
        return "" if config.trains else "export.sets names no set that training makes; add aligned to it."

    def plan(self, context: StageContext) -> Plan:
        """The multimodal set, the split and the settings decide."""
        return Plan(training_inputs(context), bytes=training_bytes(context), **begun(context))

    def make(self, context: StageContext, target: Path) -> Mapping[str, Any]:
        """Write the sets, the encoder of new items and the curves."""
        cut = context.run.split()
        trained = train_for(context, cut)
        write_records(_curves(trained, context.config.seed), target / CURVES)
        return {
            **write_trained(trained, cut, target),
            "epochs": len(trained.fit.curves),
            "best epoch": trained.fit.best_epoch,
            "validation": trained.validation,
            "popularity": trained.popularity,
            ZERO_SHOT: trained.zero_shot,
        }

    def assist(self, context: StageContext) -> None:
        """Train along."""
        train_for(context, context.run.split())

    def cost(self, rehearsal: StageContext, actual: StageContext, measured: Measured) -> Cost:
        """Validation says when it stops."""
        from alignrec.pipeline.stages.epochs import epochs_with_content

        config = actual.config
        epochs = epochs_with_content(rehearsal.run, config.train, config.seed)
        return super().cost(rehearsal, actual, measured).longer(*measured.bars[0].more(epochs))

    def describe(self, summary: Mapping[str, Any]) -> list[str]:
        """How many vectors, and which epoch was the best."""
        weights = "".join(
            f", {term} weight {summary[term]:g}" for term in ("popularity", ZERO_SHOT) if summary[term]
        )
        return [
            f"train: {describe_sets(summary['sets'])}; {summary['trained']:,} items trained on interactions; "
            f"best of {summary['epochs']} epochs: {summary['best epoch']}{weights}, validation recall@20 "
            f"{summary['validation']['recall@20']:.4f}"
        ]


def training_inputs(context: StageContext) -> dict[str, Any]:
    """All that decides what training makes."""
    return {
        "train version": str(TrainStage.version),
        "train settings": context.config.train.model_dump(mode="json"),
        "multimodal features": context.done[PRETRAIN].files,
        "split": context.done[SPLIT].files,
        "seed": str(context.config.seed),
    }


def training_bytes(context: StageContext) -> int:
    """What a training needs on disk: vectors, gradients, two moments and the best epoch, and the sets."""
    rows: int = context.done[SPLIT].summary["users"] + context.done[EXTRACT].summary["items"]
    settings = context.config.train
    content = context.done[PRETRAIN].summary["sets"][MULTIMODAL]["dim"] if settings.has_zero_shot else 0
    return (32 * settings.dim + 4 * content) * rows


def kept_neighbours(folder: Path, processes: Processes = ALONE) -> Neighbours:
    """A search for content neighbours that keeps what it found in `folder`, by their content.

    Of several processes the first one searches; the others take what it found.
    """
    from alignrec.aligner.train.graphs import content_neighbours  # loads torch

    def search(features: NDArray[np.float32], k: int, exact: int) -> sp.csr_array:
        name = hashlib.sha256(features.tobytes() + f"{features.shape} {k} {exact}".encode()).hexdigest()
        path = folder / f"{name}.npz"
        if kept := read_sealed(path):
            return sp.csr_array(sp.load_npz(io.BytesIO(kept)))
        neighbours = content_neighbours(features, k, exact)
        with sealing(path) as temporary, temporary.open("wb") as file:
            sp.save_npz(file, neighbours, compressed=False)
        return neighbours

    return lambda *arguments: processes.after_first(lambda: search(*arguments))


def train_for(context: StageContext, cut: CatalogueSplit, chosen: Chosen | None = None) -> Trained:
    """The training of a stage; see `train_resumably`."""
    return train_resumably(
        context.run.features(MULTIMODAL),
        cut,
        context.config.train,
        context.config.seed,
        context.checkpoint(),
        context.console,
        context.stage.name,
        chosen,
        context.processes,
    )


def train_resumably(
    features: FeatureSet,
    cut: CatalogueSplit,
    settings: TrainSettings,
    seed: int,
    checkpoint: Checkpoint,
    console: Console,
    title: str,
    chosen: Chosen | None = None,
    processes: Processes = ALONE,
) -> Trained:
    """Train, from the checkpoint on if there is one; found neighbours are kept beside it.

    With what validation chose before, on all interactions (see `train`).
    """
    from alignrec.aligner.train.training import train  # loads torch

    neighbours = kept_neighbours(checkpoint.path.parent, processes)
    epochs = settings.epochs if chosen is None else chosen.epochs
    with following(checkpoint, epochs, console, title, processes) as hooks:
        return train(
            features.matrix,
            features.valid,
            cut.split,
            settings,
            seed,
            neighbours=neighbours,
            chosen=chosen,
            **hooks,
        )


def write_trained(trained: Trained, cut: CatalogueSplit, target: Path) -> dict[str, Any]:
    """Write the sets of a training and the encoder of new items; returns what a summary says of them."""
    sets = feature_sets(trained, cut)
    for features in sets:
        write_set(features, target / f"{features.name}.arrow")
    (target / ENCODER).mkdir(parents=True)
    trained.encoder.save_pretrained(target / ENCODER)
    return {
        "sets": {s.name: {"dim": s.dim, "valid": int(s.valid.sum())} for s in sets},
        "trained": int(trained.origin.sum()),
    }


def feature_sets(trained: Trained, cut: CatalogueSplit) -> list[FeatureSet]:
    """The sets `aligned`, `content` and `user` of a training."""
    origin = ["trained" if known else "content" for known in trained.origin]
    known = np.asarray(trained.user.any(axis=1))
    return [
        FeatureSet(ALIGNED, cut.item_ids, trained.aligned, trained.valid, origin=origin),
        FeatureSet(CONTENT, cut.item_ids, trained.content, trained.valid, origin=origin),
        FeatureSet(USER, cut.user_ids, trained.user, known, "user_id"),
    ]


def _curves(trained: Trained, seed: int) -> list[dict[str, object]]:
    records: list[dict[str, object]] = []
    for epoch, curve in enumerate(trained.fit.curves, start=1):
        for key, value in curve.items():
            name = key.removeprefix("loss.")
            split, metric = ("train", f"{name} loss") if name != key else ("valid", name)
            records.append({"epoch": epoch, "metric": metric, "value": value, "split": split, "seed": seed})
    return records


STAGE = TrainStage()
