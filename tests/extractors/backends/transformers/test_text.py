"""A text as a transformers model reads it: tokens, cuts, padding."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

from alignrec.extractors.backends.transformers.text import TransformersText
from alignrec.extractors.runtime import Runtime
from alignrec.extractors.testing import WORDS
from tests.extractors import models


def load(folder: Path) -> TransformersText:
    return TransformersText("transformers:tiny", folder, None, None, Runtime.resolve("cpu"))


def test_tokens_are_the_tokenizers_cut_and_not_padded(tmp_path: Path) -> None:
    """The vocabulary is <pad>, <s>, </s>, <unk> and the words; `sentence_bert` states 8 tokens."""
    model = load(models.sentence_bert(tmp_path))
    first = [1, 4, 5, 2]
    prepared = model.prepare(" ".join(WORDS[:2]))
    assert prepared["input_ids"] == first and prepared["attention_mask"] == [1] * 4
    assert model.length(prepared) == 4
    assert model.prepare(" ".join([WORDS[0]] * 50))["input_ids"] == [1, *[4] * 6, 2]
    assert model.card.preprocessing["max_length"] == 8


@pytest.mark.parametrize(
    ("make", "length"),
    [
        (models.bert, 16),
        (lambda folder: models.bert(folder, max_length=None), 16),
        (lambda folder: models.bert(folder, max_length=12), 12),
        (models.roberta, 14),
        (models.t5, 16),
    ],
)
def test_the_shortest_length_that_the_files_state_holds(
    tmp_path: Path, make: Callable[[Path], Path], length: int
) -> None:
    """RoBERTa's sixteen positions begin behind its padding index, 1."""
    model = load(make(tmp_path))
    assert model.card.preprocessing["max_length"] == length
    assert model.length(model.prepare(" ".join([WORDS[0]] * 50))) == length


def test_padding_is_no_token_and_changes_nothing(tmp_path: Path) -> None:
    model = load(models.bert(tmp_path))
    short, long = model.prepare(WORDS[0]), model.prepare(" ".join(WORDS[:5]))
    both = model.embed([short, long], tokens=True)
    assert both.tokens is not None and both.mask is not None
    assert both.mask.tolist() == [[True] * 3 + [False] * 4, [True] * 7]
    assert not both.tokens[0, 3:].any()
    np.testing.assert_allclose(both.pooled[0], both.tokens[0, :3].mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(both.pooled[0], model.embed([short]).pooled[0], atol=1e-5)


def test_a_tower_with_its_projection_gives_it(tmp_path: Path) -> None:
    model = load(models.clip_tower(tmp_path, "Text"))
    assert (model.card.preprocessing["pooling"], model.card.dim, model.card.token_dim) == (
        "projection",
        24,
        32,
    )
    prepared = model.prepare(" ".join(WORDS[:3]))
    direct = transformers.CLIPTextModelWithProjection.from_pretrained(tmp_path).eval()
    with torch.inference_mode():
        wanted = direct(input_ids=torch.tensor([prepared["input_ids"]])).text_embeds.numpy()
    np.testing.assert_allclose(model.embed([prepared]).pooled, wanted, atol=1e-5)


def test_siglip_pads_every_text_to_its_full_length(tmp_path: Path) -> None:
    model = load(models.siglip(tmp_path))
    prepared = model.prepare(WORDS[0])
    assert model.length(prepared) == 0
    assert model.card.preprocessing["fixed_length"] is True
    found = model.embed([prepared], tokens=True)
    assert found.mask is not None and found.mask.tolist() == [[True] * 3 + [False] * 13]
