"""Members side by side: each has its columns, and a product is the mean of their cosines."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from alignrec.aligner.train.model import UserItemVectors, unit_shares
from alignrec.aligner.train.settings import TrainSettings


@pytest.mark.parametrize("members", [1, 2, 3])
def test_a_product_is_the_mean_cosine_of_the_members(members: int) -> None:
    rng = np.random.default_rng(0)
    user, item = rng.standard_normal((4, 6)), rng.standard_normal((5, 6))
    item[2] = 0
    got = unit_shares(torch.from_numpy(user), members) @ unit_shares(torch.from_numpy(item), members).T
    for u in range(4):
        for i in range(5):
            expected = 0.0
            for a, b in zip(np.split(user[u], members), np.split(item[i], members), strict=True):
                expected += 0.0 if i == 2 else a @ b / np.linalg.norm(a) / np.linalg.norm(b) / members
            assert got[u, i].item() == pytest.approx(expected, abs=1e-12)


def test_shares_are_all_columns_once() -> None:
    vectors = UserItemVectors(torch.arange(12.0).reshape(2, 6), torch.arange(18.0).reshape(3, 6))
    shares = vectors.shares(3)
    assert [(share.user.shape, share.item.shape) for share in shares] == [((2, 2), (3, 2))] * 3
    assert torch.equal(torch.cat([share.user for share in shares], dim=1), vectors.user)
    assert torch.equal(torch.cat([share.item for share in shares], dim=1), vectors.item)


def test_vectors_that_cannot_be_shared_out_are_refused() -> None:
    with pytest.raises(ValidationError, match="dim 100 cannot be shared out among 8 members"):
        TrainSettings(dim=100, members=8)
