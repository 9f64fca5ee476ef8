"""A set in one line, from a folder or the Hub: the right one, checked, mapped, in pieces."""

from __future__ import annotations

import warnings
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
from huggingface_hub import HfApi

from alignrec.core.errors import AlignRecWarning
from alignrec.core.learned_from import LearnedFrom
from alignrec.export.errors import ReleaseError, VerificationError
from alignrec.export.hub.push import push
from alignrec.export.load import iter_features, load_features
from alignrec.export.release.manifest import MANIFEST, Manifest
from tests.core.left_over import left_over
from tests.export.hub_cases import REPO, SETS, features, got
from tests.export.hub_cases import make_release as make_release_of_sets
from tests.export.release.cases import make_release, make_set, reseal
from tests.hub.server import HubServer


def test_origin_travels_with_its_rows(tmp_path: Path) -> None:
    features = make_set("aligned", origin=["trained", "content", "trained", "x", "y"])
    folder = make_release(tmp_path / "r", features)
    loaded = load_features(folder)
    assert dict(zip(loaded.ids, loaded.origin or [], strict=True))["0001"] == "content"


def test_loading_names_the_nearest_set_and_prefers_the_best(tmp_path: Path) -> None:
    folder = make_release(tmp_path / "r")
    with pytest.raises(ReleaseError, match=r"no set 'imgae'.*Did you mean 'image'"):
        load_features(folder, "imgae")
    with pytest.raises(ReleaseError, match="name one of image, text"):
        load_features(folder)
    assert load_features(make_release(folder, make_set("image"), make_set("multimodal"))).name == "multimodal"


def test_loading_reads_the_asked_set_alone(tmp_path: Path) -> None:
    folder = make_release(tmp_path / "r")
    (folder / "data/text/part-00000.parquet").write_bytes(b"damaged")
    assert load_features(folder, "image").dim == 7
    with pytest.raises(VerificationError, match="bytes, expected"):
        load_features(folder, "text")


def test_a_mapped_set_equals_the_loaded_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HOME", str(tmp_path / "home"))
    origin = ["trained", "content", "content", "trained", "content"]
    folder = make_release(tmp_path / "r", make_set("aligned", origin=origin))
    whole = load_features(folder)
    for _ in range(2):  # the first writes the file, the second finds it
        mapped = load_features(folder, memory_map=True)
        assert isinstance(mapped.matrix, np.memmap) and not mapped.matrix.flags.writeable
        np.testing.assert_array_equal(mapped.matrix, whole.matrix)
        np.testing.assert_array_equal(mapped.valid, whole.valid)
        assert (mapped.ids, mapped.origin) == (whole.ids, whole.origin)
    assert mapped.nearest("b", 2) == whole.nearest("b", 2)
    make_release(folder, make_set("aligned", dim=3, origin=origin))
    assert load_features(folder, memory_map=True).dim == 3


def test_a_damaged_matrix_is_made_anew_and_what_a_kill_left_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HOME", str(tmp_path / "home"))
    folder = make_release(tmp_path / "r")
    whole = load_features(folder, "image").matrix
    load_features(folder, "image", memory_map=True)
    (file,) = (tmp_path / "home").rglob("*.npy")
    content = file.read_bytes()
    flipped = content[:-200] + bytes([content[-200] ^ 1]) + content[-199:]
    unsealed = content[: content.rindex(b"\nsealed ")]  # as earlier versions wrote it
    for damaged in (flipped, unsealed, content[:100], b"", content + b"x"):
        file.write_bytes(damaged)
        np.testing.assert_array_equal(load_features(folder, "image", memory_map=True).matrix, whole)
        assert file.read_bytes() == content
    left_over(file)
    load_features(folder, "image", memory_map=True)
    assert list(file.parent.iterdir()) == [file]


def test_a_count_that_is_not_that_of_the_rows_shows_in_a_mapped_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HOME", str(tmp_path / "home"))
    folder = make_release(tmp_path / "r")
    load_features(folder, "image", memory_map=True)
    reseal(folder, {"image": {"dim": 7, "dtype": "float32", "rows": 5, "valid": 3}})
    with pytest.raises(VerificationError, match="4 of them valid"):
        load_features(folder, "image", memory_map=True)


def test_a_damaged_part_shows_when_its_turn_comes(tmp_path: Path) -> None:
    folder = make_release(tmp_path / "r")
    (folder / "data/image/part-00000.parquet").write_bytes(b"x")
    with pytest.raises(VerificationError, match="part-00000"):
        next(iter_features(folder, "image"))


def test_pieces_are_those_of_the_whole(tmp_path: Path) -> None:
    folder = make_release(tmp_path / "r")
    whole = load_features(folder, "image")
    pieces = list(iter_features(folder, "image", rows=2))
    assert [i for piece in pieces for i in piece.ids] == list(whole.ids)
    np.testing.assert_array_equal(np.concatenate([piece.matrix for piece in pieces]), whole.matrix)
    np.testing.assert_array_equal(np.concatenate([piece.valid for piece in pieces]), whole.valid)


