"""The card's metadata: what its owner wrote and what a release says of itself, merged by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from alignrec.export.errors import RefusedError, ReleaseError
from alignrec.export.hub.card_metadata import (
    default_set,
    licence_of,
    merge_metadata,
    refuse_other_licence,
    split_card,
)
from alignrec.export.release.manifest import Manifest
from tests.export.hub_cases import SETS, make_release

REPO = "team/features"
OURS = ["recommender-systems", "multimodal", "embeddings", "alignrec"]


@pytest.fixture
def later(tmp_path: Path) -> Manifest:
    """A release under another licence, whose preferred set is another, and that has no `text`."""
    return make_release(tmp_path / "later", licence="mit", sets={"image": 8, "aligned": 4, "multimodal": 4})


def merged(theirs: dict[str, Any], manifest: Manifest, before: Manifest | None = None) -> dict[str, Any]:
    found = merge_metadata(theirs, REPO, manifest, before)
    assert merge_metadata(found, REPO, manifest, manifest) == found  # the same again changes nothing
    return found


def defaults(metadata: dict[str, Any]) -> list[str]:
    return [entry["config_name"] for entry in metadata["configs"] if entry.get("default")]


def test_without_an_owners_word_it_is_the_releases(manifest: Manifest) -> None:
    found = merged({}, manifest)
    assert (found["license"], found["pretty_name"], found["tags"]) == ("cc-by-4.0", "features", OURS)
    assert found["configs"] == [
        {"config_name": name, "data_files": f"data/{name}/*.parquet"}
        | ({"default": True} if name == "multimodal" else {})
        for name in sorted(SETS)
    ]


def test_other_keys_tags_and_configurations_stay(manifest: Manifest) -> None:
    raw = {"config_name": "raw", "data_files": [{"split": "train", "path": "raw/*.csv"}], "sep": ";"}
    theirs = {"language": ["en"], "tags": ["fashion", "multimodal"], "pretty_name": "Shop", "configs": [raw]}
    found = merged(theirs | {"license_link": "LICENCE"}, manifest)
    assert found["tags"] == ["fashion", "multimodal", *(tag for tag in OURS if tag != "multimodal")]
    assert (found["language"], found["pretty_name"], found["license_link"]) == (["en"], "Shop", "LICENCE")
    assert [entry["config_name"] for entry in found["configs"]] == [*sorted(SETS), "raw"]
    assert found["configs"][-1] == raw and defaults(found) == ["multimodal"]
    assert merged({"tags": "fashion"}, manifest)["tags"] == ["fashion", *OURS]


def test_configurations_of_sets_follow_the_release(manifest: Manifest, later: Manifest) -> None:
    first = merged({}, manifest)
    first["configs"][0]["description"] = "pictures"
    first["configs"][0]["data_files"] = "data/image/part-*.parquet"
    found = merged(first, later, manifest)
    assert {entry["config_name"] for entry in found["configs"]} == {"image", "aligned", "multimodal"}
    image = next(entry for entry in found["configs"] if entry["config_name"] == "image")
    assert image == {"config_name": "image", "data_files": "data/image/*.parquet", "description": "pictures"}
    assert defaults(found) == ["aligned"]


@pytest.mark.parametrize("theirs", ["image", "raw"])
def test_the_owners_default_stays_and_is_the_only_one(
    manifest: Manifest, later: Manifest, theirs: str
) -> None:
    known = merged({"configs": [{"config_name": "raw", "data_files": "raw.csv"}]}, manifest)
    for entry in known["configs"]:
        entry.pop("default", None)
        if entry["config_name"] == theirs:
            entry["default"] = True
    assert defaults(merged(known, later, manifest)) == [theirs]


@pytest.mark.parametrize("files", ["data/image/*.parquet", ["data/image/*.parquet"]])
def test_a_configuration_that_reads_the_sets_own_files_is_in_nobodys_way(
    manifest: Manifest, files: object
) -> None:
    found = merged({"configs": [{"config_name": "image", "data_files": files}]}, manifest)
    assert [entry["config_name"] for entry in found["configs"]] == sorted(SETS)


def test_a_configuration_of_a_sets_name_is_not_replaced(manifest: Manifest) -> None:
    theirs = {"configs": [{"config_name": "image", "data_files": "jpg/*.parquet"}]}
    with pytest.raises(RefusedError, match="configuration 'image' that no release put there"):
        merge_metadata(theirs, REPO, manifest, None)


@pytest.mark.parametrize("configs", ["image", {"image": "x"}, ["image"], 3])
def test_configurations_of_another_form_are_not_overwritten(manifest: Manifest, configs: object) -> None:
    with pytest.raises(ReleaseError, match="`configs` is not a list of configurations"):
        merge_metadata({"configs": configs}, REPO, manifest, None)


@pytest.mark.parametrize("stated", ["", "cc-by-4.0", "CC-BY-4.0", "[mit, cc-by-4.0]"])
def test_a_licence_that_agrees_is_kept_as_it_is_written(manifest: Manifest, stated: str) -> None:
    card = f"---\nlicense: {stated}\n---\n".encode()
    refuse_other_licence(card, manifest, None)
    theirs = split_card(card)[0]
    assert merged(theirs, manifest)["license"] == (theirs["license"] or "cc-by-4.0")


@pytest.mark.parametrize("stated", ["mit", "[mit, apache-2.0]", "other"])
def test_another_licence_is_refused(manifest: Manifest, stated: str) -> None:
    card = f"---\nlicense: {stated}\n---\n".encode()
    with pytest.raises(RefusedError, match=rf"{stated.strip('[]')}.*cc-by-4\.0.*export\.license") as caught:
        refuse_other_licence(card, manifest, None)
    assert caught.value.exit_code == 3


def test_the_licence_of_the_release_before_may_change(manifest: Manifest, later: Manifest) -> None:
    first = merged({}, manifest)
    refuse_other_licence(b"---\nlicense: cc-by-4.0\n---\n", later, manifest)
    assert merged(first, later, manifest)["license"] == "mit"
    with pytest.raises(RefusedError):
        refuse_other_licence(b"---\nlicense: openrail\n---\n", later, manifest)


def test_a_release_without_a_licence_has_no_card(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=r"export\.license"):
        licence_of(make_release(tmp_path / "r", licence=None))


def test_the_default_is_the_preferred_set(manifest: Manifest, tmp_path: Path) -> None:
    assert default_set(manifest) == "multimodal"
    assert default_set(make_release(tmp_path / "r", sets={"text": 3, "image": 2})) in ("image", "text")
