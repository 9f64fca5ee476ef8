from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from huggingface_hub import HfApi

from alignrec.core.names import OutsideError
from alignrec.export import FeatureSet, Manifest, ReleaseError, load_features
from alignrec.export.errors import VerificationError
from alignrec.export.hub.push import push
from alignrec.export.load import open_release
from alignrec.export.release.extend import extend_release
from tests.export.hub_cases import REPO, SETS
from tests.export.release.cases import reseal
from tests.hub.server import HubServer


def new_items(names: list[str], **dims: int) -> list[FeatureSet]:
    rng = np.random.default_rng(7)
    valid = np.ones(len(names), np.bool_)
    return [
        FeatureSet(name, names, rng.normal(size=(len(names), dim)).astype(np.float32), valid)
        for name, dim in (SETS | dims).items()
    ]


def test_what_did_not_change_is_not_sent_again(
    hub: HubServer, api: HfApi, release: Path, tmp_path: Path
) -> None:
    push(release, REPO, "1.0.0", api=api)
    before = len(hub.log)
    lost = {
        "source": "items",
        "row": 0,
        "item_id": "z0",
        "modality": "text",
        "stage": "extract",
        "reason": "x",
    }
    extend_release(open_release(REPO, api=api), new_items(["z0", "z1"]), [lost], tmp_path / "more")
    pushed = push(tmp_path / "more", REPO, "1.1.0", api=api)
    sent = {path for path in pushed.sent if path.startswith(("data/", "encoder/"))}
    added = {*(f"data/{name}/part-00001.parquet" for name in SETS), "data/rejected-00001.parquet"}
    assert sent == added and not pushed.removed
    assert sum(line.method == "PUT" for line in hub.log[before:]) == len(added)
    assert len(load_features(tmp_path / "more", "image").ids) == 22


def test_a_release_is_extended_twice(release: Path, tmp_path: Path) -> None:
    extend_release(open_release(release), new_items(["z0"]), [], tmp_path / "a")
    extend_release(open_release(tmp_path / "a"), new_items(["z1"]), [], tmp_path / "b")
    first, second, third = (Manifest.read(folder) for folder in (release, tmp_path / "a", tmp_path / "b"))
    assert third.provenance["extends"] == [first.release_id, second.release_id]
    assert load_features(tmp_path / "b", "text").ids[-2:] == ["z0", "z1"]


def test_a_release_that_names_no_forebears_is_extended(release: Path, tmp_path: Path) -> None:
    found = open_release(release)
    provenance = found.manifest.provenance | {"extends": None}
    found = replace(found, manifest=found.manifest.model_copy(update={"provenance": provenance}))
    extended = extend_release(found, new_items(["z0"]), [], tmp_path / "more")
    assert extended.provenance["extends"] == [found.manifest.release_id]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_vectors_that_are_no_numbers_are_not_appended(release: Path, tmp_path: Path, value: float) -> None:
    sets = new_items(["z0", "z1"])
    sets[1].matrix[1, 2] = value
    with pytest.raises(
        ReleaseError, match=f"set '{sets[1].name}' is not fit for a release: the vector of 'z1'"
    ):
        extend_release(open_release(release), sets, [], tmp_path / "more")
    assert not (tmp_path / "more").exists()


@pytest.mark.parametrize(
    ("sets", "expected"),
    [
        (new_items(["i003"]), "has 1 of these items already, such as 'i003'"),
        (new_items([]), "no new item"),
        (new_items(["z"], image=9), "has the item sets"),
        (new_items(["z"])[:2], "has the item sets"),
    ],
)
def test_what_does_not_fit_is_refused(
    release: Path, tmp_path: Path, sets: list[FeatureSet], expected: str
) -> None:
    with pytest.raises(ReleaseError, match=expected):
        extend_release(open_release(release), sets, [], tmp_path / "more")
    assert not (tmp_path / "more").exists()


def test_a_release_that_leads_out_of_its_folder_is_not_extended(release: Path, tmp_path: Path) -> None:
    found = open_release(release)
    wrong = found.manifest.files[0].model_copy(update={"path": "../victim"})
    manifest = found.manifest.model_copy(update={"files": (*found.manifest.files, wrong)})
    with pytest.raises(OutsideError):
        extend_release(replace(found, manifest=manifest), new_items(["z0"]), [], tmp_path / "more")
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "hf") == ["release"]


def test_what_is_not_sound_is_not_sealed_anew(release: Path, tmp_path: Path) -> None:
    part = release / "data" / "text" / "part-00000.parquet"
    table = pq.read_table(part)
    ids = table["item_id"].to_pylist()
    pq.write_table(table.set_column(0, table.schema.field(0), pa.array([ids[1], *ids[1:]])), part)
    reseal(release, {})
    with pytest.raises(VerificationError, match=r"data/text/part-00000\.parquet .*an id occurs twice"):
        extend_release(open_release(release), new_items(["z0"]), [], tmp_path / "more")
    assert not (tmp_path / "more").exists()
