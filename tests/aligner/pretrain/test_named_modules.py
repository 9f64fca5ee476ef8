"""Modules are saved and loaded whatever their modality is called."""

from __future__ import annotations

import torch
from torch import nn

from alignrec.aligner.pretrain.named_modules import NamedModules


def test_names_that_a_module_has_as_attributes_are_names_like_others() -> None:
    names = ("type", "items", "train", "title")
    modules, others = (NamedModules({name: nn.Linear(2, 1) for name in names}) for _ in range(2))
    saved = modules.state_dict()
    assert set(saved) == {f"{name}.{tensor}" for name in names for tensor in ("weight", "bias")}
    others.load_state_dict(saved)
    for name in names:
        assert torch.equal(others[name].weight, modules[name].weight)
    assert list(modules) == list(names) and len(list(modules.parameters())) == 2 * len(names)
    assert modules.train(mode=False).type(torch.float64)["type"].weight.dtype == torch.float64
