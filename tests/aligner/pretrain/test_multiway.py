"""The Transformer that modalities share."""

from __future__ import annotations

import pytest
import torch

from alignrec.aligner.pretrain.multiway import MMEnc


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
