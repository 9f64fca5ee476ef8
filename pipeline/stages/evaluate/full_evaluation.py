"""The full evaluation: every seed, landmark and ablation, one training at a time.

A training has a checkpoint after each epoch and, once it is measured, a file with what it reached; so a kill
loses an epoch at most. Both lie in a folder of their own, which outlives other runs of the stage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np

from alignrec.aligner.evaluate.evaluator import Evaluator
from alignrec.aligner.evaluate.ranking import Scorer, dot_scorer
from alignrec.aligner.evaluate.top_k import Evaluations, evaluate_all, measurements
from alignrec.aligner.landmarks.contract import Landmark
from alignrec.aligner.landmarks.registry import landmarks_of
from alignrec.aligner.train.ablations import OWN, Source, Variant, variants
from alignrec.aligner.train.collaborative import collaborative
from alignrec.core.features import FeatureSet
from alignrec.core.results import Measurement
from alignrec.core.vocabulary import ALIGNED, CONTROL, MULTIMODAL, USER
from alignrec.pipeline.runner.catalogue_split import CatalogueSplit
from alignrec.pipeline.runner.checkpoint import Checkpoint
from alignrec.pipeline.runner.disk import check_disk
from alignrec.pipeline.runner.manifest import fingerprint
from alignrec.pipeline.runner.stage import StageContext
from alignrec.pipeline.stages.evaluate.evaluation_cache import kept_evaluations
from alignrec.pipeline.stages.evaluate.landmark_input import landmark_input
from alignrec.pipeline.stages.following import following
from alignrec.pipeline.stages.pretrain import pretrain_resumably
from alignrec.pipeline.stages.train import train_resumably

# Trains to the end, given where to keep what its resumption needs and what to call it on the screen.
Fit = Callable[[Checkpoint, str], Scorer]


@dataclass(frozen=True)
class Piece:
    """One row of the table under one seed; None where nothing is trained.

    Attributes:
        parts: hashes of all that decides it, but for subject and seed.
        scratch: keeps its checkpoint and, once it is measured, what it reached.
    """

    subject: str
    seed: int | None
    fit: Fit
    parts: Mapping[str, str]
    scratch: Path

    @property
    def name(self) -> str:
        """The subject, with the seed if there is one."""
        return self.subject if self.seed is None else f"{self.subject}, seed {self.seed}"

    @property
    def checkpoint(self) -> Checkpoint:
        """Of its training."""
        return _checkpoint(self.scratch, self.name, self.parts)

    @property
    def reached(self) -> Path:
        """The file that holds what it reached."""
        return self.checkpoint.path.with_suffix(".judged")

    def evaluate(self, evaluator: Evaluator, title: str) -> Evaluations:
        """Train and measure it, unless that is done."""
        self.scratch.mkdir(exist_ok=True)
        kept = kept_evaluations(
            self.reached, lambda: evaluate_all(self.fit(self.checkpoint, title), evaluator)
        )
        self.checkpoint.path.unlink(missing_ok=True)
        return kept


def full_evaluation(
    context: StageContext,
    cut: CatalogueSplit,
    evaluator: Evaluator,
    parts: Mapping[str, str],
    scratch: Path,
    elsewhere: Mapping[str, Evaluations],
) -> list[Measurement]:
    """Train and measure everything that is not measured yet.

    Args:
        context: a finished training.
        cut: the run's split.
        evaluator: of the run.
        parts: hashes of all that decides a piece, but for its subject and seed.
        scratch: keeps checkpoints and what finished pieces reached.
        elsewhere: what other systems reached, whose lists were read, by name.

    Returns:
        As `measurements`.
    """
    config = context.config
    check_disk(context.run.path, 32 * config.train.dim * (cut.split.users + cut.split.items))
    pieces = list(_Pieces(context, cut, parts, scratch))
    results: dict[str, dict[int | None, Evaluations]] = {}
    for number, piece in enumerate(pieces, 1):
        title = f"evaluate {number} of {len(pieces)}: {piece.name}"
        results.setdefault(piece.subject, {})[piece.seed] = piece.evaluate(evaluator, title)
    keep_controls(piece for piece in pieces if piece.subject == CONTROL)
    results |= {name: {None: reached} for name, reached in elsewhere.items()}
    return measurements(results)


def control(context: StageContext, cut: CatalogueSplit, seed: int) -> Piece:
    """What is left of the run's training without content.

    It depends on no feature, so it outlives the stage: new features are compared with the same control.
    """
    settings = context.config.train
    parts = {
        name: part
        for name, part in context.parts.items()
        if name in ("split", "train settings", "evaluate settings") or name.endswith(" version")
    }

    def fit(checkpoint: Checkpoint, title: str) -> Scorer:
        with following(checkpoint, settings.epochs, context.console, title) as hooks:
            return collaborative(cut.split, settings, seed, **hooks)

    return Piece(CONTROL, seed, fit, parts, context.run.scratch("control"))


def keep_controls(pieces: Iterable[Piece]) -> None:
    """Remove what controls of other splits, settings and seeds reached."""
    kept = {piece.reached: piece.scratch for piece in pieces}
    for folder in set(kept.values()):
        for path in folder.iterdir():
            if path not in kept:
                path.unlink()


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
        landmarks = landmarks_of(self.cut.split.items, full=True)
        rows: dict[str, Callable[[int, Checkpoint, str], Scorer]] = {
            ALIGNED: partial(self.trained, Variant(ALIGNED, config.train)),
            **{mark.name: partial(self.landmark, mark) for mark in landmarks if mark.trained},
            **{
                variant.name: partial(self.trained, variant)
                for variant in variants(config.train, config.modalities, pretrained=pretrained)
                if variant.source is not None
            },
        }
        for mark in landmarks:
            if not mark.trained:
                fit = partial(self.landmark, mark, config.seed)
                yield Piece(mark.name, None, fit, self.parts, self.scratch)
        for seed in seeds:
            yield control(self.context, self.cut, seed)
        for name, train in rows.items():
            for seed in seeds:
                yield Piece(name, seed, partial(train, seed), self.parts, self.scratch)

    def landmark(self, landmark: Landmark, seed: int, checkpoint: Checkpoint, title: str) -> Scorer:
        """A landmark, fitted; trained from its checkpoint on, if it has one."""
        features = self.source(OWN) if landmark.needs_features else None
        data = landmark_input(self.context.config, self.cut.split, seed, features)
        if not landmark.trained:
            self.context.console.note(title)
            return landmark.fit(data)
        with following(checkpoint, data.epochs, self.context.console, title) as hooks:
            return landmark.fit(replace(data, hooks=hooks))

    def trained(self, variant: Variant, seed: int, checkpoint: Checkpoint, title: str) -> Scorer:
        config = self.context.config
        if variant.name == ALIGNED and seed == config.seed:
            user, aligned = (self.context.run.features(name).matrix for name in (USER, ALIGNED))
            return dot_scorer(user, aligned)
        assert variant.source is not None
        features = self.source(variant.source)
        done = train_resumably(
            features, self.cut, variant.settings, seed, checkpoint, self.context.console, title
        )
        return dot_scorer(done.user, done.aligned)

    def source(self, source: Source) -> FeatureSet:
        """The features that a variant is trained on."""
        if source not in self.features:
            self.features[source] = self._make(source)
        return self.features[source]

    def _make(self, source: Source) -> FeatureSet:
        config = self.context.config
        if source == OWN:
            return self.context.run.features(MULTIMODAL)
        if source.shuffled:
            own = self.source(OWN)
            order = np.random.default_rng(config.seed).permutation(len(own.ids))
            return replace(own, matrix=own.matrix[order], valid=own.valid[order])
        inputs = {m: given for m, given in self.context.run.inputs().items() if m != source.without}
        if not source.pretrained:
            untouched = config.pretrain.model_copy(update={"epochs": 0})
            config = config.model_copy(update={"pretrain": untouched})
        title = f"evaluate: features without {source.without or 'ICA'}"
        checkpoint = _checkpoint(self.scratch, title, self.parts)
        done = pretrain_resumably(inputs, config, checkpoint, self.context.console, title)
        encoded = done.encoder.encode(inputs, config.pretrain.device)
        return FeatureSet(MULTIMODAL, self.cut.item_ids, *encoded)
