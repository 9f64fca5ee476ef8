"""A `torch.nn.Embedding` that a recommender starts from or keeps frozen."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from alignrec.core.features import FeatureSet
from alignrec.export.formats.contract import Format
from alignrec.export.formats.interactions import SplitInteractions

if TYPE_CHECKING:
    from torch import nn


def to_embedding(features: FeatureSet, *, freeze: bool = True) -> nn.Embedding:
    """An embedding whose row i is the vector of `features.ids[i]`, zeros where it is not valid.

    Args:
        features: the set.
        freeze: whether training leaves the vectors as they are.
    """
    from torch import nn  # here, so that naming the formats does not load it

    matrix, _ = features.to_torch()
    return nn.Embedding(len(matrix), features.dim, _weight=matrix.clone(), _freeze=freeze)


def write_torch(sets: Sequence[FeatureSet], folder: Path, _: SplitInteractions | None = None) -> None:
    """Write one set as `embedding.safetensors` (`weight`, `valid`) and `ids.json` (the id of each row)."""
    from safetensors.torch import save_file  # here, as it loads torch

    (features,) = sets
    matrix, valid = features.to_torch()
    save_file({"weight": matrix.contiguous(), "valid": valid}, folder / "embedding.safetensors")
    (folder / "ids.json").write_text(json.dumps(list(features.ids), ensure_ascii=False), encoding="utf-8")


def load_embedding(folder: Path, *, freeze: bool = True) -> tuple[nn.Embedding, list[str]]:
    """What `write_torch` wrote: the embedding, and the id of each of its rows."""
    from safetensors.torch import load_file  # here, as it loads torch
    from torch import nn

    weight = load_file(folder / "embedding.safetensors")["weight"]
    ids: list[str] = json.loads((folder / "ids.json").read_text(encoding="utf-8"))
    return nn.Embedding(weight.shape[0], weight.shape[1], _weight=weight, _freeze=freeze), ids


FORMAT = Format(
    name="torch",
    description="one set for `torch.nn.Embedding`, in safetensors, and the id of each row",
    write=write_torch,
)
