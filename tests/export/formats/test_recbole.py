"""Atomic files are read the way RecBole reads them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from alignrec.export.errors import ReleaseError
from alignrec.export.formats.convert import write_as
from alignrec.export.formats.recbole import FORMAT
from tests.export.formats.cases import IDS, make, split_interactions


def read_recbole(path: Path) -> pd.DataFrame:
    """As RecBole's Dataset reads an atomic file."""
    header = path.read_text(encoding="utf-8").splitlines()[0].split("\t")
    kinds = {column: np.float64 if column.endswith(":float") else str for column in header}
    return pd.read_csv(path, delimiter="\t", dtype=kinds, encoding="utf-8", engine="python")


def test_recbole(tmp_path: Path) -> None:
    features = make("aligned")
    write_as(FORMAT.name, [features], tmp_path / "shop", split_interactions())
    folder = tmp_path / "shop"
    frame = read_recbole(folder / "shop.itememb")
    assert frame["iid:token"].tolist() == [name for name in IDS if name != 'quo"te']
    vectors = np.array([[float(x) for x in row.split(" ")] for row in frame["aligned_emb:float_seq"]])
    np.testing.assert_array_equal(vectors.astype(np.float32), features.matrix[features.valid])
    parts = {part: read_recbole(folder / f"shop.{part}.inter") for part in ("train", "valid", "test")}
    assert parts["train"]["item_id:token"].tolist() == ["a/b", "0001", "a/b"]
    assert parts["test"]["item_id:token"].tolist() == ['quo"te']
    assert parts["valid"]["timestamp:float"].tolist() == [884183239]
    settings = yaml.safe_load((folder / "shop.yaml").read_text())
    assert settings["benchmark_filename"] == ["train", "valid", "test"]
    assert settings["load_col"]["itememb"] == ["iid", "aligned_emb"]


def test_recbole_refuses_ids_that_it_would_lose(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=r"'nan'.*missing values"):
        write_as(FORMAT.name, [make(ids=["a", "nan", "x"])], tmp_path / "shop")
