"""Dropout of some rows drops what that of the whole batch drops of them."""

from __future__ import annotations

import pytest
import torch

from alignrec.aligner.pretrain.row_dropout import RowDropout, Rows


@pytest.mark.parametrize("shape", [(5, 3, 4), (64, 7, 32)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_rows_are_dropped_as_in_the_whole_batch(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    dropout, batch = RowDropout(0.3), torch.randn(shape).to(dtype)
    torch.manual_seed(1)
    whole = dropout(batch)
    after = torch.rand(1)
    for mine in (slice(0, 2), slice(2, 5), slice(5, 5)):
        torch.manual_seed(1)
        assert torch.equal(dropout(batch[mine], Rows(mine, len(batch))), whole[mine])
        assert torch.equal(torch.rand(1), after), "as many numbers are drawn"
    assert (whole == 0).any()


def test_nothing_is_drawn_where_nothing_is_dropped() -> None:
    batch, rows = torch.randn(4, 2), Rows(slice(0, 4), 9)
    before = torch.get_rng_state()
    assert torch.equal(RowDropout(0.0)(batch, rows), batch)
    assert torch.equal(RowDropout(0.5).eval()(batch, rows), batch)
    assert torch.equal(torch.get_rng_state(), before)
