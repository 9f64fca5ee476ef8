"""VBPR looks at features, and at nothing else that training by IDs does not."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from alignrec.aligner.train.graphs import bipartite, graph
from alignrec.aligner.train.settings import TrainSettings
from alignrec.aligner.train.visual_bpr import VisualBPR, vbpr
from tests.aligner.worlds import USERS, two_tastes

FEATURES, VALID, SPLIT = two_tastes()
SETTINGS = TrainSettings.paper(dim=8, batch_size=32, epochs=3, learning_rate=0.02, uia_weight=0, device="cpu")


def test_a_score_is_two_products_and_a_bias() -> None:
    features = torch.from_numpy(FEATURES)
    model = VisualBPR(SPLIT.users, features, 8)
    torch.nn.init.normal_(model.bias)
    with torch.no_grad():
        sides = model(graph(bipartite(SPLIT.matrix(0)))).final
        expected = (
            model.user[:, :4] @ model.item.T + model.user[:, 4:] @ model.embed(features).T + model.bias.T
        )
    assert (sides.user @ sides.item.T).numpy() == pytest.approx(expected.numpy(), abs=1e-5)


def test_features_decide() -> None:
    users = np.arange(USERS)
    one, other = (vbpr(f, VALID, SPLIT, SETTINGS, 1)(users) for f in (FEATURES, FEATURES[::-1]))
    assert not np.array_equal(one, other)
