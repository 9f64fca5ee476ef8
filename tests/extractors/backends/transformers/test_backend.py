"""`transformers:` names: an identity from the files alone, and what cannot be loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from alignrec.core.files import sha256_file
from alignrec.core.libraries import library_versions
from alignrec.extractors.backends.transformers.backend import identify, load
from alignrec.extractors.errors import ExtractorError
from alignrec.extractors.identity import files_sha256
from alignrec.extractors.modality import IMAGE, TEXT, Kind, Modality
from alignrec.extractors.names import ModelName
from alignrec.extractors.runtime import Runtime
from tests.extractors import models

SOUND = Modality("sound", Kind("sound", "sound"))
WORDS = Modality("words", TEXT)


def test_an_identity_is_of_the_files_and_the_libraries_of_the_kind(tmp_path: Path) -> None:
    folder = models.bert(tmp_path)
    hashed: list[str] = []

    def sha256(path: Path) -> str:
        hashed.append(path.name)
        return sha256_file(path)

    found = identify(ModelName.parse(f"transformers:{folder}"), WORDS, sha256)
    others = [path for path in folder.iterdir() if path.suffix == ".json"]
    assert sorted(hashed) == sorted(path.name for path in folder.iterdir())
    assert found.weights_sha256 == sha256_file(folder / "model.safetensors")
    assert found.files_sha256 == files_sha256(folder, others)
    assert found.libraries == library_versions(["torch", "transformers", "tokenizers"])


def test_each_kind_of_content_has_its_side(tmp_path: Path) -> None:
    name = ModelName.parse(f"transformers:{models.clip(tmp_path)}")
    for kind in (IMAGE, TEXT):
        assert load(name, Modality("own", kind), Runtime.resolve("cpu")).card.modality == kind.name
    with pytest.raises(ExtractorError, match="expected one of image, text, audio, got sound"):
        load(name, SOUND, Runtime.resolve("cpu"))


def test_a_model_that_gives_no_embedding_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from alignrec.extractors.backends.transformers import text

    def fail(*_: object, **__: object) -> None:
        raise AttributeError("no last_hidden_state")

    monkeypatch.setattr(text.TransformersText, "embed", fail)
    name = ModelName.parse(f"transformers:{models.bert(tmp_path)}")
    with pytest.raises(ExtractorError, match=r"no embedding of text as encoders do \(no last_hidden_state"):
        load(name, WORDS, Runtime.resolve("cpu"))
