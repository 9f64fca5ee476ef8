"""Measures recommenders on a run's split, and features by the paper's intermediate protocols."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from alignrec.aligner.evaluate.baselines import HALF_IMAGE, baselines, imputed, lose
from alignrec.aligner.evaluate.comparison import compare
from alignrec.aligner.evaluate.evaluation import evaluate
from alignrec.aligner.evaluate.ranking import Scorer
from alignrec.aligner.evaluate.scorers import feature_cf, zero_shot
from alignrec.aligner.evaluate.splits import TEST, TRAIN, VALID
from alignrec.aligner.inputs import Inputs
from alignrec.aligner.landmarks.item_cf import cooccurrence_cf
from alignrec.aligner.landmarks.popularity import popularity
from alignrec.core.results import Measurement
from alignrec.core.vocabulary import ITEM_CF, MODALITIES, MULTIMODAL, ZERO_SHOT, mask_protocol
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.runner.catalogue_split import CatalogueSplit

Matrix = NDArray[np.float32]
LEFT_OVER = ("centred concatenation", HALF_IMAGE)  # the baselines that stand a missing modality
_SPLITS: dict[Literal["valid", "test"], int] = {"valid": VALID, "test": TEST}


@dataclass(frozen=True)
class Judge:
    """A run's split and cut-offs.

    Attributes:
        made: the split.
        config: the run.
    """

    made: CatalogueSplit
    config: Config

    def measure(
        self,
        protocol: str,
        scorers: Mapping[str, Scorer],
        seeds: Mapping[str, int],
        share: float | None = None,
    ) -> list[Measurement]:
        """Every scorer on validation and on test, and the trained against the others.

        Args:
            protocol: how the scorers came about.
            scorers: by subject.
            seeds: of the subjects that were trained, the seed.
            share: masked share, under the mask protocols.
        """
        made, ks = self.made, self.config.evaluate.k
        records = []
        for split, part in _SPLITS.items():
            results = {name: evaluate(scorer, made.split, part, ks) for name, scorer in scorers.items()}
            records += compare(protocol, results, seeds, split=split, share=share)
        return records

    @property
    def history(self) -> sp.csr_array:
        """Training interactions, CSR of ones `[users, items]`."""
        return self.made.split.matrix(TRAIN)

    def intermediate(self, inputs: Inputs, trained: Mapping[str, Matrix]) -> list[Measurement]:
        """Zero-shot and item-CF of trained features, of every baseline and of the landmarks.

        Args:
            inputs: the catalogue.
            trained: features float32 `[items, ·]` by name.
        """
        history, features = self.history, {**trained, **baselines(inputs)}
        seeds = dict.fromkeys(trained, self.config.seed)
        shown = {name: zero_shot(matrix, history) for name, matrix in features.items()}
        near = {name: feature_cf(matrix, history) for name, matrix in features.items()}
        return [
            *self.measure(ZERO_SHOT, {**shown, "popularity": popularity(history)}, seeds),
            *self.measure(ITEM_CF, {**near, "co-occurrence": cooccurrence_cf(history)}, seeds),
        ]

    def masked(
        self, inputs: Inputs, whole: Matrix | None, pretrain: Callable[[Inputs, str], Matrix]
    ) -> list[Measurement]:
        """Zero-shot as a growing share of items loses its image, and as it loses its text.

        What an item loses is gone before pretraining: an encoder that has seen it could remember it.

        Args:
            inputs: the catalogue.
            whole: the multimodal features of the whole catalogue; None where nothing is pretrained.
            pretrain: (what is left of a catalogue, name for the training) to its multimodal features.
        """
        records = []
        for side in MODALITIES:
            for share in (0.0, *sorted(self.config.evaluate.masked)):
                lost = lose(inputs[side].valid, share, self.config.seed)
                left = {**inputs, side: inputs[side].without(lost)} if share else inputs
                simple = baselines(left)
                features = {name: simple[name] for name in LEFT_OVER} | imputed(left, self.config.seed)
                if whole is not None:
                    features[MULTIMODAL] = (
                        pretrain(left, f"{mask_protocol(side)} {share:g}") if share else whole
                    )
                scorers = {name: zero_shot(matrix, self.history) for name, matrix in features.items()}
                records += self.measure(mask_protocol(side), scorers, {MULTIMODAL: self.config.seed}, share)
        return records
