"""Each format is read back the way its tool reads it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from alignrec.export import FeatureSet, ReleaseError
from alignrec.export.formats.registry import SplitInteractions, load_embedding, to_embedding, write_as

IDS = ["b", "0001", 'quo"te', "a/b", "идентификатор", "tab\tid"]


def make(name: str = "image", dim: int = 3, lost: int = 2, ids: list[str] = IDS) -> FeatureSet:
    valid = np.arange(len(ids)) != lost
    matrix = np.random.default_rng(dim).normal(size=(len(ids), dim)).astype(np.float32)
    matrix[~valid] = 0
    return FeatureSet(name, ids, matrix, valid)


@pytest.fixture
def interactions() -> SplitInteractions:
    users = ["u1", "u0", "u1", "u1", "0002"]
    items = ["a/b", "0001", "0001", 'quo"te', "a/b"]
    label = np.array([0, 0, 1, 2, 0], dtype=np.uint8)
    times = np.arange(5) + 884183237
    return SplitInteractions(users, items, label, np.array([4, 5, 4, 5, 4.0]), times)


def test_numpy(tmp_path: Path) -> None:
    sets = [make(), make("text", 2, 0)]
    write_as("numpy", sets, tmp_path / "n")
    for features in sets:
        np.testing.assert_array_equal(np.load(tmp_path / "n" / f"{features.name}.npy"), features.matrix)
        np.testing.assert_array_equal(np.load(tmp_path / "n" / f"{features.name}_valid.npy"), features.valid)
        assert json.loads((tmp_path / "n" / f"{features.name}_ids.json").read_text()) == IDS


def test_mmrec(tmp_path: Path, interactions: SplitInteractions) -> None:
    sets = [make(), make("text", 2, 0), make("multimodal", 4)]
    write_as("mmrec", sets, tmp_path / "shop", interactions)
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


def test_mmrec_without_interactions_keeps_every_item(tmp_path: Path) -> None:
    write_as("mmrec", [make()], tmp_path / "shop")
    assert np.load(tmp_path / "shop" / "image_feat.npy").shape == (len(IDS), 3)
    assert {p.name for p in (tmp_path / "shop").iterdir()} == {"image_feat.npy", "i_id_mapping.csv"}


def test_mmrec_refuses_interactions_of_another_catalogue(
    tmp_path: Path, interactions: SplitInteractions
) -> None:
    with pytest.raises(ReleaseError, match="2 items of the interactions have no features, such as '0001'"):
        write_as("mmrec", [make(ids=["a/b", "x"])], tmp_path / "shop", interactions)
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
    write_as("mmrec", [text], tmp_path / "ml100k", interactions)
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


def read_recbole(path: Path) -> pd.DataFrame:
    """As RecBole's Dataset reads an atomic file."""
    header = path.read_text(encoding="utf-8").splitlines()[0].split("\t")
    kinds = {column: np.float64 if column.endswith(":float") else str for column in header}
    return pd.read_csv(path, delimiter="\t", dtype=kinds, encoding="utf-8", engine="python")


def test_recbole(tmp_path: Path, interactions: SplitInteractions) -> None:
    features = make("aligned")
    write_as("recbole", [features], tmp_path / "shop", interactions)
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
        write_as("recbole", [make(ids=["a", "nan", "x"])], tmp_path / "shop")


def test_clip_retrieval(tmp_path: Path) -> None:
    image, text = make("image"), make("text", 2, 0)
    write_as("clip-retrieval", [image, text], tmp_path / "c")
    ids = pd.read_parquet(tmp_path / "c" / "metadata")["item_id"].tolist()
    assert ids == [name for name in IDS if name not in ("b", 'quo"te')]
    for name, features in (("img_emb", image), ("text_emb", text)):
        found = np.load(tmp_path / "c" / name / f"{name}_0.npy")
        expected, _ = features.align_to(ids)
        expected /= np.linalg.norm(expected, axis=1, keepdims=True)
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_a_faiss_search_returns_what_nearest_returns(tmp_path: Path) -> None:
    faiss = pytest.importorskip("faiss")
    names = [f"i{row}" for row in range(300)]
    features = make("image", 16, 7, names)
    write_as("faiss", [features], tmp_path / "f")
    index = faiss.read_index(str(tmp_path / "f" / "index.faiss"))
    ids = json.loads((tmp_path / "f" / "ids.json").read_text())
    assert index.ntotal == len(ids) == 299
    for name in names[:5]:
        query, _ = features.align_to([name])
        cosines, rows = index.search(query / np.linalg.norm(query), 11)
        nearest = features.nearest(name, 10)
        assert [ids[row] for row in rows[0]] == [name, *(other for other, _ in nearest)]
        np.testing.assert_allclose(cosines[0, 1:], [cosine for _, cosine in nearest], atol=1e-6)


def test_torch(tmp_path: Path) -> None:
    features = make("aligned")
    write_as("torch", [features], tmp_path / "t")
    embedding, ids = load_embedding(tmp_path / "t")
    assert ids == IDS and not embedding.weight.requires_grad
    rows = torch.tensor([ids.index("a/b"), ids.index('quo"te')])
    np.testing.assert_array_equal(embedding(rows).numpy(), features.align_to(["a/b", 'quo"te'])[0])
    assert to_embedding(features, freeze=False).weight.requires_grad


def test_what_a_format_cannot_hold_is_refused(tmp_path: Path, interactions: SplitInteractions) -> None:
    with pytest.raises(ReleaseError, match="Did you mean 'recbole'"):
        write_as("rebole", [make()], tmp_path / "x")
    with pytest.raises(ReleaseError, match="holds the sets image, text, not aligned"):
        write_as("clip-retrieval", [make("aligned")], tmp_path / "x")
    with pytest.raises(ReleaseError, match="holds one set, got 2"):
        write_as("faiss", [make(), make("text")], tmp_path / "x")
    with pytest.raises(ReleaseError, match="holds no interactions"):
        write_as("numpy", [make()], tmp_path / "x", interactions)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("x")
    with pytest.raises(ReleaseError, match="not empty"):
        write_as("numpy", [make()], tmp_path / "full")
