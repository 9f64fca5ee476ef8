"""Codes of tokens: k-means, from tokens drawn at random."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from alignrec.aligner.inputs import TokenSequences
from alignrec.aligner.pretrain.token_codebook import TokenCodebook, sample_tokens, token_codes

# Four places far apart, ten tokens about each, in turn.
PLACES = np.array([[0, 0, 0], [50, 0, 0], [0, 50, 0], [0, 0, 50]], dtype=np.float32)
TOKENS = np.tile(PLACES, (10, 1)) + np.random.default_rng(0).standard_normal((40, 3)).astype(np.float32)


def sequences(values: NDArray[np.floating]) -> TokenSequences:
    return TokenSequences(values, np.array([0, len(values)], dtype=np.int64))


def test_with_a_centre_for_each_token_equal_tokens_alone_share_a_code() -> None:
    twice = np.repeat(TOKENS[:12], 2, axis=0)
    codes = token_codes(sequences(twice), len(twice), seed=1)
    assert codes.dtype == np.int64 and (codes[::2] == codes[1::2]).all()
    assert len(set(codes.tolist())) == 12


def test_each_token_has_the_code_of_the_nearest_mean() -> None:
    for seed in range(4):
        codes = token_codes(sequences(TOKENS), 3, seed)
        used = np.unique(codes)
        means = np.stack([TOKENS[codes == code].mean(axis=0) for code in used])
        distances = np.square(TOKENS[:, None, :] - means[None]).sum(axis=2)
        assert np.array_equal(used[distances.argmin(axis=1)], codes)


def test_a_shift_of_all_tokens_changes_no_code() -> None:
    codes = token_codes(sequences(TOKENS), 8, seed=1)
    assert np.array_equal(token_codes(sequences(TOKENS + np.float32(3)), 8, seed=1), codes)
    assert np.array_equal(token_codes(sequences(TOKENS), 8, seed=1), codes)


def test_without_tokens_there_are_no_codes() -> None:
    codes = token_codes(sequences(np.zeros((0, 3), dtype=np.float16)), 8, seed=1)
    assert (codes.dtype, codes.shape) == (np.int64, (0,))
    assert sample_tokens(sequences(np.zeros((0, 3), dtype=np.float16)), seed=1).shape == (0, 3)


def test_a_sample_is_all_tokens_in_their_order_or_twenty_thousand_of_them() -> None:
    few = np.arange(12, dtype=np.float16).reshape(6, 2)
    sample = sample_tokens(sequences(few), seed=1)
    assert sample.dtype == np.float32 and np.array_equal(sample, few)
    many = np.arange(30_000, dtype=np.float32)[:, None]
    sample = sample_tokens(sequences(many), seed=1)
    assert sample.shape == (20_000, 1) and (np.diff(sample[:, 0]) > 0).all()


def test_a_codebook_gives_tokens_that_it_was_not_fitted_to_the_nearest_centre() -> None:
    book = TokenCodebook.fitted(TOKENS, 4, seed=1)
    others = TOKENS + np.float32(0.01)
    assert np.array_equal(book.codes(others), book.codes(TOKENS))
    assert np.array_equal(book.codes(TOKENS[::-1]), book.codes(TOKENS)[::-1])
    assert len(book.codes(TOKENS[:0])) == 0
