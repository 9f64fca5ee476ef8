"""The Transformer that modalities share."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from alignrec.aligner.pretrain.multiway import MMEnc
from tests.aligner.test_processes import OneOf


def test_cls_sees_no_masked_token() -> None:
    torch.manual_seed(0)
    encoder = MMEnc(("image", "text"), 16, 2, 2).eval()
    tokens = {"image": torch.randn(2, 4, 16), "text": torch.randn(2, 3, 16)}
    masks = {"image": torch.ones(2, 4, dtype=torch.bool), "text": torch.zeros(2, 3, dtype=torch.bool)}
    before = encoder(tokens, masks)
    torch.testing.assert_close(encoder(tokens | {"text": torch.randn(2, 3, 16)}, masks), before)
    assert not torch.allclose(encoder(tokens | {"image": torch.randn(2, 4, 16)}, masks), before)


def test_heads_must_divide_the_width() -> None:
    with pytest.raises(ValueError, match="heads must divide the width"):
        MMEnc(("image",), 10, 1, 4)


class Keeping(OneOf):
    """One of several that keeps what it would send, and has zeros for what others would."""

    def __init__(self, rank: int, count: int) -> None:
        super().__init__(rank, count)
        self.sent: list[Tensor] = []

    def gather(self, share: Tensor, total: int) -> Tensor:
        self.sent.append(share)
        return torch.cat([share, share.new_zeros(total - len(share), *share.shape[1:])])


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_shares_of_a_batch_are_what_the_whole_gives(count: int) -> None:
    """Of seven processes some have no row of a batch of five."""
    torch.manual_seed(0)
    encoder = MMEnc(("image", "text"), 16, 2, 2, dropout=0.3)
    tokens = {"image": torch.randn(5, 4, 16), "text": torch.randn(5, 3, 16)}
    masks = {m: torch.rand(5, part.shape[1]) < 0.7 for m, part in tokens.items()}
    torch.manual_seed(1)
    whole, shares = encoder(tokens, masks), []
    for rank in range(count):
        encoder.processes = processes = Keeping(rank, count)
        torch.manual_seed(1)
        encoder(tokens, masks).sum().backward()
        shares += processes.sent if count > 1 else [whole]
        assert encoder.cls.grad is not None
    torch.testing.assert_close(torch.cat(shares), whole)
    assert torch.equal(encoder.eval()(tokens, masks), encoder(tokens, masks))
    assert len(processes.sent) == (count > 1), "without training each computes all"
