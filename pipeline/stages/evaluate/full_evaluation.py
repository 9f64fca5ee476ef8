"""The full evaluation: every seed, landmark and ablation, one training at a time.

A training has a checkpoint after each epoch and, once it is judged, a file with what it got; so a kill loses
an epoch at most. Both lie in a folder of their own, which outlives other runs of the stage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from alignrec.aligner.evaluate.ranking import Scorer, dot_scorer
from alignrec.aligner.inputs import Inputs
from alignrec.aligner.train.ablations import Source, Variant, variants
from alignrec.aligner.train.collaborative import collaborative
from alignrec.aligner.train.visual_bpr import vbpr
from alignrec.core.features import FeatureSet
from alignrec.core.results import Measurement
from alignrec.core.vocabulary import ALIGNED, MULTIMODAL, USER
from alignrec.pipeline.runner.catalogue_split import CatalogueSplit
from alignrec.pipeline.runner.checkpoint import Checkpoint
from alignrec.pipeline.runner.disk import check_disk
from alignrec.pipeline.runner.manifest import fingerprint
from alignrec.pipeline.runner.stage import StageContext
from alignrec.pipeline.stages.evaluate.evaluation_cache import kept_judged
from alignrec.pipeline.stages.evaluate.landmark_settings import landmark_settings
from alignrec.pipeline.stages.evaluate.top_k import (
    LIGHTGCN,
    Judged,
    judged,
    measurements,
    untrained_landmarks,
)
from alignrec.pipeline.stages.pretrain import pretrain_resumably
from alignrec.pipeline.stages.train import following, train_resumably

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


def full_evaluation(
    context: StageContext, cut: CatalogueSplit, parts: Mapping[str, str], scratch: Path
) -> list[Measurement]:
    """Train and judge everything that is not judged yet.

    Args:
        context: a finished training.
        cut: the run's split.
        parts: hashes of all that decides a piece, but for its subject and seed.
        scratch: keeps checkpoints and what finished pieces reached.

    Returns:
        As `measurements`.
    """
    config = context.config
    scratch.mkdir(exist_ok=True)
    check_disk(context.run.path, 32 * config.train.dim * (cut.split.users + cut.split.items))
    pieces = list(_Pieces(context, cut, parts, scratch))
    found: dict[str, dict[int | None, Judged]] = {}
    for number, piece in enumerate(pieces, 1):
        checkpoint = _checkpoint(scratch, piece.name, parts)
        title = f"evaluate {number} of {len(pieces)}: {piece.name}"
        judge = partial(_judge, piece, checkpoint, title, cut, config.evaluate.k)
        kept = kept_judged(checkpoint.path.with_suffix(".judged"), judge)
        found.setdefault(piece.subject, {})[piece.seed] = kept
        checkpoint.path.unlink(missing_ok=True)
    return measurements(found)


def _judge(
    piece: Piece, checkpoint: Checkpoint, title: str, cut: CatalogueSplit, ks: tuple[int, ...]
) -> Judged:
    return judged(piece.fit(checkpoint, title), cut, ks)


def _checkpoint(scratch: Path, name: str, parts: Mapping[str, str]) -> Checkpoint:
    mark = fingerprint(name, parts)
    return Checkpoint(scratch / f"{mark[:16]}.pt", mark)


@dataclass(frozen=True, eq=False)
class _Pieces:
    """Every piece of a table; features are made when the first piece that needs them is trained."""

    context: StageContext
    cut: CatalogueSplit
    parts: Mapping[str, str]
    scratch: Path
    features: dict[Source, FeatureSet] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Piece]:
        config = self.context.config
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
        for name, fit in untrained_landmarks(self.cut).items():
            yield Piece(name, None, partial(self.untrained, fit))
        for name, train in rows.items():
            for seed in seeds:
                yield Piece(name, seed, partial(train, seed))

    def untrained(self, fit: Callable[[], Scorer], _checkpoint: Checkpoint, title: str) -> Scorer:
        self.context.console.note(title)
        return fit()

    def trained(self, variant: Variant, seed: int, checkpoint: Checkpoint, title: str) -> Scorer:
        config = self.context.config
        if variant.name == ALIGNED and seed == config.seed:
            user, aligned = (self.context.run.features(name).matrix for name in (USER, ALIGNED))
            return dot_scorer(user, aligned)
        features = self.source(variant.source)
        done = train_resumably(
            features, self.cut, variant.settings, seed, checkpoint, self.context.console, title
        )
        return dot_scorer(done.user, done.aligned)

    def collaborative(self, layers: int, seed: int, checkpoint: Checkpoint, title: str) -> Scorer:
        settings = landmark_settings(self.context.config).model_copy(update={"layers": layers})
        with following(checkpoint, settings.epochs, self.context.console, title) as hooks:
            return collaborative(self.cut.split, settings, seed, **hooks)

    def vbpr(self, seed: int, checkpoint: Checkpoint, title: str) -> Scorer:
        settings, features = landmark_settings(self.context.config), self.source(MULTIMODAL)
        with following(checkpoint, settings.epochs, self.context.console, title) as hooks:
            return vbpr(features.matrix, features.valid, self.cut.split, settings, seed, **hooks)

    def source(self, source: Source) -> FeatureSet:
        """The features that a variant is trained on."""
        if source not in self.features:
            self.features[source] = self._make(source)
        return self.features[source]

    def _make(self, source: Source) -> FeatureSet:
        config = self.context.config
        if source == MULTIMODAL:
            return self.context.run.features(MULTIMODAL)
        inputs = self.context.run.inputs()
        kept: Inputs = {source: inputs[source]} if source in inputs else inputs
        if source == "untrained":
            untouched = config.pretrain.model_copy(update={"epochs": 0})
            config = config.model_copy(update={"pretrain": untouched})
        title = f"evaluate: {source} features"
        checkpoint = _checkpoint(self.scratch, title, self.parts)
        done = pretrain_resumably(kept, config, checkpoint, self.context.console, title)
        return FeatureSet(source, self.cut.item_ids, *done.encoder.encode(kept))
