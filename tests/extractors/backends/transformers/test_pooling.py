"""Poolings worked out by hand, and which one a model's files state."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from alignrec.extractors.backends.transformers.pooling import TextPooling
from alignrec.extractors.errors import ExtractorError
from tests.extractors import models

# Of the first text two tokens are real, of the second all three.
STATES = torch.tensor([[[1.0, -4], [3, 2], [9, 9]], [[0, 0], [6, 3], [0, 9]]])
MASK = torch.tensor([[True, True, False], [True, True, True]])
OUTPUT = SimpleNamespace(pooler_output=torch.tensor([[3.0, 4], [0, 2]]))


@pytest.mark.parametrize(
    ("mode", "pooled"),
    [
        ("mean", [[2, -1], [2, 4]]),
        ("cls", [[1, -4], [0, 0]]),
        ("max", [[3, 2], [6, 9]]),
        ("lasttoken", [[3, 2], [0, 9]]),
        ("pooler", [[3, 4], [0, 2]]),
        ("features", [[3, 4], [0, 2]]),
    ],
)
def test_real_tokens_become_one_vector(mode: str, pooled: list[list[float]]) -> None:
    assert TextPooling(mode)(OUTPUT, STATES, MASK).tolist() == pooled


def test_a_normalised_vector_has_length_one_or_zero() -> None:
    found = TextPooling("pooler", normalize=True)(OUTPUT, STATES, MASK)
    assert torch.allclose(found, torch.tensor([[0.6, 0.8], [0, 1]]))
    assert TextPooling("cls", normalize=True)(OUTPUT, STATES, MASK)[1].tolist() == [0, 0]


def test_without_files_the_kind_of_model_decides(tmp_path: Path) -> None:
    assert TextPooling.read(tmp_path, dual=True, tower=False) == TextPooling("features")
    assert TextPooling.read(tmp_path, dual=False, tower=True) == TextPooling("pooler")
    assert TextPooling.read(tmp_path, dual=False, tower=False) == TextPooling("mean")


def test_the_files_of_sentence_transformers_say_everything(tmp_path: Path) -> None:
    models.sentence_bert(tmp_path, "pooling_mode_max_tokens", "Normalize")
    transformer = {"max_seq_length": 8, "do_lower_case": True}
    (tmp_path / "sentence_bert_config.json").write_text(json.dumps(transformer))
    prompts = {"prompts": {"query": "query: ", "passage": "passage: "}, "default_prompt_name": "query"}
    (tmp_path / "config_sentence_transformers.json").write_text(json.dumps(prompts))
    found = TextPooling.read(tmp_path, dual=False, tower=False)
    assert found == TextPooling("max", normalize=True, max_length=8, lower=True, prompt="query: ")
    assert found.describe() == {"pooling": "max", "normalize": True, "lower": True, "prompt": "query: "}


@pytest.mark.parametrize(
    ("config", "mode"),
    [
        ({"pooling_mode": "cls"}, "cls"),
        ({"pooling_mode": ["lasttoken"]}, "lasttoken"),
        ({"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}, "mean"),
        ({"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": True}, None),
        ({"pooling_mode": "weightedmean"}, None),
        ({}, None),
    ],
)
def test_exactly_one_pooling_is_stated(tmp_path: Path, config: dict[str, Any], mode: str | None) -> None:
    models.sentence_bert(tmp_path)
    (tmp_path / "1_Pooling" / "config.json").write_text(json.dumps(config))
    if mode:
        assert TextPooling.read(tmp_path, dual=False, tower=False).mode == mode
        return
    with pytest.raises(ExtractorError, match="supported is exactly one of cls, lasttoken, max, mean"):
        TextPooling.read(tmp_path, dual=False, tower=False)


def test_modules_that_are_not_supported_are_named(tmp_path: Path) -> None:
    models.sentence_bert(tmp_path, "pooling_mode_cls_token", "Dense")
    with pytest.raises(ExtractorError, match=r"modules\.json uses Dense; supported are Normalize, Pooling"):
        TextPooling.read(tmp_path, dual=False, tower=False)


@pytest.mark.parametrize("truncate", [None, 16])
@pytest.mark.parametrize("include", [True, False])
@pytest.mark.parametrize("prompt", ["", "query: "])
def test_settings_that_would_give_other_vectors_are_refused(
    tmp_path: Path, truncate: int | None, include: bool, prompt: str
) -> None:
    models.sentence_bert(tmp_path)
    pooling = {"pooling_mode": "mean", "include_prompt": include}
    (tmp_path / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    stated = {"prompts": {"query": prompt}, "default_prompt_name": "query", "truncate_dim": truncate}
    (tmp_path / "config_sentence_transformers.json").write_text(json.dumps(stated))
    if truncate is None and (include or not prompt):
        assert TextPooling.read(tmp_path, dual=False, tower=False).prompt == prompt
        return
    wrong = "truncate_dim: 16" if truncate else "include_prompt: false"
    file = "config_sentence_transformers.json" if truncate else "1_Pooling/config.json"
    with pytest.raises(ExtractorError, match=rf"{file} states {wrong}, which is not supported"):
        TextPooling.read(tmp_path, dual=False, tower=False)
