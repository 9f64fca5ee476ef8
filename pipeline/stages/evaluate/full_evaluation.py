"""The whole table of an evaluation: every seed, landmark and ablation, one training at a time.

A training has a checkpoint after each epoch and, once it is judged, a file with what it got; so a kill loses
an epoch at most. Both lie in a folder of their own, which outlives other runs of the stage.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from alignrec.aligner.evaluate.ranking import Scorer, dot_scorer
from alignrec.aligner.inputs import Inputs
from alignrec.aligner.train.ablations import Source, Variant, variants
from alignrec.aligner.train.collaborative import collaborative
from alignrec.aligner.train.visual_bpr import vbpr
from alignrec.core.features import FeatureSet
from alignrec.core.results import Measurement
from alignrec.core.vocabulary import ALIGNED, MULTIMODAL, USER
from alignrec.pipeline.catalog.items import STAGE as EXTRACTION
from alignrec.pipeline.runner.checkpoint import Checkpoint
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.runner.disk import check_disk
from alignrec.pipeline.runner.manifest import fingerprint
from alignrec.pipeline.runner.run_folder import read_set
from alignrec.pipeline.runner.stage import Before, scratch_folder
from alignrec.pipeline.runner.token_shards import read_inputs
from alignrec.pipeline.stages.evaluate.evaluation_cache import kept_judged
from alignrec.pipeline.stages.evaluate.top_k import (
    LIGHTGCN,
    Judged,
    judged,
    landmark_settings,
    measurements,
    untrained_landmarks,
)
from alignrec.pipeline.stages.pretrain import pretrain_resumably
from alignrec.pipeline.stages.split import CatalogueSplit
from alignrec.pipeline.stages.train import following, train_resumably

SCRATCH = "evaluate-full"
# Trains to the end, given where to keep what its resumption needs and what to call it on the screen.
Fit = Callable[[Checkpoint, str], Scorer]


@dataclass(frozen=True)
class Piece:
    """One row of the table under one seed; None where nothing is trained."""

    subject: str
    seed: int | None
    fit: Fit

    @property
    def name(self) -> str:
        """The subject, with the seed if there is one."""
        return self.subject if self.seed is None else f"{self.subject}, seed {self.seed}"


def whole_table(
    before: Before, made: CatalogueSplit, parts: Mapping[str, str], console: Console
) -> list[Measurement]:
    """Train and judge everything that is not judged yet.

    Args:
        before: a finished training.
        made: the run's split.
        parts: hashes of all that decides a piece, but for its subject and seed.
        console: shows which piece it is, and how its training goes.

    Returns:
        As `measurements`.
    """
    config = before.config
    scratch_folder(config, SCRATCH).mkdir(exist_ok=True)
    check_disk(config.run_folder, 32 * config.train.dim * (made.split.users + made.split.items))
    pieces = list(_Pieces(before, made, parts, console))
    found: dict[str, dict[int | None, Judged]] = {}
    for number, piece in enumerate(pieces, 1):
        checkpoint = _checkpoint(before, piece.name, parts)
        title = f"evaluate {number} of {len(pieces)}: {piece.name}"
        judge = partial(_judge, piece, checkpoint, title, made, config.evaluate.k)
        kept = kept_judged(checkpoint.path.with_suffix(".judged"), judge)
        found.setdefault(piece.subject, {})[piece.seed] = kept
        checkpoint.path.unlink(missing_ok=True)
    return measurements(found)


def _judge(
    piece: Piece, checkpoint: Checkpoint, title: str, made: CatalogueSplit, ks: tuple[int, ...]
) -> Judged:
    return judged(piece.fit(checkpoint, title), made, ks)


def forget_pieces(before: Before) -> None:
    """Remove what only the resumption of a whole table needs."""
    shutil.rmtree(scratch_folder(before.config, SCRATCH), ignore_errors=True)


def _checkpoint(before: Before, name: str, parts: Mapping[str, str]) -> Checkpoint:
    of = fingerprint(name, parts)
    return Checkpoint(scratch_folder(before.config, SCRATCH) / f"{of[:16]}.pt", of)


@dataclass(frozen=True, eq=False)
class _Pieces:
    """Every piece of a table; features are made when the first piece that needs them is trained."""

    before: Before
    made: CatalogueSplit
    parts: Mapping[str, str]
    console: Console
    features: dict[Source, FeatureSet] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Piece]:
        config = self.before.config
        # The run's own training comes first, so that what is released is always among the seeds.
        seeds = dict.fromkeys((config.seed, *config.evaluate.seeds))
        pretrained = config.pretrain.epochs > 0
        rows: dict[str, Callable[[int, Checkpoint, str], Scorer]] = {
            ALIGNED: partial(self.trained, Variant(ALIGNED, config.train)),
            "BPR-MF": partial(self.collaborative, 0),
            LIGHTGCN: partial(self.collaborative, landmark_settings(config).layers),
            "VBPR": self.vbpr,
            **{
                variant.name: partial(self.trained, variant)
                for variant in variants(config.train, config.modalities, pretrained=pretrained)
            },
        }
        for name, fit in untrained_landmarks(self.made).items():
            yield Piece(name, None, partial(self.untrained, fit))
        for name, train in rows.items():
            for seed in seeds:
                yield Piece(name, seed, partial(train, seed))

    def untrained(self, fit: Callable[[], Scorer], _checkpoint: Checkpoint, title: str) -> Scorer:
        self.console.note(title)
        return fit()

    def trained(self, variant: Variant, seed: int, checkpoint: Checkpoint, title: str) -> Scorer:
        config = self.before.config
        if variant.name == ALIGNED and seed == config.seed:
            user, aligned = (read_set(config.run_folder, name).matrix for name in (USER, ALIGNED))
            return dot_scorer(user, aligned)
        features = self.source(variant.source)
        done = train_resumably(features, self.made, variant.settings, seed, checkpoint, self.console, title)
        return dot_scorer(done.user, done.aligned)

    def collaborative(self, layers: int, seed: int, checkpoint: Checkpoint, title: str) -> Scorer:
        settings = landmark_settings(self.before.config).model_copy(update={"layers": layers})
        with following(checkpoint, settings.epochs, self.console, title) as hooks:
            return collaborative(self.made.split, settings, seed, **hooks)

    def vbpr(self, seed: int, checkpoint: Checkpoint, title: str) -> Scorer:
        settings, features = landmark_settings(self.before.config), self.source(MULTIMODAL)
        with following(checkpoint, settings.epochs, self.console, title) as hooks:
            return vbpr(features.matrix, features.valid, self.made.split, settings, seed, **hooks)

    def source(self, source: Source) -> FeatureSet:
        """The features that a variant is trained on."""
        if source not in self.features:
            self.features[source] = self._make(source)
        return self.features[source]

    def _make(self, source: Source) -> FeatureSet:
        config = self.before.config
        if source == MULTIMODAL:
            return read_set(config.run_folder, MULTIMODAL)
        inputs = read_inputs(self.before.folder(EXTRACTION))
        kept: Inputs = {source: inputs[source]} if source in inputs else inputs
        if source == "untrained":
            untouched = config.pretrain.model_copy(update={"epochs": 0})
            config = config.model_copy(update={"pretrain": untouched})
        title = f"evaluate: {source} features"
        checkpoint = _checkpoint(self.before, title, self.parts)
        done = pretrain_resumably(kept, config, checkpoint, self.console, title)
        return FeatureSet(source, self.made.item_ids, *done.encoder.encode(kept))
