"""The paper's intermediate protocols: what features are worth before anything learns from interactions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from alignrec.aligner.evaluate.baselines import baselines, centred_concatenations, imputed, lose
from alignrec.aligner.evaluate.comparison import compare, compare_seeds
from alignrec.aligner.evaluate.evaluation import Evaluation
from alignrec.aligner.evaluate.evaluator import PARTS, Evaluator, Part
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
    neighbours = partial(feature_cf, candidates=evaluator.split.candidates)
    return {
        protocol: {name: scorer(matrix, evaluator.history) for name, matrix in features.items()}
        for protocol, scorer in ((ZERO_SHOT, zero_shot), (ITEM_CF, neighbours))
    }


def masked(
    evaluator: Evaluator,
    inputs: Inputs,
    shares: Sequence[float],
    seeds: Sequence[int],
    whole: Mapping[int, Matrix],
    pretrain: Callable[[Inputs, str, int], Matrix],
) -> list[Measurement]:
    """Zero-shot as a growing share of items loses a modality, each modality in its turn.

    What an item loses is gone before pretraining: an encoder that has seen it could remember it.

    Args:
        evaluator: of the run.
        inputs: the catalogue, of at least two modalities.
        shares: of the items that lose it, in (0, 1).
        seeds: each draws who loses it, and pretrains.
        whole: by seed, the multimodal features of the whole catalogue, float32 `[items, ·]`; empty where
            nothing is pretrained.
        pretrain: (what is left of a catalogue, name for the training, seed) to its multimodal features.
    """

    def scorers(modality: str, share: float, seed: int) -> dict[str, Scorer]:
        lost = lose(inputs[modality].valid, share, seed)
        left = {**inputs, modality: inputs[modality].without(lost)} if share else inputs
        features = centred_concatenations(left) | imputed(left, seed)
        if seed in whole:
            name = f"{mask_protocol(modality)} {share:g}"
            features[MULTIMODAL] = pretrain(left, name, seed) if share else whole[seed]
        return {name: zero_shot(matrix, evaluator.history) for name, matrix in features.items()}

    records = []
    for modality in inputs:
        for share in (0.0, *sorted(shares)):
            by_seed = {seed: scorers(modality, share, seed) for seed in seeds}
            records += _measure_seeds(evaluator, mask_protocol(modality), by_seed, share)
    return records


def _measure_seeds(
    evaluator: Evaluator, protocol: str, by_seed: Mapping[int, Mapping[str, Scorer]], share: float
) -> list[Measurement]:
    """`measure` of scorers that each seed has anew, of which the multimodal ones were trained."""
    if len(by_seed) == 1:
        ((seed, scorers),) = by_seed.items()
        return measure(evaluator, protocol, scorers, {MULTIMODAL: seed}, share)
    records = []
    for part in PARTS:
        results = evaluate_seeds(evaluator, by_seed, part)
        pairs = [(MULTIMODAL, name) for name in results if name != MULTIMODAL and MULTIMODAL in results]
        records += compare_seeds(protocol, results, pairs, split=part, share=share)
    return records


def evaluate_seeds(
    evaluator: Evaluator, by_seed: Mapping[int, Mapping[str, Scorer]], part: Part
) -> dict[str, dict[int | None, Evaluation]]:
    """What scorers reach on a part of the split, as `compare_seeds` takes it.

    Args:
        evaluator: of the run.
        by_seed: for each seed, at least one, the scorers of the same subjects.
        part: of the split.
    """
    return {
        name: {seed: evaluator.evaluate(scorers[name], part) for seed, scorers in by_seed.items()}
        for name in next(iter(by_seed.values()))
    }
