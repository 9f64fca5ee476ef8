"""Each parameter once, at the rate of its depth."""

from __future__ import annotations

import pytest
from torch import nn

from alignrec.aligner.finetune.layer_decay import parameter_groups
from alignrec.aligner.finetune.objective import MaskedPrediction
from tests.aligner.finetune.tiny_model import TinyModel


def test_rates_fall_by_depth_and_matrices_alone_decay() -> None:
    model = TinyModel()
    objective = MaskedPrediction(model, aggregate=True)
    groups = parameter_groups(objective, model, "model.", 0.5, 0.05)
    settings = {id(p): (g["rate_scale"], g["weight_decay"]) for g in groups for p in g["params"]}
    assert len(settings) == sum(len(g["params"]) for g in groups) == len(list(objective.parameters()))

    def found(parameter: nn.Parameter) -> tuple[float, float]:
        return settings[id(parameter)]

    assert found(model.piece.weight) == found(model.cls) == (pytest.approx(0.125), 0)
    assert found(model.blocks[0].linear1.weight) == (pytest.approx(0.25), 0.05)
    assert found(model.blocks[1].linear1.weight) == (pytest.approx(0.5), 0.05)
    assert found(model.blocks[1].linear1.bias) == (pytest.approx(0.5), 0)
    assert found(model.code_head.weight) == (1, 0.05)
    assert objective.aggregation is not None
    assert found(objective.aggregation.norm.weight) == (1, 0)
