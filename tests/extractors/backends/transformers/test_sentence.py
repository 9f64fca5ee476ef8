"""Folders that sentence-transformers saved give its vectors; what is not supported is refused by key."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Dense, Normalize, Transformer
from sentence_transformers.sentence_transformer.modules import Dropout, LayerNorm, Pooling, WordWeights
from torch import nn

from alignrec.extractors.backends.transformers.pooling import MODES, TextPooling
from alignrec.extractors.backends.transformers.sentence import read_pooling
from alignrec.extractors.backends.transformers.text import TransformersText
from alignrec.extractors.errors import ExtractorError
from alignrec.extractors.registry import identify_extractor
from alignrec.extractors.runtime import Runtime
from alignrec.extractors.testing import WORDS, sample_texts
from tests.extractors import models

TEXTS = ["", *sample_texts(63)]
PROMPTS = {"query": "a Red cotton: ", "document": "", "item": "summer "}


def roberta(folder: Path) -> Path:
    return models.roberta(folder, max_length=14)


def save(folder: Path, *modules: nn.Module, base: Any = models.bert, **options: Any) -> Path:
    """A model of these modules behind a tiny transformer, as the library writes it."""
    torch.manual_seed(1)
    transformer = Transformer(str(base(folder / "base")))
    SentenceTransformer(modules=[transformer, *modules], device="cpu", **options).save(
        str(folder / "saved"), create_model_card=False
    )
    return folder / "saved"


def compare(folder: Path, texts: Sequence[str] = TEXTS) -> TransformersText:
    """Batches of 1 and of all texts are the library's to 1e-5 of the largest value."""
    found = TransformersText("transformers:tiny", folder, None, None, Runtime.resolve("cpu"))
    wanted = SentenceTransformer(str(folder), device="cpu").encode(list(texts), batch_size=64)
    prepared = [found.prepare(text) for text in texts]
    together = found.embed(prepared).pooled
    single = np.concatenate([found.embed([one]).pooled for one in prepared[::7]])
    scale = max(1.0, float(np.abs(wanted).max()))
    np.testing.assert_allclose(together, wanted, rtol=0, atol=1e-5 * scale)
    np.testing.assert_allclose(single, wanted[::7], rtol=0, atol=1e-5 * scale)
    assert len(np.unique(wanted.round(4), axis=0)) > 8 and found.card.dim == wanted.shape[1]
    return found


@pytest.mark.parametrize("include", [True, False])
@pytest.mark.parametrize("mode", [*MODES, ("max", "cls", "mean"), tuple(reversed(MODES))], ids=str)
def test_every_pooling(tmp_path: Path, mode: Any, include: bool) -> None:
    pooling = Pooling(32, mode, include_prompt=include)
    compare(save(tmp_path, pooling, prompts=PROMPTS, default_prompt_name="query"))


@pytest.mark.parametrize(
    ("base", "mode"), [(roberta, "mean"), (models.mpnet, "mean"), (models.qwen, "lasttoken")]
)
def test_other_architectures(tmp_path: Path, base: Any, mode: Any) -> None:
    found = compare(save(tmp_path, Pooling(32, mode), Normalize(), base=base))
    assert found.card.preprocessing["pooling"] == mode


def test_layers_are_applied_in_their_order(tmp_path: Path) -> None:
    torch.manual_seed(2)
    layers = [
        Dense(64, 24, activation_function=nn.GELU()),
        Normalize(),
        Dense(24, 24, bias=False, use_residual=True),
        LayerNorm(24),
        Dropout(0.3),
        Dense(24, 12, activation_function=None, use_residual=True),
    ]
    with torch.no_grad():
        layers[3].norm.weight.copy_(torch.rand(24))
    folder = save(tmp_path, Pooling(32, ("cls", "mean")), *layers, truncate_dim=10)
    found = compare(folder)
    kinds = ["Dense", "Normalize", "Dense", "LayerNorm", "Identity", "Dense"]
    assert found.card.preprocessing["layers"] == kinds
    assert found.card.preprocessing["truncate_dim"] == found.card.dim == 10


