"""Files of weights: what is passed over by name, and what a size may be read off."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from alignrec.extractors.errors import ExtractorError
from alignrec.extractors.published_weights import PublishedWeights


def written(folder: Path, content: object) -> PublishedWeights:
    torch.save(content, folder / "one.pth")
    return PublishedWeights(folder / "one.pth", "sample", "its source", ("model",), ("old.",))


def test_what_is_ignored_is_neither_read_nor_checked(tmp_path: Path) -> None:
    kept = {"weight": torch.ones(2, 3), "bias": torch.zeros(2)}
    file = written(tmp_path, {"model": {**kept, "old.steps": torch.tensor(3)}})
    weights = file.read()
    assert weights.keys() == kept.keys()
    with torch.device("meta"):
        model = nn.Linear(3, 2)
    file.fill(model, weights)
    assert torch.equal(model.weight, kept["weight"]) and not weights


@pytest.mark.parametrize(
    ("weight", "reason"),
    [
        (None, "the weight size is missing"),
        (torch.zeros(2, 0), r"the weight size is float32 \[2, 0\], expected 2 dimensions"),
        (torch.zeros(2), r"the weight size is float32 \[2\], expected 2 dimensions"),
    ],
)
def test_a_size_is_read_off_a_weight_that_has_one(tmp_path: Path, weight: Tensor | None, reason: str) -> None:
    file = written(tmp_path, {"other": torch.zeros(1)} | ({} if weight is None else {"size": weight}))
    with pytest.raises(
        ExtractorError, match=f"is no sample that can be read: {reason}.* its source publishes"
    ):
        file.shape(file.read(), "size", 2)
