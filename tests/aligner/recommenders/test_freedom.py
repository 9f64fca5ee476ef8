"""FREEDOM against its paper's equations, sum by sum."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from alignrec.aligner.recommenders.freedom import Freedom, prune
from tests.aligner.recommenders.small import (
    BATCH,
    CPU,
    DIM,
    FEATURES,
    HISTORY,
    IMAGE,
    LIKES,
    TEXT,
    bpr,
    lightgcn,
    numbers,
    similar_items,
)


def model(features: list[np.ndarray] = FEATURES, pruned: float = 0.0) -> Freedom:
    torch.manual_seed(1)
    sizes = {"dim": DIM, "layers": 2, "item_layers": 2, "neighbours": 3}
    freedom = Freedom(
        HISTORY,
        features,
        CPU,
        **sizes,
        first_weight=0.3,
        pruned=pruned,
        content_weight=0.2,  # type: ignore[arg-type]
    )
    for projection in freedom.projections:
        torch.nn.init.normal_(projection.bias)
    return freedom


def reference(freedom: Freedom, likes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    graph = 0.3 * similar_items(IMAGE, 3, weighted=False) + 0.7 * similar_items(TEXT, 3, weighted=False)
    user, item = lightgcn(numbers(freedom.user), numbers(freedom.item), 2, likes)
    return user, item + graph @ graph @ numbers(freedom.item)


def test_vectors_are_the_paper_s() -> None:
    freedom = model().eval()
    user, item = reference(freedom, LIKES)
    found = freedom.represent()
    assert numbers(found.user) == pytest.approx(user, abs=1e-6)
    assert numbers(found.item) == pytest.approx(item, abs=1e-6)


def test_the_loss_is_the_paper_s_over_what_is_left_of_the_interactions() -> None:
    freedom = model(pruned=0.4).train()
    freedom.begin_epoch(np.random.default_rng(3))
    likes = prune(HISTORY, 0.4, np.random.default_rng(3)).toarray()
    assert likes.sum() == 4 and (likes <= LIKES).all()
    user, item = reference(freedom, likes)
    terms = freedom.losses(BATCH)
    content = 0.0
    for values, projection in zip(FEATURES, freedom.projections, strict=True):
        projected = values @ numbers(projection.weight).T + numbers(projection.bias)
        content += bpr(user, projected)
    assert terms["bpr"].item() == pytest.approx(bpr(user, item), abs=1e-6)
    assert terms["content"].item() == pytest.approx(0.2 * content, abs=1e-6)


def test_inference_knows_all_interactions() -> None:
    freedom = model(pruned=0.4)
    freedom.begin_epoch(np.random.default_rng(3))
    whole = numbers(freedom.eval().represent().user)
    assert whole == pytest.approx(reference(freedom, LIKES)[0], abs=1e-6)
    assert not np.allclose(numbers(freedom.train().represent().user), whole)


def test_one_modality_alone_has_all_the_weight() -> None:
    freedom = model([IMAGE]).eval()
    graph = similar_items(IMAGE, 3, weighted=False)
    wanted = lightgcn(numbers(freedom.user), numbers(freedom.item), 2)[1] + graph @ graph @ numbers(
        freedom.item
    )
    assert numbers(freedom.represent().item) == pytest.approx(wanted, abs=1e-6)


def test_pruning_prefers_edges_of_low_degrees() -> None:
    """Of two edges with rates p and q the first one is kept alone with probability p / (p + q)."""
    history = sp.csr_array(np.array([[1, 1], [0, 1]], dtype=np.float32))
    rates = 1 / np.sqrt([2 * 1, 2 * 2, 1 * 2])
    rng = np.random.default_rng(0)
    kept = np.zeros((2, 2))
    for _ in range(1000):
        kept += prune(history, 0.6, rng).toarray()
    found = kept[[0, 0, 1], [0, 1, 1]] / 1000
    assert found == pytest.approx(rates / rates.sum(), abs=0.06)
