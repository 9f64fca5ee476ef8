"""Where a checkpoint and its word pieces are found."""

from __future__ import annotations

from pathlib import Path

import pytest

from alignrec.extractors.backends.beit3.files import find_files
from alignrec.extractors.errors import ExtractorError
from alignrec.extractors.names import ModelName


def find(model: object) -> tuple[str, str]:
    found = find_files(ModelName.parse(f"beit3:{model}"))
    return found.pooling, found.weights.name


def test_a_file_or_a_folder_with_one(tmp_path: Path) -> None:
    (tmp_path / "one.pth").touch()
    (tmp_path / "notes.txt").touch()
    assert find(tmp_path) == find(tmp_path / "one.pth") == find(f"cls:{tmp_path}") == ("cls", "one.pth")
    assert find(f"mean:{tmp_path / 'one.pth'}") == ("mean", "one.pth")
    assert find(f"itc:{tmp_path}") == ("itc", "one.pth")
    (tmp_path / "two.safetensors").touch()
    assert find(tmp_path / "two.safetensors") == ("cls", "two.safetensors")
    with pytest.raises(ExtractorError, match=r"a checkpoint in .*: expected one file .*it has 'one\.pth'"):
        find(tmp_path)


def test_an_at_sign_in_a_path_is_no_revision(tmp_path: Path) -> None:
    folder = tmp_path / "a@b"
    folder.mkdir()
    (folder / "one.pt").touch()
    assert find(f"mean:{folder}") == ("mean", "one.pt")


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("absent", "there is neither a file nor a folder absent"),
        ("max:absent", "there is neither a file nor a folder max:absent"),
        ("absent@main", "files have no revision 'main'"),
    ],
)
def test_what_is_not_there(model: str, message: str) -> None:
    with pytest.raises(ExtractorError) as caught:
        find(model)
    assert str(caught.value) == f"beit3:{model}: {message}"


def test_other_files(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(ExtractorError, match=r"expected a checkpoint, \.pth or .*, got notes\.txt"):
        find(tmp_path / "notes.txt")
    with pytest.raises(ExtractorError, match="there is none"):
        find(tmp_path)


def test_word_pieces_lie_beside_the_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "one.pth").touch()
    files = find_files(ModelName.parse(f"beit3:{tmp_path / 'one.pth'}"))
    with pytest.raises(ExtractorError, match=r"a SentencePiece file, such as beit3\.spm, in .*there is none"):
        files.word_pieces()
    (tmp_path / "beit3.spm").touch()
    assert files.word_pieces() == tmp_path / "beit3.spm"
    (tmp_path / "other.model").touch()
    with pytest.raises(ExtractorError, match="expected one file"):
        files.word_pieces()
