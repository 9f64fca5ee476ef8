"""A teacher's tokens laid over patches, and the patches that k-means learns from."""

from __future__ import annotations

import numpy as np
import pytest

from alignrec.aligner.errors import FeatureError
from alignrec.aligner.finetune.teacher_codes import TOKENS_A_CODE, draw_sample, on_patches


def plane(side: int) -> np.ndarray:
    """Features that are the place: column and row of each token's middle, from 0 to 1."""
    at = (np.arange(side) + 0.5) / side
    rows, columns = np.meshgrid(at, at, indexing="ij")
    return np.stack([columns.ravel(), rows.ravel()], axis=1)[None].astype(np.float32)


@pytest.mark.parametrize("extra", [0, 1, 5])
def test_a_grid_of_the_same_size_stays_and_what_comes_before_it_is_left_out(extra: int) -> None:
    tokens = np.concatenate([np.full((1, extra, 2), 9, dtype=np.float32), plane(14)], axis=1)
    assert np.array_equal(on_patches(tokens, 14), plane(14))


def test_another_grid_is_interpolated_in_place() -> None:
    spread = on_patches(plane(7), 14)
    inner = np.abs(plane(14) - 0.5).max(axis=2) < 0.42  # beyond the outermost middles nothing is known
    assert spread.shape == (1, 196, 2)
    assert np.abs(spread - plane(14))[inner].max() < 1e-6
    assert np.abs(spread - plane(14)).max() < 0.04


def test_tokens_that_make_no_square_are_refused() -> None:
    with pytest.raises(FeatureError, match="120 tokens a picture"):
        on_patches(np.zeros((1, 120, 2), dtype=np.float32), 14)


@pytest.mark.parametrize(("pictures", "codes"), [(2_000, 512), (200, 512), (105, 512)])
def test_there_are_forty_tokens_a_code(pictures: int, codes: int) -> None:
    sample = draw_sample(pictures, 196, codes, seed=1)
    assert len(sample) == pictures
    total = sum(map(len, sample))
    assert TOKENS_A_CODE * codes <= total <= 1.02 * TOKENS_A_CODE * codes + 196
    assert all((np.diff(chosen) > 0).all() for chosen in sample)
    again = draw_sample(pictures, 196, codes, seed=1)
    assert all(map(np.array_equal, sample, again))


def test_too_many_codes_for_the_pictures_are_refused_with_the_most_that_is_possible() -> None:
    with pytest.raises(FeatureError, match=r"20,480 patches at least.*use at most 490"):
        draw_sample(100, 196, 512, seed=1)
