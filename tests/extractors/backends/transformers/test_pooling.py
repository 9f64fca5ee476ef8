"""Poolings worked out by hand."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from alignrec.extractors.backends.transformers.pooling import MODES, TextPooling

# Of the first text two tokens are real, of the second all three.
STATES = torch.tensor([[[1.0, -4], [3, 2], [9, 9]], [[0, 0], [6, 3], [0, 9]]])
MASK = torch.tensor([[True, True, False], [True, True, True]])
OUTPUT = SimpleNamespace(
    pooler_output=torch.tensor([[3.0, 4], [0, 2]]), text_embeds=torch.tensor([[5.0, 6], [7, 8]])
)
ROOT = 3**0.5


@pytest.mark.parametrize(
    ("mode", "pooled"),
    [
        ("mean", [[2, -1], [2, 4]]),
        ("cls", [[1, -4], [0, 0]]),
        ("max", [[3, 2], [6, 9]]),
        ("lasttoken", [[3, 2], [0, 9]]),
        ("mean_sqrt_len_tokens", [[4 / 2**0.5, -2 / 2**0.5], [6 / ROOT, 12 / ROOT]]),
        ("weightedmean", [[7 / 3, 0], [2, 33 / 6]]),
        ("pooler", [[3, 4], [0, 2]]),
        ("features", [[3, 4], [0, 2]]),
        ("projection", [[5, 6], [7, 8]]),
    ],
)
def test_real_tokens_become_one_vector(mode: str, pooled: list[list[float]]) -> None:
    torch.testing.assert_close(TextPooling((mode,))(OUTPUT, STATES, MASK), torch.tensor(pooled).float())


@pytest.mark.parametrize(
    ("mode", "pooled"),
    [
        ("mean", [[3, 2], [3, 6]]),
        ("cls", [[3, 2], [6, 3]]),
        ("max", [[3, 2], [6, 9]]),
        ("lasttoken", [[3, 2], [0, 9]]),
        ("mean_sqrt_len_tokens", [[3, 2], [6 / 2**0.5, 12 / 2**0.5]]),
        ("weightedmean", [[3, 2], [12 / 5, 33 / 5]]),
    ],
)
def test_a_prompt_of_one_token_is_left_out(mode: str, pooled: list[list[float]]) -> None:
    pooling = TextPooling((mode,), include_prompt=False)
    torch.testing.assert_close(pooling(OUTPUT, STATES, MASK, 1), torch.tensor(pooled).float())
    assert MASK.all(dim=0).tolist() == [True, True, False], "the tokens' own mask stays as it was"


def test_several_are_joined_in_their_order() -> None:
    found = TextPooling(("max", "cls"))(OUTPUT, STATES, MASK)
    assert found.tolist() == [[3, 2, 1, -4], [6, 9, 0, 0]]
    assert TextPooling(tuple(MODES))(OUTPUT, STATES, MASK).shape == (2, 12)


def test_a_card_says_all_of_it() -> None:
    described = TextPooling(("max", "cls"), 8, True, "query: ", False, 5).describe()
    assert described == {
        "pooling": "max+cls",
        "lower": True,
        "prompt": "query: ",
        "include_prompt": False,
        "truncate_dim": 5,
    }
