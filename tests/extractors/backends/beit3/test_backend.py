"""What decides a checkpoint's values, and that finding it loads no torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from alignrec.extractors.backends.beit3.backend import BACKEND
from alignrec.extractors.errors import ExtractorError
from alignrec.extractors.identity import ExtractorIdentity
from alignrec.extractors.modality import Kind, Modality
from alignrec.extractors.registry import BACKENDS, identify_extractor, may_be_local


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "one.pth").write_bytes(b"weights")
    (tmp_path / "beit3.spm").write_bytes(b"pieces")
    return tmp_path


def identify(folder: Path, pooling: str = "", kind: str = "text") -> ExtractorIdentity:
    return identify_extractor(f"beit3:{pooling}{folder}", kind)


def test_weights_pooling_and_word_pieces_decide(folder: Path) -> None:
    first = identify(folder)
    assert identify(folder, "cls:") == first and first.model == ""
    assert identify(folder, "mean:") != first
    assert identify(folder, "mean:").differences({"files_sha256": first.files_sha256}) == ["files_sha256"]
    picture = identify(folder, kind="image")
    (folder / "beit3.spm").write_bytes(b"others")
    assert identify(folder) != first
    assert identify(folder, kind="image") == picture
    (folder / "one.pth").write_bytes(b"others")
    assert identify(folder, kind="image") != picture


def test_other_kinds_of_content_are_refused(folder: Path) -> None:
    with pytest.raises(ExtractorError, match="expected one of image, text, pair, got smell"):
        identify_extractor(f"beit3:{folder}", Modality("smell", Kind("smell", "smell")))


def test_it_is_registered_and_its_names_are_paths() -> None:
    assert BACKENDS["beit3"] is BACKEND
    assert may_be_local("beit3:mean:beit3.pth") and may_be_local("beit3:beit3.pth")


def test_naming_loads_no_torch(folder: Path) -> None:
    code = (
        "import sys; from alignrec.extractors.registry import identify_extractor as identify\n"
        f"identify({f'beit3:{folder}'!r}, 'text'); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
