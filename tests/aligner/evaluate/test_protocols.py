"""Protocols of untrained features: who is measured, and what is lost before pretraining."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from alignrec.aligner.evaluate.baselines import baselines, imputed, lose
from alignrec.aligner.evaluate.evaluator import Evaluator
from alignrec.aligner.evaluate.protocols import masked, zero_shot_and_item_cf
from alignrec.aligner.evaluate.ranking import dot_scorer
from alignrec.aligner.evaluate.scorers import feature_cf, zero_shot
from alignrec.aligner.evaluate.top_k import evaluate_all
from alignrec.aligner.inputs import Inputs, ModalityInput, TokenSequences
from alignrec.core.results import Measurement
from tests.aligner.worlds import ITEMS, two_tastes

FEATURES, VALID, SPLIT = two_tastes()
EVALUATOR = Evaluator(SPLIT, (5,))
TOKENS = TokenSequences(np.zeros((0, 2), np.float16), np.zeros(ITEMS + 1, np.int64))
TEXTS = np.roll(FEATURES, 1, axis=1)
INPUTS: Inputs = {
    "image": ModalityInput(FEATURES, VALID, TOKENS),
    "text": ModalityInput(TEXTS, VALID, TOKENS),
}


def recalls(records: list[Measurement], protocol: str) -> dict[tuple[str, float | None], float]:
    return {
        (r.subject, r.share): r.value
        for r in records
        if (r.protocol, r.split, r.metric, r.against) == (protocol, "test", "recall", None)
    }


def wanted(features: Mapping[str, NDArray[np.float32]], share: float | None = None) -> dict[object, object]:
    return {
        (name, share): EVALUATOR.evaluate(zero_shot(matrix, EVALUATOR.history), "test").mean("recall", 5)
        for name, matrix in features.items()
    }


def test_features_baselines_and_rivals_are_measured_alike() -> None:
    trained = {"multimodal": np.hstack([FEATURES, TEXTS])}
    rival = dot_scorer(np.ones((SPLIT.users, 1)), np.arange(ITEMS)[:, None])
    records = zero_shot_and_item_cf(
        EVALUATOR, INPUTS, trained, 3, {"item-cf": {"rival": evaluate_all(rival, EVALUATOR)}}
    )
    features = {**trained, **baselines(INPUTS)}
    assert recalls(records, "zero-shot") == pytest.approx(wanted(features))
    cf = {
        (name, None): EVALUATOR.evaluate(feature_cf(matrix, EVALUATOR.history), "test").mean("recall", 5)
        for name, matrix in features.items()
    }
    cf["rival", None] = EVALUATOR.evaluate(rival, "test").mean("recall", 5)
    assert recalls(records, "item-cf") == pytest.approx(cf)
    assert {r.seed for r in records if r.subject == "multimodal"} == {3}
    assert {(r.subject, r.against) for r in records if r.against and r.protocol == "item-cf"} == {
        ("multimodal", name) for name, _ in cf if name != "multimodal"
    }


def test_what_is_lost_is_gone_before_pretraining() -> None:
    trainings: dict[str, Inputs] = {}

    def pretrain(left: Inputs, name: str, seed: int) -> NDArray[np.float32]:
        trainings[name] = left
        return np.hstack([source.pooled for source in left.values()])

    whole = pretrain(INPUTS, "whole", 1)
    records = masked(EVALUATOR, INPUTS, (0.5,), (1,), {1: whole}, pretrain)
    assert list(trainings) == ["whole", "mask-image 0.5", "mask-text 0.5"]
    for modality in INPUTS:
        lost = lose(VALID, 0.5, 1)
        left = {**INPUTS, modality: INPUTS[modality].without(lost)}
        assert np.array_equal(trainings[f"mask-{modality} 0.5"][modality].valid, VALID & ~lost)
        expected: dict[object, object] = {}
        for share, inputs in ((0.0, INPUTS), (0.5, left)):
            simple = baselines(inputs)
            names = ("centred concatenation", "centred, image at half weight")
            both = np.hstack([source.pooled for source in inputs.values()])
            features = {**{name: simple[name] for name in names}, **imputed(inputs, 1), "multimodal": both}
            expected |= wanted(features, share)
        assert recalls(records, f"mask-{modality}") == pytest.approx(expected)
    assert not any("multimodal" in r.subject for r in masked(EVALUATOR, INPUTS, (0.5,), (1,), {}, pretrain))

    trainings.clear()
    several = masked(EVALUATOR, INPUTS, (0.5,), (1, 4), {1: whole, 4: 2 * whole}, pretrain)
    single = [*records, *masked(EVALUATOR, INPUTS, (0.5,), (4,), {4: 2 * whole}, pretrain)]
    for modality in INPUTS:
        means, protocol = {}, f"mask-{modality}"
        for name, share in recalls(records, protocol):
            of_seeds = [
                r.value
                for r in single
                if (r.protocol, r.split, r.metric, r.against) == (protocol, "test", "recall", None)
                and (r.subject, r.share) == (name, share)
            ]
            assert len(of_seeds) == 2
            means[name, share] = np.mean(of_seeds)
        found = [r for r in several if r.aggregate == "mean"]
        assert recalls(found, protocol) == pytest.approx(means)
    against = {(r.subject, r.against) for r in several if r.against}
    assert against == {(r.subject, r.against) for r in records if r.against} and against
