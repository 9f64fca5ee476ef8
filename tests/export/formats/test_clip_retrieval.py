"""The folders hold what clip-retrieval indexes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from alignrec.export.formats.clip_retrieval import FORMAT
from alignrec.export.formats.convert import write_as
from tests.export.formats.cases import IDS, make


def test_clip_retrieval(tmp_path: Path) -> None:
    image, text = make("image"), make("text", 2, 0)
    write_as(FORMAT.name, [image, text], tmp_path / "c")
    ids = pd.read_parquet(tmp_path / "c" / "metadata")["item_id"].tolist()
    assert ids == [name for name in IDS if name not in ("b", 'quo"te')]
    for name, features in (("img_emb", image), ("text_emb", text)):
        found = np.load(tmp_path / "c" / name / f"{name}_0.npy")
        expected, _ = features.align_to(ids)
        expected /= np.linalg.norm(expected, axis=1, keepdims=True)
        np.testing.assert_allclose(found, expected, rtol=1e-6)
