"""What an evaluation's trainings learn from: the run's own features, and those that differ in one thing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from alignrec.aligner.evaluate.baselines import baselines, lose
from alignrec.aligner.inputs import Inputs
from alignrec.aligner.pretrain.item_encoder import ItemEncoder, load_encoder
from alignrec.aligner.train.ablations import OWN, Source
from alignrec.core.features import FeatureSet
from alignrec.core.vocabulary import MULTIMODAL
from alignrec.pipeline.runner.run_folder import PRETRAIN
from alignrec.pipeline.runner.stage import StageContext
from alignrec.pipeline.stages.evaluate.pieces import checkpoint_of
from alignrec.pipeline.stages.pretrain import ENCODER, pretrain_resumably


@dataclass(frozen=True, eq=False)
class FeatureSources:
    """Makes features when a training first needs them, from content alone, so that they serve every split.

    A training's seed is that of its features too: it pretrains, shuffles, and draws who loses a modality.

    Attributes:
        context: a finished pretraining.
        parts: hashes of all that decides the features and what learns from them, but for source, subject,
            seed and split.
        scratch: keeps checkpoints, and what finished pieces reached.
    """

    context: StageContext
    parts: Mapping[str, str]
    scratch: Path
    _known: dict[tuple[Source, int], FeatureSet] = field(default_factory=dict)

    @cached_property
    def inputs(self) -> Inputs:
        """What was extracted."""
        return self.context.run.inputs()

    @cached_property
    def untrained(self) -> dict[str, NDArray[np.float32]]:
        """Features float32 `[items, ·]` by name that nothing was trained for."""
        return baselines(self.inputs)

    def own(self, seed: int | None = None) -> dict[str, NDArray[np.float32]]:
        """The multimodal set, float32 `[items, ·]`, by its name; of the run's own seed, or of another."""
        return {MULTIMODAL: self.features(OWN, self.context.config.seed if seed is None else seed).matrix}

    def features(self, source: Source, seed: int) -> FeatureSet:
        """The features of a source under a seed."""
        if (source, seed) not in self._known:
            self._known[source, seed] = self._make(source, seed)
        return self._known[source, seed]

    def _make(self, source: Source, seed: int) -> FeatureSet:
        run = self.context.run
        if (source, seed) == (OWN, self.context.config.seed):
            return run.features(MULTIMODAL)
        if source.untrained:
            matrix = self.untrained[source.untrained]
            return FeatureSet(source.untrained, run.items(), matrix, np.any(matrix, axis=1))
        if source.shuffled:
            own = self.features(OWN, seed)
            order = np.random.default_rng(seed).permutation(len(own.ids))
            return replace(own, matrix=own.matrix[order], valid=own.valid[order])
        inputs = {m: given for m, given in self.inputs.items() if m != source.without}
        encoder = self._encoder(replace(source, lost=None), seed, inputs)
        if source.lost:
            modality, share = source.lost
            given = inputs[modality]
            inputs[modality] = given.without(lose(given.valid, share, seed))
        return FeatureSet(
            MULTIMODAL, run.items(), *encoder.encode(inputs, self.context.config.pretrain.device)
        )

    def _encoder(self, source: Source, seed: int, inputs: Inputs) -> ItemEncoder:
        """The run's own encoder, or another, pretrained from its checkpoint on."""
        config = self.context.config
        if (source, seed) == (OWN, config.seed):
            return load_encoder(self.context.run.saved(PRETRAIN, ENCODER))
        changed = config.model_copy(update={"seed": seed})
        if not source.pretrained:
            untouched = config.pretrain.model_copy(update={"epochs": 0})
            changed = changed.model_copy(update={"pretrain": untouched})
        title = f"evaluate: features{_without(source)}, seed {seed}"
        self.scratch.mkdir(exist_ok=True)
        checkpoint = checkpoint_of(self.scratch, title, self.parts)
        return pretrain_resumably(inputs, changed, checkpoint, self.context.console, title).encoder


def _without(source: Source) -> str:
    """What an encoder does without, in words that follow its features."""
    lacks = source.without or (None if source.pretrained else "ICA")
    return "" if lacks is None else f" without {lacks}"