@pytest.mark.parametrize("name", [*SETS, None])
def test_a_set_comes_back_as_it_was(published: str, by_name: None, name: str | None) -> None:
    expected = features(name or "multimodal", SETS[name or "multimodal"])
    loaded = load_features(REPO, name, version="1.0.0")
    assert list(loaded.ids) == list(expected.ids)
    np.testing.assert_array_equal(loaded.matrix, expected.matrix)
    np.testing.assert_array_equal(loaded.valid, expected.valid)


def test_only_what_is_needed_is_fetched_and_only_once(hub: HubServer, published: str, by_name: None) -> None:
    hub.log.clear()
    load_features(REPO, "text")
    assert sorted(got(hub)) == ["data/text/part-00000.parquet", "manifest.json", "release.json"]
    hub.log.clear()
    load_features(REPO, "text")
    assert [line.path for line in hub.log] == [f"/api/datasets/{REPO}/refs"]


def test_the_highest_version_is_the_default(hub: HubServer, api: HfApi, release: Path, by_name: None) -> None:
    for version, seed in (("1.10.0", 5), ("1.9.0", 6)):
        make_release_of_sets(release, {"image": seed})
        push(release, REPO, version, api=api)
    np.testing.assert_array_equal(load_features(REPO, "image").matrix, features("image", 8, 5).matrix)
    np.testing.assert_array_equal(
        load_features(REPO, "image", version="v1.9.0").matrix, features("image", 8, 6).matrix
    )


def test_a_published_set_comes_piece_by_piece_and_mapped(
    hub: HubServer, published: str, by_name: None
) -> None:
    whole = features("image", 8)
    pieces = list(iter_features(REPO, "image", version="1.0.0", rows=7))
    assert [len(piece.ids) for piece in pieces] == [7, 7, 6]
    np.testing.assert_array_equal(np.concatenate([piece.matrix for piece in pieces]), whole.matrix)
    mapped = load_features(REPO, "image", memory_map=True)
    assert isinstance(mapped.matrix, np.memmap)
    np.testing.assert_array_equal(mapped.matrix, whole.matrix)


def test_a_folder_has_no_versions(release: Path) -> None:
    assert load_features(release, "image").dim == 8
    assert load_features(str(release), "image").dim == 8
    with pytest.raises(ReleaseError, match="no versions"):
        load_features(release, "image", version="1.0.0")
    with pytest.raises(ReleaseError, match="not a release"):
        load_features("no/such/folder")


def test_a_loaded_set_says_what_it_has_learned_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However it is loaded; a release that does not say loads as ever."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HOME", str(tmp_path / "home"))
    folder = make_release(tmp_path / "r")
    assert load_features(folder, "image").learned_from is None
    manifest = Manifest.read(folder)
    entry = {"rule": "the training part", "interactions": 9, "held_out": 2, "last": "2024-01-01T00:00:00Z"}
    provenance = manifest.provenance | {"learned_from": {"image": entry}}
    (folder / MANIFEST).write_bytes(manifest.model_copy(update={"provenance": provenance}).to_bytes())
    wanted = LearnedFrom("the training part", 9, 2, "2024-01-01T00:00:00Z")
    assert load_features(folder, "image").learned_from == wanted
    assert load_features(folder, "image", memory_map=True).learned_from == wanted
    assert {piece.learned_from for piece in iter_features(folder, "image", rows=2)} == {wanted}
    assert load_features(folder, "text").learned_from is None


def test_a_set_that_has_seen_what_it_is_measured_on_warns(tmp_path: Path) -> None:
    folder = make_release(tmp_path / "r", make_set("aligned"), make_set("content"), make_set("image"))
    manifest = Manifest.read(folder)
    entry = {"rule": "the training part", "interactions": 9, "held_out": 2, "last": "2024-01-01T00:00:00Z"}
    provenance = manifest.provenance | {"learned_from": {"aligned": entry}}
    (folder / MANIFEST).write_bytes(manifest.model_copy(update={"provenance": provenance}).to_bytes())
    message = (
        r"aligned of .* learned from 9 interactions \(the training part.*not before the cut-off. "
        r"Measured on interactions from 202[34]-0.* on, it may know the answers: take a set that was trained "
        "on what came before, or image, which have seen none"
    )
    for cut_off in ("2024-01-01", date(2023, 5, 1), datetime(2024, 1, 1, tzinfo=UTC)):
        with pytest.warns(AlignRecWarning, match=message) as caught:
            load_features(folder, before=cut_off)
        assert caught[0].filename == __file__
        with pytest.warns(AlignRecWarning, match=message):
            iter_features(folder, "aligned", before=cut_off)
    with pytest.warns(AlignRecWarning, match="content of .* does not say from which"):
        load_features(folder, "content", before="2030-01-01")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_features(folder, "aligned")
        load_features(folder, "aligned", before="2024-01-01T00:00:01")
        load_features(folder, "image", before="1970-01-01")
    with pytest.raises(ValueError, match="isoformat"):
        load_features(folder, before="soon")
