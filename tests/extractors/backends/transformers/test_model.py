"""Loading a transformers model: which kind it is, and that nothing of it is random."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from alignrec.extractors.backends.transformers.model import load_model
from alignrec.extractors.errors import ExtractorError
from alignrec.extractors.modality import IMAGE, TEXT
from tests.extractors import models

INPUTS = {IMAGE: "pixel_values", TEXT: "input_ids"}


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
    loaded = load_model(tmp_path, TEXT, main_input="input_ids").model.state_dict()
    assert weights.keys() <= loaded.keys()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in weights.items())


def test_a_checkpoint_that_lacks_weights_is_refused(tmp_path: Path) -> None:
    weights = load_file(models.bert(tmp_path) / "model.safetensors")
    name = next(name for name in weights if "attention" in name)
    kept = {key: tensor for key, tensor in weights.items() if key != name}
    save_file(kept, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ExtractorError, match=f"lacks 1 weights .* such as {name}; they would be random"):
        load_model(tmp_path, TEXT, main_input="input_ids")


def test_a_model_of_another_kind_of_content_is_refused(tmp_path: Path) -> None:
    models.bert(tmp_path / "bert")
    with pytest.raises(ExtractorError, match="holds a bert model, which does not embed images"):
        load_model(tmp_path / "bert", IMAGE, main_input="pixel_values")
    models.vit(tmp_path / "vit")
    with pytest.raises(ExtractorError, match="holds a vit model, which does not embed texts"):
        load_model(tmp_path / "vit", TEXT, main_input="input_ids")


@pytest.mark.parametrize("content", [None, "{", "{}", '{"model_type": "no-such-model"}'])
def test_a_config_that_names_no_model_is_refused(tmp_path: Path, content: str | None) -> None:
    models.bert(tmp_path)
    (tmp_path / "config.json").unlink()
    if content is not None:
        (tmp_path / "config.json").write_text(content)
    with pytest.raises(ExtractorError, match="transformers cannot load this model"):
        load_model(tmp_path, TEXT, main_input="input_ids")


def test_without_safetensors_nothing_is_loaded(tmp_path: Path) -> None:
    models.bert(tmp_path)
    (tmp_path / "model.safetensors").rename(tmp_path / "pytorch_model.bin")
    with pytest.raises(ExtractorError, match=r"has no model\.safetensors"):
        load_model(tmp_path, TEXT, main_input="input_ids")
