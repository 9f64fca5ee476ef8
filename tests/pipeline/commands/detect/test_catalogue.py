"""`alignrec init` on the folders that people have: the config it writes is read, and so is the catalogue."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from alignrec.pipeline.catalog.file_hashes import FileHashes
from alignrec.pipeline.catalog.interactions import read_interactions
from alignrec.pipeline.catalog.items import read_catalogue
from alignrec.pipeline.cli.app import app
from alignrec.pipeline.commands.detect import detect_catalogue
from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.errors import ConfigError
from tests.pipeline.catalogues import picture, write_catalogue


def init(folder: Path, *more: str) -> Config:
    ended = CliRunner().invoke(app, ["init", str(folder), *more])
    assert ended.exit_code == 0, ended.exception
    return load_config(folder / "alignrec.yaml")


def read(config: Config) -> tuple[list[str], dict[str, int], int]:
    """Ids, usable inputs of each modality, and interactions."""
    catalogue = read_catalogue(config.catalog.items, FileHashes())
    source = config.catalog.interactions
    count = read_interactions(source, catalogue.item_ids).table.num_rows if source else 0
    return catalogue.item_ids, {m: len(inputs) for m, inputs in catalogue.inputs.items()}, count


def test_a_plain_catalogue(tmp_path: Path) -> None:
    write_catalogue(tmp_path, items=30, users=9).unlink()
    config = init(tmp_path)
    assert config.catalog.items.text == "{title}. {description}"
    ids, inputs, interactions = read(config)
    assert len(ids) == 30 and inputs == {"image": 30, "text": 30} and interactions > 0
    assert config.catalog.interactions is not None and config.catalog.interactions.min_rating == 4
    text = (tmp_path / "alignrec.yaml").read_text()
    assert text.count("#") > 10
    assert isinstance(CliRunner().invoke(app, ["init", str(tmp_path)]).exception, ConfigError)
    init(tmp_path, "--force")


def test_a_shop_with_its_own_names(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.png").write_bytes(picture(1))
    (tmp_path / "stock.csv").write_text("SKU,Photo,Name,Price\n1,a.png,Mug,3\n2,,Cup,4\n")
    (tmp_path / "orders.csv").write_text("CustomerID,SKU,created_at\nx,1,2024-01-01\ny,2,2024-01-02\n")
    config = init(tmp_path)
    assert read(config) == (["1", "2"], {"image": 1, "text": 2}, 2)
    assert config.catalog.items.image_root == tmp_path / "photos"
    assert config.catalog.interactions is not None and config.catalog.interactions.timestamp is None


def test_movielens(tmp_path: Path) -> None:
    (tmp_path / "movies.dat").write_bytes("1::Amélie (2001)::Comedy\n".encode("latin-1"))
    (tmp_path / "ratings.dat").write_bytes(b"7::1::5::978300760\n")
    assert read(init(tmp_path)) == (["1"], {"text": 1}, 1)
    (tmp_path / "posters").mkdir()
    (tmp_path / "posters" / "1.jpg").write_bytes(picture(1, "JPEG"))
    assert read(init(tmp_path, "--force")) == (["1"], {"image": 1, "text": 1}, 1)


@pytest.mark.parametrize(
    ("scheme", "item", "user", "more"),
    [
        ("amazon-2014", "asin", "reviewerID", {"imUrl": "http://x.example/1.jpg"}),
        ("amazon-2018", "asin", "reviewerID", {"imageURL": ["http://x.example/1.jpg"]}),
        ("amazon-2023", "parent_asin", "user_id", {"images": []}),
    ],
)
def test_amazon(tmp_path: Path, scheme: str, item: str, user: str, more: dict[str, object]) -> None:
    meta, review = {item: "B1", "title": "Mug", **more}, {item: "B1", user: "u", "rating": 5, "overall": 5}
    (tmp_path / "meta_X.json.gz").write_bytes(gzip.compress(json.dumps(meta).encode()))
    (tmp_path / "X.json.gz").write_bytes(gzip.compress(json.dumps(review).encode()))
    config = init(tmp_path)
    assert config.catalog.items.path == f"{scheme}:{tmp_path / 'meta_X.json.gz'}"
    assert config.catalog.interactions is not None
    assert config.catalog.interactions.path == f"{scheme}:{tmp_path / 'X.json.gz'}"


def test_mmrec(tmp_path: Path) -> None:
    (tmp_path / "baby.inter").write_text("userID\titemID\tx_label\n0\t0\t0\n0\t1\t1\n")
    (tmp_path / "i_id_mapping.csv").write_text("asin\titemID\nA\t0\nB\t1\n")
    (tmp_path / "u_id_mapping.csv").write_text("user_id\tuserID\nU\t0\n")
    for side in ("image", "text"):
        np.save(tmp_path / f"{side}_feat.npy", np.ones((2, 4), np.float32))
    config = init(tmp_path)
    assert read(config) == (["A", "B"], {"image": 2, "text": 2}, 2)
    assert config.split.method == "mmrec"
    assert config.extract.image == f"given:{tmp_path / 'image_feat.npy'}"


def test_a_folder_without_items_says_what_it_saw(tmp_path: Path) -> None:
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n")
    ended = CliRunner().invoke(app, ["init", str(tmp_path)])
    assert isinstance(ended.exception, ConfigError) and "Tables seen: notes.csv" in str(ended.exception)
    assert not (tmp_path / "alignrec.yaml").exists()
    with pytest.raises(ConfigError, match=r"there is no folder .*none"):
        detect_catalogue(tmp_path / "none")