def test_weights_of_older_layers_are_read_and_hashed(tmp_path: Path) -> None:
    folder = save(tmp_path, Pooling(32), Dense(32, 8))
    file = folder / "2_Dense" / "model.safetensors"
    first = identify_extractor(f"transformers:{folder}", "text")
    from safetensors.torch import load_file

    weights = load_file(file)
    file.unlink()
    torch.save(weights, file.with_name("pytorch_model.bin"))
    found = compare(folder)
    second = identify_extractor(f"transformers:{folder}", "text")
    assert second.weights_sha256 == found.card.weights_sha256 != first.weights_sha256
    weights["linear.weight"] = weights["linear.weight"][:4]
    torch.save(weights, file.with_name("pytorch_model.bin"))
    with pytest.raises(ExtractorError, match=r"pytorch_model\.bin does not hold the weights that its config"):
        compare(folder)
    file.with_name("pytorch_model.bin").unlink()
    with pytest.raises(ExtractorError, match=r"2_Dense: the module Dense has neither model\.safetensors nor"):
        identify_extractor(f"transformers:{folder}", "text")


def test_a_transformer_in_a_folder_of_its_own(tmp_path: Path) -> None:
    """As the library wrote it until its version 2, with older keys and no names."""
    saved = save(tmp_path, Pooling(32), Normalize())
    (saved / "0_Transformer").mkdir()
    for path in saved.iterdir():
        if path.is_file() and path.name not in ("modules.json", "config_sentence_transformers.json"):
            path.rename(saved / "0_Transformer" / path.name)
    modules = [
        {"idx": index, "name": str(index), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for index, (path, kind) in enumerate(
            [("0_Transformer", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
        )
    ]
    (saved / "modules.json").write_text(json.dumps(modules))
    (saved / "config_sentence_transformers.json").unlink()
    keys = ("cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens")
    old = {"word_embedding_dimension": 32, **{f"pooling_mode_{key}": key != "cls_token" for key in keys}}
    (saved / "1_Pooling" / "config.json").write_text(json.dumps(old))
    (saved / "0_Transformer" / "sentence_bert_config.json").write_text(
        json.dumps({"max_seq_length": 6, "do_lower_case": False})
    )
    found = compare(saved)
    assert found.card.preprocessing["pooling"] == "max+mean+mean_sqrt_len_tokens"
    assert found.card.preprocessing["max_length"] == 6
    before = identify_extractor(f"transformers:{saved}", "text").files_sha256
    tokenizer = saved / "0_Transformer" / "tokenizer_config.json"
    tokenizer.write_text(tokenizer.read_text() + " ")
    assert identify_extractor(f"transformers:{saved}", "text").files_sha256 != before
    (saved / "modules.json").write_text(
        json.dumps([{key: entry[key] for key in ("path", "type")} for entry in modules])
    )
    assert read_pooling(saved, dual=False, tower=False).max_length == 6


@pytest.mark.parametrize("lower", [True, False])
def test_case_is_lowered_before_all_but_special_tokens(tmp_path: Path, lower: bool) -> None:
    folder = save(tmp_path, Pooling(32), prompts={"p": "RED "}, default_prompt_name="p")
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    tokenizer["normalizer"] = None
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    (folder / "sentence_bert_config.json").write_text(
        json.dumps({"max_seq_length": 12, "do_lower_case": lower})
    )
    found = compare(folder, [*TEXTS, "A Shirt", "Red</s>SHIRT", "DAYS"])
    assert found.prepare("A Shirt")["input_ids"] == ([1, 5, 4, 7, 2] if lower else [1, 3, 3, 3, 2])


def test_a_stated_length_beats_the_tokenizers(tmp_path: Path) -> None:
    folder = save(tmp_path, Pooling(32), base=lambda place: models.bert(place, max_length=4))
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 9}))
    assert compare(folder).card.preprocessing["max_length"] == 9


