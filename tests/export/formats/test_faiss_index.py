"""A search in the index is a search by cosine."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from alignrec.export.formats.convert import write_as
from alignrec.export.formats.faiss_index import FORMAT
from tests.export.formats.cases import make


def test_a_faiss_search_returns_what_nearest_returns(tmp_path: Path) -> None:
    faiss = pytest.importorskip("faiss")
    names = [f"i{row}" for row in range(300)]
    features = make("image", 16, 7, names)
    write_as(FORMAT.name, [features], tmp_path / "f")
    index = faiss.read_index(str(tmp_path / "f" / "index.faiss"))
    ids = json.loads((tmp_path / "f" / "ids.json").read_text())
    assert index.ntotal == len(ids) == 299
    for name in names[:5]:
        query, _ = features.align_to([name])
        cosines, rows = index.search(query / np.linalg.norm(query), 11)
        nearest = features.nearest(name, 10)
        assert [ids[row] for row in rows[0]] == [name, *(other for other, _ in nearest)]
        np.testing.assert_allclose(cosines[0, 1:], [cosine for _, cosine in nearest], atol=1e-6)
