"""Loading a transformers model: which kind it is, and that nothing of it is random."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from alignrec.extractors.backends.transformers.model import load_model
from alignrec.extractors.errors import ExtractorError
from alignrec.extractors.modality import IMAGE, TEXT
from tests.extractors import models

INPUTS = {IMAGE: ("pixel_values",), TEXT: ("input_ids",)}


@pytest.mark.parametrize(
    ("make", "kind", "dual", "pooler"),
    [
        (models.vit, IMAGE, False, True),
        (lambda folder: models.vit(folder, pooler=False), IMAGE, False, False),
        (models.roberta, TEXT, False, False),
        (models.clip, IMAGE, True, True),
        (models.clip, TEXT, True, True),
    ],
)
def test_what_a_folder_holds(
    tmp_path: Path, make: Callable[[Path], Path], kind: object, dual: bool, pooler: bool
) -> None:
    found = load_model(make(tmp_path), kind, main_input=INPUTS[kind])  # type: ignore[arg-type,index]
    assert (found.dual, found.tower, found.pooler) == (dual, False, pooler)
    assert {parameter.dtype for parameter in found.model.parameters()} == {torch.float32}


def test_the_weights_are_those_of_the_file(tmp_path: Path) -> None:
    weights = load_file(models.bert(tmp_path) / "model.safetensors")
    loaded = load_model(tmp_path, TEXT, main_input=("input_ids",)).model.state_dict()
    assert weights.keys() <= loaded.keys()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in weights.items())


def test_a_checkpoint_that_lacks_weights_is_refused(tmp_path: Path) -> None:
    weights = load_file(models.bert(tmp_path) / "model.safetensors")
    name = next(name for name in weights if "attention" in name)
    kept = {key: tensor for key, tensor in weights.items() if key != name}
    save_file(kept, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ExtractorError, match=f"lacks 1 weights .* such as {name}; they would be random"):
        load_model(tmp_path, TEXT, main_input=("input_ids",))


VISION, WORDS = models.VISION, models.TEXT


@pytest.mark.parametrize(
    ("architecture", "settings"),
    [
        ("BertForMaskedLM", WORDS),
        ("BertForPreTraining", WORDS),
        ("RobertaForMaskedLM", WORDS),
        (
            "DistilBertForMaskedLM",
            {"vocab_size": 14, "dim": 32, "hidden_dim": 48, "n_heads": 2, "n_layers": 1},
        ),
        ("ElectraForPreTraining", WORDS),
        ("AlbertForPreTraining", {**WORDS, "embedding_size": 32}),
        ("DebertaV2ForSequenceClassification", WORDS),
        ("ModernBertForMaskedLM", WORDS),
        (
            "MT5ForConditionalGeneration",
            {"vocab_size": 14, "d_model": 32, "d_kv": 16, "d_ff": 48, "num_heads": 2},
        ),
        (
            "Qwen3ForCausalLM",
            {**WORDS, "head_dim": 16, "num_key_value_heads": 1, "tie_word_embeddings": False},
        ),
        ("ViTForImageClassification", VISION),
        ("ViTForMaskedImageModeling", VISION),
        ("DeiTForImageClassificationWithTeacher", VISION),
        ("Dinov2ForImageClassification", VISION),
    ],
)
def test_heads_that_stand_behind_what_is_read_are_left_out(
    tmp_path: Path, architecture: str, settings: dict[str, Any]
) -> None:
    head = getattr(transformers, architecture)
    saved = head(head.config_class(**settings))
    saved.save_pretrained(tmp_path)
    kind = IMAGE if settings is VISION else TEXT
    found = load_model(tmp_path, kind, main_input=INPUTS[kind], encoder_alone=kind is TEXT)
    ours, theirs = found.model.state_dict(), saved.base_model.state_dict()
    theirs = {name: tensor for name, tensor in theirs.items() if name in ours}
    assert len(theirs) > 10 and all(torch.equal(ours[name], tensor) for name, tensor in theirs.items())


@pytest.mark.parametrize("name", ["adapter.lora_A.weight", "encoder.layer.7.output.dense.weight"])
def test_weights_that_have_no_place_are_an_error(tmp_path: Path, name: str) -> None:
    weights = load_file(models.bert(tmp_path) / "model.safetensors")
    weights[name] = torch.zeros(2, 2)
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(
        ExtractorError, match=f"holds 1 weights that have no place in .* BertModel, such as {name}"
    ):
        load_model(tmp_path, TEXT, main_input=("input_ids",))
    del weights[name]
    weights["embeddings.position_ids"] = torch.arange(16)[None]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    assert load_model(tmp_path, TEXT, main_input=("input_ids",)).config.model_type == "bert"


@pytest.mark.parametrize("kind", ["Vision", "Text"])
def test_a_towers_projection_is_read_or_missed(tmp_path: Path, kind: str) -> None:
    content = IMAGE if kind == "Vision" else TEXT
    models.clip_tower(tmp_path, kind)
    assert load_model(tmp_path, content, main_input=INPUTS[content]).projected
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "architectures": [f"CLIP{kind}Model"]}))
    side = "visual" if kind == "Vision" else "text"
    with pytest.raises(
        ExtractorError, match=rf"such as {side}_projection\.weight; .* correct the architectures"
    ):
        load_model(tmp_path, content, main_input=INPUTS[content])
    (tmp_path / "config.json").write_text(json.dumps(config))
    weights = load_file(tmp_path / "model.safetensors")
    del weights[f"{side}_projection.weight"]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ExtractorError, match=rf"such as {side}_projection\.weight; they would be random"):
        load_model(tmp_path, content, main_input=INPUTS[content])


def test_a_model_of_another_kind_of_content_is_refused(tmp_path: Path) -> None:
    models.bert(tmp_path / "bert")
    with pytest.raises(ExtractorError, match="holds a bert model, which does not embed pictures"):
        load_model(tmp_path / "bert", IMAGE, main_input=("pixel_values",))
    models.vit(tmp_path / "vit")
    with pytest.raises(ExtractorError, match="holds a vit model, which does not embed texts"):
        load_model(tmp_path / "vit", TEXT, main_input=("input_ids",))


@pytest.mark.parametrize("content", [None, "{", "{}", '{"model_type": "no-such-model"}'])
def test_a_config_that_names_no_model_is_refused(tmp_path: Path, content: str | None) -> None:
    models.bert(tmp_path)
    (tmp_path / "config.json").unlink()
    if content is not None:
        (tmp_path / "config.json").write_text(content)
    with pytest.raises(ExtractorError, match="transformers cannot load this model"):
        load_model(tmp_path, TEXT, main_input=("input_ids",))


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    file = models.bert(tmp_path) / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(ExtractorError, match=f"{tmp_path}: transformers cannot load this model"):
        load_model(tmp_path, TEXT, main_input=("input_ids",))


def test_without_safetensors_nothing_is_loaded(tmp_path: Path) -> None:
    models.bert(tmp_path)
    (tmp_path / "model.safetensors").rename(tmp_path / "pytorch_model.bin")
    with pytest.raises(ExtractorError, match=r"has no model\.safetensors"):
        load_model(tmp_path, TEXT, main_input=("input_ids",))