def test_without_files_the_kind_of_model_decides(tmp_path: Path) -> None:
    assert read_pooling(tmp_path, dual=True, tower=False) == TextPooling(("features",))
    assert read_pooling(tmp_path, dual=False, tower=True) == TextPooling(("pooler",))
    assert read_pooling(tmp_path, dual=False, tower=False) == TextPooling(("mean",))


def test_the_files_say_everything(tmp_path: Path) -> None:
    models.sentence_bert(tmp_path, "pooling_mode_max_tokens", "Normalize")
    transformer = {"max_seq_length": 8, "do_lower_case": True}
    (tmp_path / "sentence_bert_config.json").write_text(json.dumps(transformer))
    stated = {"prompts": {"query": "query: "}, "default_prompt_name": "query", "similarity_fn_name": "dot"}
    (tmp_path / "config_sentence_transformers.json").write_text(json.dumps({**stated, "truncate_dim": 5}))
    found = read_pooling(tmp_path, dual=False, tower=False)
    assert found == TextPooling(("max",), max_length=8, lower=True, prompt="query: ", truncate=5)


POOLING = "1_Pooling/config.json"
MODEL = "config_sentence_transformers.json"
BERT = "sentence_bert_config.json"


@pytest.mark.parametrize(
    ("file", "stated", "modes"),
    [
        (POOLING, {"embedding_dimension": 32, "pooling_mode": "cls"}, ("cls",)),
        (POOLING, {"embedding_dimension": 32, "pooling_mode": ["max", "cls"]}, ("max", "cls")),
        (POOLING, {"embedding_dimension": 32}, ("mean",)),
        (POOLING, {"embedding_dimension": 32, "pooling_mode_cls_token": False}, ("mean",)),
        (
            POOLING,
            {"embedding_dimension": 32, "pooling_mode": "cls", "pooling_mode_mean_tokens": True},
            ("cls",),
        ),
        (BERT, {"unpad_inputs": True, "processing_kwargs": {}, "model_args": {"dtype": "float16"}}, ("cls",)),
        (MODEL, {"requirements": {"torch": ">1"}, "__version__": {}, "model_type": None}, ("cls",)),
    ],
)
def test_what_changes_no_vector_is_passed_over(
    tmp_path: Path, file: str, stated: dict[str, Any], modes: tuple[str, ...]
) -> None:
    models.sentence_bert(tmp_path)
    (tmp_path / file).write_text(json.dumps(stated))
    assert read_pooling(tmp_path, dual=False, tower=False).modes == modes


@pytest.mark.parametrize(
    ("file", "stated", "wrong"),
    [
        (POOLING, {"pooling_mode": "cls"}, "no embedding_dimension"),
        (POOLING, {"embedding_dimension": 32, "pooling_mode": "median"}, 'pooling_mode: "median"; supported'),
        (POOLING, {"embedding_dimension": 32, "pooling_mode": []}, r"pooling_mode: \[\]; supported"),
        (POOLING, {"embedding_dimension": 32, "pooling_mode": 1}, "pooling_mode: 1, which"),
        (POOLING, {"embedding_dimension": 32, "gated": True}, "gated: true, which"),
        (POOLING, {"embedding_dimension": 32, "include_prompt": "no"}, 'include_prompt: "no"'),
        (MODEL, {"truncate_dim": 0}, "truncate_dim: 0"),
        (MODEL, {"truncate_dim": "8"}, 'truncate_dim: "8"'),
        (MODEL, {"default_prompt_name": "item"}, 'default_prompt_name: "item", which is none of its prompts'),
        (MODEL, {"prompts": {"a": 1}, "default_prompt_name": "a"}, "prompts: "),
        (MODEL, {"model_type": "SparseEncoder"}, 'model_type: "SparseEncoder"'),
        (MODEL, {"scale": 2}, "scale: 2"),
        (BERT, {"max_seq_length": -1}, "max_seq_length: -1"),
        (BERT, {"max_seq_length": True}, "max_seq_length: true"),
        (BERT, {"do_lower_case": 1}, "do_lower_case: 1"),
        (BERT, {"tokenizer_args": {"padding_side": "left"}}, "tokenizer_args: "),
        (BERT, {"transformer_task": "fill-mask"}, 'transformer_task: "fill-mask"'),
        (BERT, {"module_output_name": "sentence_embedding"}, "module_output_name: "),
        (BERT, {"modality_config": {"message": {}}}, "modality_config: "),
        (BERT, {"processing_kwargs": {"text": {"max_length": 3}}}, "processing_kwargs: "),
        (BERT, {"query_length": 3}, "query_length: 3"),
        (BERT, {"normalize": True}, "normalize: true"),
    ],
)
def test_what_would_give_other_vectors_is_refused_by_file_and_key(
    tmp_path: Path, file: str, stated: dict[str, Any], wrong: str
) -> None:
    models.sentence_bert(tmp_path)
    (tmp_path / file).write_text(json.dumps(stated))
    with pytest.raises(ExtractorError, match=rf"{file} states {wrong}"):
        read_pooling(tmp_path, dual=False, tower=False)


