"""Which sets go into which format, and what is refused."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from alignrec.core.errors import AlignRecWarning
from alignrec.core.plugins import PluginError
from alignrec.export.errors import ReleaseError
from alignrec.export.formats.convert import FORMATS, convert, write_as
from alignrec.export.release.opened import open_folder
from alignrec.export.release.write import write_release
from tests.export.formats.cases import make, split_interactions
from tests.export.hub_cases import features, make_release


def test_what_a_format_cannot_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="no export format 'rebole'; did you mean 'recbole'"):
        write_as("rebole", [make()], tmp_path / "x")
    with pytest.raises(ReleaseError, match="holds the sets image, text, not aligned"):
        write_as("clip-retrieval", [make("aligned")], tmp_path / "x")
    with pytest.raises(ReleaseError, match="holds one set, got 2"):
        write_as("faiss", [make(), make("text")], tmp_path / "x")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("x")
    with pytest.raises(ReleaseError, match="not empty"):
        write_as("numpy", [make()], tmp_path / "full")


def test_the_formats_have_names_and_say_what_they_write() -> None:
    assert set(FORMATS) == {
        *("clip-retrieval", "cornac", "faiss", "lenskit", "mmrec", "numpy", "recbole", "torch")
    }
    assert all(form.description and "\n" not in form.description for form in FORMATS.values())
    assert {name for name, form in FORMATS.items() if form.interactions} == {
        *("cornac", "lenskit", "mmrec", "recbole")
    }
    assert {name: form.sets for name, form in FORMATS.items() if form.sets} == {
        "clip-retrieval": ("image", "text"),
        "mmrec": ("image", "text", "multimodal"),
    }


@pytest.mark.parametrize("name", ["clip-retrieval", "faiss", "numpy", "torch"])
def test_the_split_goes_along_in_every_format(tmp_path: Path, name: str) -> None:
    if name == "faiss":
        pytest.importorskip("faiss")
    write_as(name, [make()], tmp_path / "alone")
    write_as(name, [make()], tmp_path / "split", split_interactions())
    assert contents(tmp_path / "split") - contents(tmp_path / "alone") == {"interactions.parquet"}
    found = pq.read_table(tmp_path / "split" / "interactions.parquet")
    assert found.column("split").to_pylist() == ["train", "train", "valid", "test", "train"]
    whole = split_interactions().frame().drop(columns="label")
    assert found.drop_columns("split").to_pandas().equals(whole)


def test_interactions_beside_a_set_that_has_learned_from_all_of_them_warn(tmp_path: Path) -> None:
    part = {"rule": "part", "interactions": 4, "held_out": 1, "last": None}
    learned = {"aligned": part | {"held_out": 0}, "content": part}
    sets = [features(name, 4) for name in ("image", "content", "aligned")]
    write_release(tmp_path / "r", sets, [], {"learned_from": learned}, extractors={})
    release = open_folder(tmp_path / "r")
    with pytest.warns(
        AlignRecWarning, match="^aligned of .* learned from all interactions, and those go along"
    ):
        convert(release, "numpy", tmp_path / "x", interactions=split_interactions())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        convert(release, "numpy", tmp_path / "y")
        convert(release, "numpy", tmp_path / "z", ["content"], split_interactions())


def contents(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("name", "asked", "written"),
    [
        ("numpy", [], ["image", "multimodal", "text"]),
        ("clip-retrieval", [], ["image", "text"]),
        ("torch", [], ["multimodal"]),
        ("numpy", ["text"], ["text"]),
    ],
)
def test_without_a_choice_a_format_gets_what_it_can_hold(
    tmp_path: Path, name: str, asked: list[str], written: list[str]
) -> None:
    make_release(tmp_path / "r")
    assert convert(open_folder(tmp_path / "r"), name, tmp_path / "out", asked) == written
    if name == "numpy":
        found = {path.name for path in (tmp_path / "out").glob("*_valid.npy")}
        assert found == {f"{one}_valid.npy" for one in written}


def test_a_release_without_a_set_that_the_format_holds(tmp_path: Path) -> None:
    make_release(tmp_path / "r", sets={"aligned": 4})
    words = "none of the sets image, text that clip-retrieval holds; it has aligned"
    with pytest.raises(ReleaseError, match=words):
        convert(open_folder(tmp_path / "r"), "clip-retrieval", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_empty_folder_may_be_there(tmp_path: Path) -> None:
    (tmp_path / "n").mkdir()
    write_as("numpy", [make()], tmp_path / "n")
    np.testing.assert_array_equal(np.load(tmp_path / "n" / "image.npy"), make().matrix)
    assert [path.name for path in tmp_path.iterdir()] == ["n"]
