"""A manifest that is not of our form, or points elsewhere, is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from alignrec.core.learned_from import LearnedFrom
from alignrec.export.errors import VerificationError
from alignrec.export.load import load_features
from alignrec.export.release.manifest import Manifest, describe_file, release_id
from alignrec.export.release.verify import verify_folder
from tests.export.release.cases import make_release


@pytest.mark.parametrize(
    "path", ["../x", "/etc/passwd", "data/../../x", "a\\..\\b", "C:/x", "", ".", "data//x", "data/./x"]
)
def test_a_manifest_that_points_outside_its_folder_is_refused(tmp_path: Path, path: str) -> None:
    folder = make_release(tmp_path / "r")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"][0]["path"] = path
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(VerificationError, match=r"files\.0\.path"):
        verify_folder(folder)
    with pytest.raises(VerificationError):
        load_features(folder, "image")


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"release_id": "0" * 64},
        {"surprise": 1},
        {"sets": {"image": {"dim": 0}}},
    ],
)
def test_a_manifest_of_another_form_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    folder = make_release(tmp_path / "r")
    manifest = json.loads((folder / "manifest.json").read_text()) | change
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(VerificationError, match="not a valid release manifest"):
        verify_folder(folder)


def test_a_flipped_bit_anywhere_in_a_manifest_is_seen(tmp_path: Path) -> None:
    path = make_release(tmp_path / "r", licence="cc-by-4.0") / "manifest.json"
    whole = path.read_bytes()
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        with pytest.raises(VerificationError, match="not a valid release manifest"):
            Manifest.from_bytes(bytes(damaged))
    path.write_bytes(whole.replace(b"cc-by-4.0", b"cc-by-5.0"))
    with pytest.raises(VerificationError, match="it is damaged, its content is not"):
        verify_folder(tmp_path / "r")
    path.write_bytes(whole.replace(b"\n", b"\r\n"))
    with pytest.raises(VerificationError, match="it is damaged"):
        verify_folder(tmp_path / "r")


def test_a_manifest_of_an_older_version_has_no_hash_and_is_read(tmp_path: Path) -> None:
    folder = make_release(tmp_path / "r")
    manifest = Manifest.read(folder)
    old = json.loads((folder / "manifest.json").read_text())
    del old["sha256"]
    text = json.dumps(old, sort_keys=True, indent=1, ensure_ascii=False) + "\n"
    (folder / "manifest.json").write_text(text)
    assert verify_folder(folder) == manifest
    assert load_features(folder, "image").dim == 7
    (folder / "manifest.json").write_bytes(manifest.to_bytes())
    assert verify_folder(folder) == manifest


def test_a_manifest_is_read_as_it_was_written_and_knows_its_parts(tmp_path: Path) -> None:
    manifest = Manifest.read(make_release(tmp_path / "r"))
    assert (tmp_path / "r" / "manifest.json").read_bytes() == manifest.to_bytes()
    part = tmp_path / "r" / "data" / "image" / "part-00000.parquet"
    assert manifest.parts("image") == [describe_file(tmp_path / "r", part, 5)]
    assert manifest.release_id == release_id(reversed(manifest.files))
    assert manifest.images == () and manifest.same_content(manifest)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ([], "learned_from must be an object"),
        ({"image": 3}, r"learned_from of 'image'"),
        (
            {"image": {"rule": "r", "interactions": True, "held_out": 1}},
            r"learned_from of 'image\.interactions'",
        ),
        ({"image": {"rule": "r", "interactions": 5, "held_out": -1}}, r"learned_from of 'image\.held_out'"),
        ({"image": {"rule": ["r"], "interactions": 5, "held_out": 1}}, r"learned_from of 'image\.rule'"),
    ],
)
def test_what_sets_have_learned_from_has_its_form(tmp_path: Path, entry: object, message: str) -> None:
    folder = make_release(tmp_path / "r")
    manifest = Manifest.read(folder)
    known = {"image": {"rule": "r", "interactions": 5, "held_out": 1, "another": "of a later version"}}
    sound = manifest.model_copy(update={"provenance": manifest.provenance | {"learned_from": known}})
    assert Manifest.from_bytes(sound.to_bytes()).learned_from("image") == LearnedFrom("r", 5, 1)
    content = json.loads(sound.to_bytes())
    content["provenance"]["learned_from"] = entry
    with pytest.raises(VerificationError, match=message):
        Manifest.from_bytes(json.dumps(content).encode())
