"""Patches that are told with the help of [CLS]."""

from __future__ import annotations

import pytest
import torch

from alignrec.aligner.finetune.patch_aggregation import PatchAggregation


@pytest.mark.parametrize(("width", "heads"), [(128, 2), (48, 1)])
def test_every_patch_sees_cls_and_the_other_patches(width: int, heads: int) -> None:
    torch.manual_seed(0)
    aggregation = PatchAggregation(width)
    assert aggregation.layers[0].self_attn.num_heads == heads
    cls, patches = torch.randn(2, 1, width), torch.randn(2, 9, width)
    states = aggregation(cls, patches)
    assert states.shape == patches.shape
    for other in (aggregation(cls + 1 + cls.square(), patches), aggregation(cls, patches.roll(1, dims=2))):
        assert ((other - states).abs().amax(dim=2) > 1e-4).all()