def test_older_names_of_the_transformers_file_count(tmp_path: Path) -> None:
    models.sentence_bert(tmp_path)
    (tmp_path / BERT).rename(tmp_path / "sentence_xlm-roberta_config.json")
    assert read_pooling(tmp_path, dual=False, tower=False).max_length == 8
    (tmp_path / "sentence_roberta_config.json").write_text('{"max_seq_length": 7, "pad": 1}')
    with pytest.raises(ExtractorError, match=r"sentence_roberta_config\.json states pad: 1"):
        read_pooling(tmp_path, dual=False, tower=False)


def test_modules_that_are_not_supported_are_named(tmp_path: Path) -> None:
    folder = save(tmp_path, WordWeights(["a"], {"a": 1.0}), Pooling(32))
    for load in (lambda: compare(folder), lambda: identify_extractor(f"transformers:{folder}", "text")):
        with pytest.raises(
            ExtractorError, match=r"modules\.json uses sentence_transformers\S+WordWeights; supp"
        ):
            load()


def test_a_width_that_the_model_does_not_have_is_refused(tmp_path: Path) -> None:
    folder = models.sentence_bert(tmp_path)
    (folder / POOLING).write_text('{"embedding_dimension": 48, "pooling_mode": "cls"}')
    with pytest.raises(ExtractorError, match=r"1_Pooling/config\.json states 48 values a token; the model g"):
        TransformersText("transformers:tiny", folder, None, None, Runtime.resolve("cpu"))


def test_a_prompt_that_leaves_no_token_is_refused(tmp_path: Path) -> None:
    pooling = Pooling(32, include_prompt=False)
    long = " ".join([WORDS[0]] * 40)
    folder = save(
        tmp_path, pooling, base=models.qwen_without_end, prompts={"p": long}, default_prompt_name="p"
    )
    with pytest.raises(ExtractorError, match=r"fills all 16 tokens that the model reads"):
        TransformersText("transformers:tiny", folder, None, None, Runtime.resolve("cpu"))


def test_a_dual_encoder_is_pooled_once(tmp_path: Path) -> None:
    folder = models.clip(tmp_path)
    modules = [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for i, (path, kind) in enumerate([("", "Transformer"), ("1_Pooling", "Pooling")])
    ]
    (folder / "modules.json").write_text(json.dumps(modules[:1]))
    assert read_pooling(folder, dual=True, tower=False) == TextPooling(("features",))
    with pytest.raises(ExtractorError, match=r"modules\.json has no Pooling"):
        read_pooling(folder, dual=False, tower=False)
    (folder / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(ExtractorError, match=r"modules\.json pools again"):
        read_pooling(folder, dual=True, tower=False)
    shutil.rmtree(folder)
