"""What decides a tokenizer's values, and what is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from alignrec.extractors.backends.vqkd.backend import BACKEND
from alignrec.extractors.errors import ExtractorError
from alignrec.extractors.registry import BACKENDS, identify_extractor, load_extractor, may_be_local


def test_its_file_decides_and_not_where_it_lies(tmp_path: Path) -> None:
    for name, content in (("one.pth", b"weights"), ("two.pth", b"weights"), ("three.pth", b"others")):
        (tmp_path / name).write_bytes(content)
    one, two, three = (
        identify_extractor(f"vqkd:{tmp_path / name}.pth", "image") for name in ("one", "two", "three")
    )
    assert one == two != three and one.model == ""


def test_what_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExtractorError, match=r"there is no file .*absent\.pth"):
        identify_extractor(f"vqkd:{tmp_path / 'absent.pth'}", "image")
    (tmp_path / "one.pth").write_bytes(b"weights")
    with pytest.raises(ExtractorError, match="expected image, got text"):
        load_extractor(f"vqkd:{tmp_path / 'one.pth'}", "text")
    with pytest.raises(ExtractorError, match="no revision 'main'"):
        identify_extractor("vqkd:one.pth@main", "image")


def test_it_is_registered_and_its_names_are_paths() -> None:
    assert BACKENDS["vqkd"] is BACKEND and may_be_local("vqkd:one.pth")


def test_naming_loads_no_torch(tmp_path: Path) -> None:
    (tmp_path / "one.pth").write_bytes(b"weights")
    code = (
        "import sys; from alignrec.extractors.registry import identify_extractor as identify\n"
        f"identify({f'vqkd:{tmp_path}/one.pth'!r}, 'image'); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
