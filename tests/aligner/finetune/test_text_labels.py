"""What texts are as labels: rare pieces weigh more, and every text as much as another."""

from __future__ import annotations

import math

import pytest
import torch

from alignrec.aligner.finetune.text_labels import TextLabels, rarity_of

# Piece 0 begins every text, 3 comes once, 2 in two of them.
TEXTS = [[0, 2, 3], [0, 2], [], [0, 5, 5]]


def test_the_rarity_of_a_piece_is_worked_out_by_hand() -> None:
    wanted = [0, 0, math.log(3 / 2), math.log(3), 0, math.log(3)]
    assert rarity_of(TEXTS).tolist() == pytest.approx(wanted, rel=1e-6)
    assert rarity_of([[], []]).tolist() == [0]


def test_the_loss_of_two_texts_is_worked_out_by_hand() -> None:
    logits = torch.tensor([[1.0, 0, 2, 0, 0, 1], [0.0, 1, 0, 0, 3, 0]])
    ids = torch.tensor([[0, 2, 3, 0], [0, 5, 5, 2]])
    real = torch.tensor([[True, True, True, False]]).expand(2, -1)
    first, second = logits.log_softmax(dim=1)
    share = math.log(3 / 2) / (math.log(3 / 2) + math.log(3))
    wanted = -(share * first[2] + (1 - share) * first[3] + second[5])
    found = TextLabels(rarity_of(TEXTS))(logits, ids, real)
    assert found.item() == pytest.approx(wanted.item(), rel=1e-6)


def test_a_text_of_what_all_have_teaches_nothing() -> None:
    logits = torch.randn(1, 6, requires_grad=True)
    loss = TextLabels(rarity_of(TEXTS))(logits, torch.tensor([[0, 0]]), torch.ones(1, 2, dtype=torch.bool))
    loss.backward()
    assert loss.item() == 0
    assert logits.grad is not None and not logits.grad.any()


def test_weights_are_no_part_of_a_state() -> None:
    assert not TextLabels(rarity_of(TEXTS)).state_dict()
