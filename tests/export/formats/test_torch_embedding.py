"""An embedding gives each id its vector."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from alignrec.export.formats.convert import write_as
from alignrec.export.formats.torch_embedding import load_embedding, to_embedding
from tests.export.formats.cases import IDS, make


def test_torch(tmp_path: Path) -> None:
    features = make("aligned")
    write_as("torch", [features], tmp_path / "t")
    embedding, ids = load_embedding(tmp_path / "t")
    assert ids == IDS and not embedding.weight.requires_grad
    rows = torch.tensor([ids.index("a/b"), ids.index('quo"te')])
    np.testing.assert_array_equal(embedding(rows).numpy(), features.align_to(["a/b", 'quo"te'])[0])
    assert to_embedding(features, freeze=False).weight.requires_grad


def test_the_file_of_an_embedding_is_for_all_that_the_umask_allows(tmp_path: Path) -> None:
    write_as("torch", [make("aligned")], tmp_path / "t")
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "t").iterdir()}
    (tmp_path / "mine").touch()
    assert set(modes) == {"embedding.safetensors", "ids.json"}
    assert set(modes.values()) == {(tmp_path / "mine").stat().st_mode & 0o777}
