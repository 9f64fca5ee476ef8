"""The full evaluation: every seed, landmark and ablation, one training at a time.

A training has a checkpoint after each epoch and, once it is measured, a file with what it reached; so a kill
loses an epoch at most. Both lie in a folder of their own, which outlives other runs of the stage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from alignrec.aligner.evaluate.evaluator import Evaluator
from alignrec.aligner.evaluate.ranking import Scorer, dot_scorer
from alignrec.aligner.evaluate.top_k import Evaluations, evaluate_all, measurements
from alignrec.aligner.landmarks.contract import Landmark
from alignrec.aligner.landmarks.registry import landmarks_of
from alignrec.aligner.train.ablations import OWN, Source, Variant, variants
from alignrec.core.features import FeatureSet
from alignrec.core.results import Measurement
from alignrec.core.vocabulary import ALIGNED, MULTIMODAL, USER
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
    """One row of the table under one seed; None where nothing is trained."""

    subject: str
    seed: int | None
    fit: Fit

    @property
    def name(self) -> str:
        """The subject, with the seed if there is one."""
        return self.subject if self.seed is None else f"{self.subject}, seed {self.seed}"


def full_evaluation(
    context: StageContext,
    cut: CatalogueSplit,
    evaluator: Evaluator,
    parts: Mapping[str, str],
    scratch: Path,
) -> list[Measurement]:
    """Train and measure everything that is not measured yet.

    Args:
        context: a finished training.
        cut: the run's split.
        evaluator: of the run.
        parts: hashes of all that decides a piece, but for its subject and seed.
        scratch: keeps checkpoints and what finished pieces reached.

    Returns:
        As `measurements`.
    """
    config = context.config
    scratch.mkdir(exist_ok=True)
    check_disk(context.run.path, 32 * config.train.dim * (cut.split.users + cut.split.items))
    pieces = list(_Pieces(context, cut, parts, scratch))
    results: dict[str, dict[int | None, Evaluations]] = {}
    for number, piece in enumerate(pieces, 1):
        checkpoint = _checkpoint(scratch, piece.name, parts)
        title = f"evaluate {number} of {len(pieces)}: {piece.name}"
        train_and_evaluate = partial(_train_and_evaluate, piece, checkpoint, title, evaluator)
        kept = kept_evaluations(checkpoint.path.with_suffix(".judged"), train_and_evaluate)
        results.setdefault(piece.subject, {})[piece.seed] = kept
        checkpoint.path.unlink(missing_ok=True)
    return measurements(results)


def _train_and_evaluate(
    piece: Piece, checkpoint: Checkpoint, title: str, evaluator: Evaluator
) -> Evaluations:
    return evaluate_all(piece.fit(checkpoint, title), evaluator)


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
            },
        }
        for mark in landmarks:
            if not mark.trained:
                yield Piece(mark.name, None, partial(self.landmark, mark, config.seed))
        for name, train in rows.items():
            for seed in seeds:
                yield Piece(name, seed, partial(train, seed))

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
        inputs = {m: given for m, given in self.context.run.inputs().items() if m != source.without}
        if not source.pretrained:
            untouched = config.pretrain.model_copy(update={"epochs": 0})
            config = config.model_copy(update={"pretrain": untouched})
        title = f"evaluate: features without {source.without or 'ICA'}"
        checkpoint = _checkpoint(self.scratch, title, self.parts)
        done = pretrain_resumably(inputs, config, checkpoint, self.context.console, title)
        encoded = done.encoder.encode(inputs, config.pretrain.device)
        return FeatureSet(MULTIMODAL, self.cut.item_ids, *encoded)
