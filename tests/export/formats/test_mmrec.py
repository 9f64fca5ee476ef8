"""A dataset folder is read the way MMRec reads it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from alignrec.core.features import FeatureSet
from alignrec.export.errors import ReleaseError
from alignrec.export.formats.convert import write_as
from alignrec.export.formats.interactions import SplitInteractions
from alignrec.export.formats.mmrec import FORMAT
from tests.export.formats.cases import IDS, make, split_interactions


def test_mmrec(tmp_path: Path) -> None:
    sets = [make(), make("text", 2, 0), make("multimodal", 4)]
    write_as(FORMAT.name, sets, tmp_path / "shop", split_interactions())
    folder = tmp_path / "shop"
    assert (folder / "shop.inter").read_text().splitlines()[0] == "userID\titemID\trating\ttimestamp\tx_label"
    # As MMRec's RecDataset reads it.
    inter = pd.read_csv(folder / "shop.inter", usecols=["userID", "itemID", "x_label"], sep="\t")
    assert inter.dtypes.unique().tolist() == [np.int64]
    assert inter["userID"].tolist() == [0, 0, 0, 1, 2]
    assert inter["itemID"].tolist() == [0, 1, 2, 1, 0]
    assert inter["x_label"].tolist() == [0, 1, 2, 0, 0]
    items = pd.read_csv(folder / "i_id_mapping.csv", sep="\t", dtype={"asin": str})
    assert items.columns.tolist() == ["asin", "itemID"]
    assert items["asin"].tolist() == ["a/b", "0001", 'quo"te']
    users = pd.read_csv(folder / "u_id_mapping.csv", sep="\t", dtype={"user_id": str})
    assert users.columns.tolist() == ["user_id", "userID"] and users["user_id"].tolist() == [
        "u1",
        "u0",
        "0002",
    ]
    for features, name in zip(sets, ("image_feat", "text_feat", "mm_feat"), strict=True):
        feat = torch.from_numpy(np.load(folder / f"{name}.npy", allow_pickle=True)).type(torch.FloatTensor)
        assert feat.shape == (inter["itemID"].max() + 1, features.dim)
        vectors, present = features.align_to(items["asin"].tolist())
        np.testing.assert_array_equal(feat.numpy()[present], vectors[present])
        mean = features.matrix[features.valid].mean(axis=0)
        np.testing.assert_allclose(feat.numpy()[~present], np.tile(mean, (sum(~present), 1)), rtol=1e-5)


def test_a_config_for_the_image_and_one_for_multimodal(tmp_path: Path) -> None:
    sets = [make(), make("text", 2, 0), make("multimodal", 4)]
    write_as(FORMAT.name, sets, tmp_path / "shop", split_interactions())
    plain, variant = (
        yaml.safe_load((tmp_path / "shop" / f"{name}.yaml").read_text())
        for name in ("shop", "shop-multimodal")
    )
    # The keys that MMRec's loading looks up, and what each leads to.
    frame = pd.read_csv(tmp_path / "shop" / plain["inter_file_name"], sep=plain["field_separator"])
    keys = ("USER_ID_FIELD", "ITEM_ID_FIELD", "TIME_FIELD", "inter_splitting_label")
    assert {plain[key] for key in keys} <= set(frame.columns)
    for config, dim in ((plain, 3), (variant, 4)):
        assert np.load(tmp_path / "shop" / config["vision_feature_file"]).shape[1] == dim
        assert np.load(tmp_path / "shop" / config["text_feature_file"]).shape[1] == 2
    assert {key for key in plain if plain[key] != variant[key]} == {"vision_feature_file"}
    assert "src/configs/dataset/shop.yaml" in (tmp_path / "shop" / "shop-multimodal.yaml").read_text()


def test_mmrec_without_interactions_keeps_every_item(tmp_path: Path) -> None:
    write_as(FORMAT.name, [make()], tmp_path / "shop")
    assert np.load(tmp_path / "shop" / "image_feat.npy").shape == (len(IDS), 3)
    files = {"image_feat.npy", "i_id_mapping.csv", "shop.yaml"}
    assert {p.name for p in (tmp_path / "shop").iterdir()} == files


def test_mmrec_refuses_interactions_of_another_catalogue(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="2 items of the interactions have no features, such as '0001'"):
        write_as(FORMAT.name, [make(ids=["a/b", "x"])], tmp_path / "shop", split_interactions())
    assert not (tmp_path / "shop").exists()


def test_mmrec_equals_the_common_ground_on_ml100k(tmp_path: Path) -> None:
    bench = Path(__file__).resolve().parents[4] / "shared" / "bench" / "ml100k"
    if not bench.is_dir():
        pytest.skip("the ml100k split is not beside the project")
    given = pd.read_csv(bench / "ml100k.inter", sep="\t")
    users = pd.read_csv(bench / "u_id_mapping.csv", sep="\t", dtype=str)["user_id"].to_numpy()
    items = pd.read_csv(bench / "i_id_mapping.csv", sep="\t", dtype=str)["asin"].to_numpy()
    interactions = SplitInteractions(
        users[given["userID"]].tolist(),
        items[given["itemID"]].tolist(),
        given["x_label"].to_numpy(np.uint8),
        given["rating"].to_numpy(float),
        given["timestamp"].to_numpy(),
    )
    matrix = np.load(bench / "text_feat.npy")
    text = FeatureSet("text", items.tolist(), matrix, np.ones(len(matrix), np.bool_))
    write_as(FORMAT.name, [text], tmp_path / "ml100k", interactions)
    ours = pd.read_csv(tmp_path / "ml100k" / "ml100k.inter", sep="\t")
    assert ours.dtypes.equals(given.dtypes)
    our_items = pd.read_csv(tmp_path / "ml100k" / "i_id_mapping.csv", sep="\t", dtype=str)["asin"].to_numpy()
    our_users = pd.read_csv(tmp_path / "ml100k" / "u_id_mapping.csv", sep="\t", dtype=str)[
        "user_id"
    ].to_numpy()

    def named(frame: pd.DataFrame, u: np.ndarray, i: np.ndarray) -> list[tuple[object, ...]]:
        return sorted(
            zip(u[frame["userID"]], i[frame["itemID"]], *frame.iloc[:, 2:].T.to_numpy(), strict=True)
        )

    assert named(ours, our_users, our_items) == named(given, users, items)
    theirs = pd.Series(range(len(items)), items)
    np.testing.assert_array_equal(
        np.load(tmp_path / "ml100k" / "text_feat.npy"), matrix[theirs[our_items].to_numpy()]
    )
