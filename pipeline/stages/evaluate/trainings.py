"""The trainings that evaluations compare, on one split: landmarks, and AlignRec in all its variants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from alignrec.aligner.evaluate.ranking import Scorer, dot_scorer
from alignrec.aligner.landmarks.contract import Landmark, LandmarkInput
from alignrec.aligner.landmarks.registry import landmarks_of
from alignrec.aligner.landmarks.search import validation_recall
from alignrec.aligner.train.ablations import OWN, Source, Variant
from alignrec.core.files import digest
from alignrec.core.protocols import THINNED, trained_mask_protocol
from alignrec.core.vocabulary import ALIGNED, MULTIMODAL, USER
from alignrec.pipeline.runner.catalogue_split import CatalogueSplit
from alignrec.pipeline.runner.checkpoint import Checkpoint
from alignrec.pipeline.runner.manifest import fingerprint
from alignrec.pipeline.runner.run_folder import TUNE
from alignrec.pipeline.runner.stage import StageContext
from alignrec.pipeline.stages.evaluate.feature_sources import FeatureSources
from alignrec.pipeline.stages.evaluate.landmark_input import landmark_input
from alignrec.pipeline.stages.evaluate.landmark_search import LandmarkLog, searched
from alignrec.pipeline.stages.evaluate.pieces import Fit, Less, Piece, checkpoint_of, control, split_parts
from alignrec.pipeline.stages.following import following
from alignrec.pipeline.stages.pretrain import content_inputs
from alignrec.pipeline.stages.train import train_resumably

# Where the settings of a landmark on a split that was drawn again were searched for.
_ELSEWHERE = "on the run's own split"


@dataclass(frozen=True, eq=False)
class Trainings:
    """Every training of an evaluation on one split.

    Attributes:
        sources: of the features, which serve every split; what they know of the run is known here.
        cut: the split.
        redrawn: the seed that drew the split; None for the run's own split.
        less: how the histories of `cut` were thinned; None for whole ones.
        tuned: the trainings whose searches for settings serve these: of whole histories where they are
            thinned, of the run's own split where the split is another.
    """

    sources: FeatureSources
    cut: CatalogueSplit
    redrawn: int | None = None
    less: Less | None = None
    tuned: Trainings | None = None

    @property
    def context(self) -> StageContext:
        """A finished training."""
        return self.sources.context

    @property
    def scratch(self) -> Path:
        """Keeps checkpoints and what finished pieces reached."""
        return self.sources.scratch

    def thinned(self, share: float) -> Trainings:
        """The same on thinned histories; what is kept of them goes by the seed that drew the split."""
        seed = self.context.config.seed if self.redrawn is None else self.redrawn
        cut = replace(self.cut, split=self.cut.split.thinned(share, seed))
        return replace(self, cut=cut, less=Less(THINNED, share), tuned=self)

    def control(self, seed: int) -> Piece:
        """The piece of the control."""
        return control(self.context, self.cut, seed, self.redrawn, self.less)

    def of_landmark(self, landmark: Landmark, seed: int, source: Source | None = None) -> Piece:
        """A landmark's piece; the seed decides it only where it is trained.

        Args:
            landmark: whose piece it is.
            seed: of a training.
            source: of other features than those that it learns from as a rule.
        """
        known = seed if landmark.trained else None
        name = landmark.name if source is None else f"{landmark.name} on {source.features}"
        piece = self._piece(name, known, partial(self._landmark, landmark, seed, source))
        searched = self._searches(landmark) and (self.redrawn is None or _ELSEWHERE)
        identity = {**landmark.identity, "searched": searched}
        return replace(piece, parts={**piece.parts, "landmark": digest(identity)})

    def of_variant(self, variant: Variant, seed: int) -> Piece:
        """The piece of AlignRec itself, or of a variant that learns from features."""
        return self._piece(variant.name, seed, partial(self._trained, variant, seed))

    def without(self, modality: str, share: float, seed: int) -> Piece:
        """The piece of AlignRec on the run's encoder, where a share of a modality's items has lost it."""
        variant = Variant(ALIGNED, self.context.config.train, Source(lost=(modality, share)))
        less = Less(trained_mask_protocol(modality), share)
        piece = self._piece(ALIGNED, seed, partial(self._trained, variant, seed))
        return replace(piece, less=less, parts={**piece.parts, **split_parts(None, less)})

    def search_logs(self) -> dict[str, LandmarkLog]:
        """The searches for settings of trained landmarks, by landmark; done if they are not."""
        marks = landmarks_of(self.cut.split.items, full=True)
        return {mark.name: self._search(mark) for mark in marks if self._searches(mark)}

    def _piece(self, name: str, seed: int | None, fit: Fit) -> Piece:
        parts = {**self.sources.parts, **split_parts(self.redrawn, self.less)}
        if seed not in (None, self.context.config.seed):
            parts["seed of pretraining"] = str(seed)
        return Piece(name, seed, fit, parts, self.scratch, self.less)

    def _landmark(
        self, landmark: Landmark, seed: int, source: Source | None, checkpoint: Checkpoint, title: str
    ) -> Scorer:
        """A landmark, fitted; trained from its checkpoint on, if it has one."""
        data = self._input(landmark, seed, source)
        if not landmark.trained:
            self.context.console.note(title)
            return landmark.fit(data)
        chosen = (self._search(landmark).chosen or {}) if self._searches(landmark) else {}
        with following(checkpoint, data.epochs, self.context.console, title) as hooks:
            return landmark.fit(replace(data, hooks=hooks, chosen=chosen))

    def _input(self, landmark: Landmark, seed: int, source: Source | None = None) -> LandmarkInput:
        """What a landmark learns from; features that take the place of modalities are one."""
        config, split = self.context.config, self.cut.split
        of_features = seed if landmark.trained else config.seed
        if landmark.needs_modalities:
            if source is None:
                return landmark_input(config, split, seed, inputs=self.sources.inputs)
            given = self.sources.features(source, of_features)
            one = {given.name: (given.matrix, given.valid)}
            return replace(landmark_input(config, split, seed), modalities=one)
        features = self.sources.features(source or OWN, of_features) if landmark.needs_features else None
        return landmark_input(config, split, seed, features)

    def _searches(self, landmark: Landmark) -> bool:
        """Whether a landmark's settings are searched for: in a full evaluation, as it costs trainings."""
        return self.context.config.evaluate.full and landmark.search is not None

    def _search(self, landmark: Landmark) -> LandmarkLog:
        """The search, whose log stays in the run folder."""
        if self.tuned is not None:
            return self.tuned._search(landmark)
        context, parts = self.context, search_parts(self.context, landmark)
        data = self._input(landmark, context.config.seed)

        def score(settings: Mapping[str, float], title: str) -> float:
            name = f"{landmark.name} {sorted(settings.items())}"
            self.scratch.mkdir(exist_ok=True)
            checkpoint = checkpoint_of(self.scratch, name, parts)
            with following(checkpoint, data.epochs, context.console, f"evaluate: {title}") as hooks:
                scorer = landmark.fit(replace(data, hooks=hooks, chosen=settings))
            checkpoint.path.unlink(missing_ok=True)
            return validation_recall(scorer, self.cut.split)

        mark = fingerprint(landmark.name, parts)
        return searched(landmark, context.run.path / TUNE / f"landmark-{mark[:12]}.json", score)

    def _trained(self, variant: Variant, seed: int, checkpoint: Checkpoint, title: str) -> Scorer:
        config = self.context.config
        own = (variant.name, variant.source, seed) == (ALIGNED, OWN, config.seed)
        if own and self.redrawn is None and self.less is None:
            user, aligned = (self.context.run.features(name).matrix for name in (USER, ALIGNED))
            return dot_scorer(user, aligned)
        assert variant.source is not None
        features = self.sources.features(variant.source, seed)
        done = train_resumably(
            features, self.cut, variant.settings, seed, checkpoint, self.context.console, title
        )
        return dot_scorer(done.user, done.aligned)


def search_parts(context: StageContext, landmark: Landmark) -> dict[str, str]:
    """What decides a landmark's search on the run's own split: features only where it learns from them."""
    names = {"split", *([MULTIMODAL] if landmark.needs_features else [])}
    names |= set(content_inputs(context)) if landmark.needs_modalities else set()
    parts = {name: part for name, part in context.parts.items() if name in names or name.endswith(" version")}
    config = context.config
    return parts | {
        "landmark": digest(landmark.identity),
        "seed and epochs": digest([config.seed, config.train.epochs]),
    }
