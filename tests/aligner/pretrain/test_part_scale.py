"""Scales by content: of modalities that vary, that do not, and in any order."""

from __future__ import annotations

import numpy as np
import torch

from alignrec.aligner.components import Components
from alignrec.aligner.inputs import Inputs
from alignrec.aligner.pretrain.part_scale import PartScale, scales_by_content
from tests.aligner.pretrain.kinds import world


def fitted(inputs: Inputs, dim: int = 6) -> dict[str, Components]:
    return {
        m: Components(s.pooled.shape[1], dim).fit(s.pooled[s.valid], whiten=0.5) for m, s in inputs.items()
    }


def test_a_part_is_multiplied_component_by_component() -> None:
    scale = PartScale(3, 0.5, saved=True)
    assert scale(torch.tensor([[2.0, 4.0, -6.0]])).tolist() == [[1.0, 2.0, -3.0]]
    assert list(scale.state_dict()) == ["scale"]
    assert not PartScale(3, 0.5, saved=False).state_dict()


def test_small_components_grow_and_none_above_a_large_one() -> None:
    inputs = world()
    components = fitted(inputs)
    squares = 0.0
    for m, scale in scales_by_content(inputs, components).items():
        size = scale * components[m].spread
        assert (size > 0).all() and (size[1:] <= size[:-1] * (1 + 1e-6)).all()
        growth = size / components[m].spread.square()  # half whitened: the square is as large as it was
        assert (growth[1:] >= growth[:-1] * (1 - 1e-6)).all()
        squares += float(size.square().sum())
    np.testing.assert_allclose(squares, 2, rtol=1e-5)


def test_the_order_of_modalities_decides_nothing() -> None:
    inputs = world(lost_text=8)
    components = fitted(inputs)
    turned = {m: inputs[m] for m in reversed(inputs)}
    for m, scale in scales_by_content(inputs, components).items():
        assert torch.equal(scale, scales_by_content(turned, components)[m])


def test_a_modality_of_one_item_has_zeros() -> None:
    inputs = dict(world())
    inputs["text"] = inputs["text"].without(np.arange(80) > 0)
    scales = scales_by_content(inputs, fitted(inputs))
    assert not scales["text"].any() and scales["image"].all()
    alone = {"text": inputs["text"]}
    assert not scales_by_content(alone, fitted(alone))["text"].any()
