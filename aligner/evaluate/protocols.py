"""The paper's intermediate protocols: what features are worth before anything learns from interactions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from alignrec.aligner.evaluate.baselines import baselines, centred_concatenations, imputed, lose
from alignrec.aligner.evaluate.comparison import compare
from alignrec.aligner.evaluate.evaluator import PARTS, Evaluator
from alignrec.aligner.evaluate.ranking import Scorer
from alignrec.aligner.evaluate.scorers import feature_cf, zero_shot
from alignrec.aligner.evaluate.top_k import Evaluations
from alignrec.aligner.inputs import Inputs
from alignrec.core.protocols import ITEM_CF, TOP_K, ZERO_SHOT, mask_protocol
from alignrec.core.results import Measurement
from alignrec.core.vocabulary import MULTIMODAL

Matrix = NDArray[np.float32]


def measure(
    evaluator: Evaluator,
    protocol: str,
    scorers: Mapping[str, Scorer],
    seeds: Mapping[str, int],
    share: float | None = None,
    beside: Mapping[str, Evaluations] | None = None,
) -> list[Measurement]:
    """Every scorer on validation and on test, and the trained against the others.

    Args:
        evaluator: of the run.
        protocol: how the scorers came about.
        scorers: by subject.
        seeds: of the subjects that were trained, the seed.
        share: masked share, under the mask protocols.
        beside: what others reached under top-k, by subject.
    """
    records = []
    for part in PARTS:
        results = {name: evaluator.evaluate(scorer, part) for name, scorer in scorers.items()}
        results |= {name: reached[TOP_K, part] for name, reached in (beside or {}).items()}
        records += compare(protocol, results, seeds, split=part, share=share)
    return records


def zero_shot_and_item_cf(
    evaluator: Evaluator,
    inputs: Inputs,
    trained: Mapping[str, Matrix],
    seed: int,
    rivals: Mapping[str, Mapping[str, Evaluations]],
) -> list[Measurement]:
    """Zero-shot and item-CF of trained features, of every baseline and of what stands beside them.

    Args:
        evaluator: of the run.
        inputs: the catalogue.
        trained: features float32 `[items, ·]` by name.
        seed: of their training.
        rivals: by protocol, what landmarks that stand in it too reached under top-k, by their names there.
    """
    features = {**trained, **baselines(inputs)}
    seeds = dict.fromkeys(trained, seed)
    records = []
    for protocol, scorers in feature_scorers(features, evaluator).items():
        records += measure(evaluator, protocol, scorers, seeds, beside=rivals.get(protocol))
    return records


def feature_scorers(features: Mapping[str, Matrix], evaluator: Evaluator) -> dict[str, dict[str, Scorer]]:
    """Features float32 `[items, ·]` by name, as scorers under each protocol that trains nothing."""
    return {
        protocol: {name: scorer(matrix, evaluator.history) for name, matrix in features.items()}
        for protocol, scorer in ((ZERO_SHOT, zero_shot), (ITEM_CF, feature_cf))
    }


def masked(
    evaluator: Evaluator,
    inputs: Inputs,
    shares: Sequence[float],
    seed: int,
    whole: Matrix | None,
    pretrain: Callable[[Inputs, str], Matrix],
) -> list[Measurement]:
    """Zero-shot as a growing share of items loses a modality, each modality in its turn.

    What an item loses is gone before pretraining: an encoder that has seen it could remember it.

    Args:
        evaluator: of the run.
        inputs: the catalogue, of at least two modalities.
        shares: of the items that lose it, in (0, 1).
        seed: draws who loses it.
        whole: the multimodal features of the whole catalogue; None where nothing is pretrained.
        pretrain: (what is left of a catalogue, name for the training) to its multimodal features.
    """
    records = []
    for modality in inputs:
        protocol = mask_protocol(modality)
        for share in (0.0, *sorted(shares)):
            lost = lose(inputs[modality].valid, share, seed)
            left = {**inputs, modality: inputs[modality].without(lost)} if share else inputs
            features = centred_concatenations(left) | imputed(left, seed)
            if whole is not None:
                features[MULTIMODAL] = pretrain(left, f"{protocol} {share:g}") if share else whole
            scorers = {name: zero_shot(matrix, evaluator.history) for name, matrix in features.items()}
            records += measure(evaluator, protocol, scorers, {MULTIMODAL: seed}, share)
    return records
