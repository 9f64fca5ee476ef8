"""`open_clip:` names: an identity from the files alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from alignrec.core.files import sha256_file
from alignrec.core.libraries import library_versions
from alignrec.extractors.backends.openclip.backend import LIBRARIES, identify, load
from alignrec.extractors.identity import files_sha256
from alignrec.extractors.modality import MODALITIES
from alignrec.extractors.names import ModelName
from alignrec.extractors.runtime import Runtime
from tests.extractors import models


@pytest.mark.parametrize("modality", LIBRARIES)
def test_an_identity_is_of_the_files_wherever_they_lie(tmp_path: Path, modality: str) -> None:
    folder = models.open_clip_model(tmp_path / "model")
    kind = MODALITIES[modality].kind
    first = identify(ModelName.parse(f"open_clip:local-dir:{folder}"), MODALITIES[modality], sha256_file)
    assert first.weights_sha256 == sha256_file(folder / "open_clip_model.safetensors")
    assert first.files_sha256 == files_sha256(folder, [folder / "open_clip_config.json"])
    assert first.libraries == library_versions([*LIBRARIES[kind.name], *kind.libraries])
    shutil.copytree(folder, tmp_path / "copy")
    copied = ModelName.parse(f"open_clip:local-dir:{tmp_path / 'copy'}")
    assert identify(copied, MODALITIES[modality], sha256_file) == first


@pytest.mark.parametrize("modality", LIBRARIES)
def test_a_side_is_loaded(tmp_path: Path, modality: str) -> None:
    name = ModelName.parse(f"open_clip:local-dir:{models.open_clip_model(tmp_path)}")
    card = load(name, MODALITIES[modality], Runtime.resolve("cpu")).card
    assert (card.name, card.modality, card.dim, card.token_dim) == (name.full, modality, 24, 32)
