"""Files are read the way Cornac reads them; by Cornac itself where it is installed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from alignrec.export.errors import ReleaseError
from alignrec.export.formats.convert import write_as
from alignrec.export.formats.cornac import FORMAT
from tests.export.formats.cases import IDS, make, split_interactions


def read_uirt(path: Path) -> list[tuple[str, str, float, int]]:
    """As Cornac's reader takes a line of UIRT apart."""
    lines = [line.strip().split("\t") for line in path.open(encoding="utf-8")]
    return [(user, item, float(rating), int(time)) for user, item, rating, time in lines]


def test_cornac(tmp_path: Path) -> None:
    sets = [make("image"), make("text", 2, 0)]
    write_as(FORMAT.name, sets, tmp_path / "shop", split_interactions())
    folder = tmp_path / "shop"
    ids = json.loads((folder / "item_ids.json").read_text())
    assert ids == IDS
    for features in sets:
        np.testing.assert_array_equal(np.load(folder / f"{features.name}.npy"), features.align_to(ids)[0])
    assert read_uirt(folder / "train.tsv") == [
        ("u1", "a/b", 4.0, 884183237),
        ("u0", "0001", 5.0, 884183238),
        ("0002", "a/b", 4.0, 884183241),
    ]
    assert read_uirt(folder / "valid.tsv") == [("u1", "0001", 4.0, 884183239)]
    assert read_uirt(folder / "test.tsv") == [("u1", 'quo"te', 5.0, 884183240)]


def test_cornac_itself_trains_on_it(tmp_path: Path) -> None:
    cornac = pytest.importorskip("cornac")
    image = make("image")
    write_as(FORMAT.name, [image], tmp_path / "shop", split_interactions())
    folder = tmp_path / "shop"
    reader = cornac.data.Reader()
    parts = {part: reader.read(str(folder / f"{part}.tsv"), fmt="UIRT") for part in ("train", "test")}
    assert parts["train"] == read_uirt(folder / "train.tsv")
    modality = cornac.data.ImageModality(
        features=np.load(folder / "image.npy"), ids=json.loads((folder / "item_ids.json").read_text())
    )
    method = cornac.eval_methods.BaseMethod.from_splits(
        parts["train"], parts["test"], fmt="UIRT", item_image=modality
    )
    for name, row in method.train_set.iid_map.items():
        np.testing.assert_array_equal(method.item_image.features[row], image.align_to([name])[0][0])


def test_ids_that_the_reader_would_cut_are_refused(tmp_path: Path) -> None:
    log = replace(split_interactions(), items=["a/b", "0001", "0001", "tab\tid", "a/b"])
    with pytest.raises(ReleaseError, match=r"would cut the id 'tab\\tid'"):
        write_as(FORMAT.name, [make()], tmp_path / "shop", log)
    with pytest.raises(ReleaseError, match="2 items of the interactions have no features, such as '0001'"):
        write_as(FORMAT.name, [make(ids=["a/b", "x"])], tmp_path / "shop", split_interactions())
