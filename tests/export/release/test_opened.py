"""A release that was found: its sets and files, each checked when it is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from alignrec.export.errors import ReleaseError, VerificationError
from alignrec.export.release.opened import choose_set, open_folder
from tests.export.release.cases import make_release, make_set


def test_a_folder_is_opened_by_its_manifest_alone(tmp_path: Path) -> None:
    folder = make_release(tmp_path / "r")
    (folder / "data/text/part-00000.parquet").write_bytes(b"damaged")
    release = open_folder(folder)
    assert release.where == str(folder) and list(release.manifest.sets) == ["image", "text"]
    assert release.load("image").ids == sorted(make_set().ids)
    with pytest.raises(VerificationError, match=r"text/part-00000\.parquet: 7 bytes, expected"):
        release.load("text")
    with pytest.raises(ReleaseError, match="is not a release"):
        open_folder(tmp_path)


def test_a_file_is_found_by_its_path(tmp_path: Path) -> None:
    release = open_folder(make_release(tmp_path / "r"))
    assert release.file("metrics.json") == tmp_path / "r" / "metrics.json"
    assert release.file("absent.json") is None


def test_a_set_is_chosen_by_name_or_by_preference(tmp_path: Path) -> None:
    sets = [make_set("image"), make_set("multimodal"), make_set("aligned", dim=3)]
    manifest = open_folder(make_release(tmp_path / "r", *sets)).manifest
    assert choose_set(manifest, None, "r") == "aligned"
    assert choose_set(manifest, "image", "r") == "image"
    with pytest.raises(ReleaseError, match=r"r has no set 'alined'; it has .* Did you mean 'aligned'"):
        choose_set(manifest, "alined", "r")
