"""Where an open_clip model's files are, and which of a folder's weights count."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from huggingface_hub import constants

from alignrec.core.network import offline
from alignrec.extractors.backends.openclip import files
from alignrec.extractors.backends.openclip.files import OpenClipFiles, find_files
from alignrec.extractors.errors import DownloadError, ExtractorError
from alignrec.extractors.names import ModelName
from tests.extractors import models


def found(folder: Path) -> OpenClipFiles:
    return find_files(ModelName.parse(f"open_clip:local-dir:{folder}"))


def test_a_folder_has_its_weights_config_and_licence(tmp_path: Path) -> None:
    models.open_clip_model(tmp_path)
    (tmp_path / "README.md").write_text("---\nlicense: mit\n---\n")
    weights, config = tmp_path / "open_clip_model.safetensors", tmp_path / "open_clip_config.json"
    assert found(tmp_path) == OpenClipFiles(weights, tmp_path, (config,), licence="mit")


def test_the_weights_that_open_clip_takes_first_count(tmp_path: Path) -> None:
    models.open_clip_model(tmp_path)
    preferred = ["open_clip_model", "open_clip_pytorch_model", "model", "a", "b"]
    for name in preferred:
        (tmp_path / f"{name}.safetensors").touch()
    for name in preferred:
        assert found(tmp_path).weights == tmp_path / f"{name}.safetensors"
        (tmp_path / f"{name}.safetensors").unlink()
    (tmp_path / "open_clip_pytorch_model.bin").touch()
    with pytest.raises(ExtractorError, match=r"has no \.safetensors weights; .*: fetch open_clip_model\.saf"):
        found(tmp_path)


def test_a_folder_without_its_config_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExtractorError, match=r"expected a folder with open_clip_config\.json at \S+$"):
        found(tmp_path)
    models.clip(tmp_path)
    with pytest.raises(
        ExtractorError, match=rf"open_clip_config\.json at .*: transformers:{tmp_path} may be"
    ):
        found(tmp_path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ViT-B-33/openai", "unknown architecture 'ViT-B-33'; did you mean 'ViT-B-32'"),
        ("ViT-B-32/opanai", "ViT-B-32 has no weights 'opanai'; did you mean 'openai'"),
        ("ViT-B-32", "ViT-B-32 has no weights ''; known: "),
    ],
)
def test_what_was_never_published_is_named_with_the_nearest(name: str, message: str) -> None:
    with pytest.raises(ExtractorError, match=message):
        find_files(ModelName.parse(f"open_clip:{name}"))


def test_published_weights_are_looked_for_here_alone_while_offline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    name = ModelName.parse("open_clip:ViT-B-32/laion2b_s34b_b79k")
    with offline(), pytest.raises(DownloadError, match="not in the local cache"):
        find_files(name)
    table = SimpleNamespace(
        get_pretrained_cfg=lambda *_: {"url": "https://unreachable.example/weights.pt"},
        download_pretrained=lambda _: pytest.fail("it was fetched"),
    )
    monkeypatch.setattr(files, "_table", lambda: table)
    with offline(), pytest.raises(DownloadError, match="nothing is fetched now"):
        find_files(name)
