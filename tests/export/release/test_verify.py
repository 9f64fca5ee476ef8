"""Whatever differs from the manifest is found and named."""

from __future__ import annotations

from pathlib import Path

import pytest

from alignrec.export.errors import ReleaseError, VerificationError
from alignrec.export.release.verify import verify_folder
from tests.export.release.cases import make_release


@pytest.mark.parametrize("name", ["data/image/part-00000.parquet", "encoder/extractors.json", "metrics.json"])
def test_one_flipped_bit_is_found(tmp_path: Path, name: str) -> None:
    folder = make_release(tmp_path / "r")
    verify_folder(folder)
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data)
    with pytest.raises(VerificationError, match=rf"{name}: SHA-256 is"):
        verify_folder(folder)


def test_missing_extra_and_linked_files_are_found(tmp_path: Path) -> None:
    folder = make_release(tmp_path / "r")
    (folder / "data" / "image" / "part-00001.parquet").write_bytes(b"")
    text = folder / "data" / "text" / "part-00000.parquet"
    text.rename(tmp_path / "moved.parquet")
    with pytest.raises(VerificationError) as caught:
        verify_folder(folder)
    assert "data/image/part-00001.parquet: not in the manifest" in str(caught.value)
    assert "data/text/part-00000.parquet: missing" in str(caught.value)
    text.symlink_to(tmp_path / "moved.parquet")
    with pytest.raises(VerificationError, match="leads outside the release"):
        verify_folder(folder)


def test_a_folder_without_manifest_is_no_release(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="is not a release"):
        verify_folder(tmp_path)
