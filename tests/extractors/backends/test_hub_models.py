"""Models named by a Hub id: what is asked for, and what the card says of it."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import numpy as np
import open_clip
import pytest
from huggingface_hub.errors import RepositoryNotFoundError

from alignrec.extractors.backends.openclip import files
from alignrec.extractors.errors import DownloadError, ExtractorError
from alignrec.extractors.registry import load_extractor
from alignrec.extractors.testing import sample_images
from tests.extractors import models

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_a_transformers_model_of_a_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def snapshot(repository: str, *, revision: str | None, allow_patterns: list[str]) -> str:
        asked.append((repository, revision))
        return str(models.bert(tmp_path / "snapshots" / COMMIT))

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    card = load_extractor("transformers:org/model@v1", "text", device="cpu").card
    assert asked == [("org/model", "v1")]
    assert (card.name, card.revision) == ("transformers:org/model@v1", COMMIT)


def test_a_repository_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def snapshot(*args: Any, **options: Any) -> str:
        response: Any = SimpleNamespace(headers={}, request=None)
        raise RepositoryNotFoundError("no such repository", response=response)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    with pytest.raises(ExtractorError, match="no such repository") as caught:
        load_extractor("transformers:org/absent", "text", device="cpu")
    assert caught.value.exit_code == 2


def test_published_open_clip_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the same model from a folder, with the preprocessing that was published with the weights."""
    folder = models.open_clip_model(tmp_path / "local")
    stated = json.loads((folder / "open_clip_config.json").read_text())
    cached = tmp_path / "snapshots" / COMMIT
    cached.mkdir(parents=True)
    weights = cached / "open_clip_model.safetensors"
    weights.write_bytes((folder / "open_clip_model.safetensors").read_bytes())
    published = {"hf_hub": "org/tiny/", **stated["preprocess_cfg"]}
    asked: list[Any] = []

    def download(repository: str, filename: str | None, revision: str | None) -> str:
        asked.append((repository, filename, revision))
        if revision == "gone":
            raise FileNotFoundError("Failed to download")
        return str(weights)

    configs = tmp_path / "package" / "model_configs"
    configs.mkdir(parents=True)
    (configs / "tiny.json").write_text(json.dumps(stated["model_cfg"]))
    monkeypatch.setattr(files, "package_folder", lambda: tmp_path / "package")
    monkeypatch.setattr(open_clip.factory, "get_model_config", lambda name: stated["model_cfg"])
    monkeypatch.setattr(open_clip.pretrained, "get_pretrained_cfg", lambda name, tag: published)
    monkeypatch.setattr(open_clip.pretrained, "download_pretrained_from_hf", download)

    tagged = load_extractor("open_clip:tiny/tag@v2", "image", device="cpu")
    local = load_extractor(f"open_clip:local-dir:{folder}", "image", device="cpu")
    assert asked == [("org/tiny", None, "v2")]
    assert tagged.card.revision == COMMIT
    assert tagged.card.weights_sha256 == local.card.weights_sha256
    assert tagged.card.preprocessing == local.card.preprocessing
    pictures = sample_images(4)
    left = tagged.embed([tagged.prepare(one) for one in pictures]).pooled
    right = local.embed([local.prepare(one) for one in pictures]).pooled
    assert np.array_equal(left, right)
    with pytest.raises(DownloadError, match="local-dir"):
        load_extractor("open_clip:tiny/tag@gone", "image", device="cpu")
