# ruff: noqa: E501  (samples keep the lines they have in the wild)
"""Each source on a tiny sample in its true format, whole and damaged."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from alignrec.pipeline.catalog.image_refs import Digests, downloaded_name
from alignrec.pipeline.catalog.items import read_catalogue
from alignrec.pipeline.catalog.sources.source import open_interactions, open_items
from alignrec.pipeline.catalog.tables import Table
from alignrec.pipeline.catalog.values import Row
from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.config.settings import ItemsConfig
from alignrec.pipeline.errors import CatalogError
from tests.pipeline.catalogues import picture

META_2014 = [
    "{'asin': '0000031852', 'title': \"Girls' Ballet Tutu\", 'price': 3.17, 'imUrl': 'http://ecx.example/51.jpg', "
    "'related': {'also_bought': ['B00JHONN1S']}, 'salesRank': {'Toys & Games': 211836}, 'brand': 'Coxlures', "
    "'categories': [['Sports & Outdoors', 'Other Sports', 'Dance'], ['Sports & Outdoors', 'Clothing']]}",
    "{'asin': 'B0002', 'description': 'Plain &amp; simple', 'categories': [[]]}",
]
REVIEWS_2014 = [
    '{"reviewerID": "A2SUAM1J3GNN3B", "asin": "0000031852", "reviewerName": "J. McDonald", "helpful": [2, 3], '
    '"reviewText": "I bought this", "overall": 5.0, "summary": "Heavenly", "unixReviewTime": 1252800000, '
    '"reviewTime": "09 13, 2009"}'
]
META_2018 = [
    '{"category": ["Clothing", "Girls"], "description": ["This tutu is great", "Really"], "fit": "", '
    '"title": "Tutu &quot;Pink&quot;", "also_buy": [], "brand": "Boutique", "feature": ["Botiquecutie"], '
    '"rank": "1,2", "asin": "0000031909", "imageURL": ["https://images.example/s.jpg"], '
    '"imageURLHighRes": ["https://images.example/l.jpg", "https://images.example/m.jpg"]}',
    '{"category": [], "description": [], "title": "No picture", "asin": "B0003", "imageURL": [], '
    '"imageURLHighRes": []}',
]
REVIEWS_2018 = [
    '{"image": ["https://images.example/r.jpg"], "overall": 4.0, "vote": "2", "verified": true, '
    '"reviewTime": "01 1, 2018", "reviewerID": "AUI6WTTT0QZYS", "asin": "0000031909", '
    '"reviewText": "Nice", "summary": "Nice", "unixReviewTime": 1514764800}'
]
META_2023 = [
    '{"main_category": "All Beauty", "title": "Lotion", "average_rating": 4.8, "rating_number": 10, '
    '"features": ["Soft"], "description": ["A lotion."], "price": null, "images": [{"thumb": "https://m.example/t.jpg", '
    '"large": "https://m.example/v.jpg", "variant": "PT01", "hi_res": "https://m.example/p.jpg"}, '
    '{"thumb": "https://m.example/t.jpg", "large": "https://m.example/main.jpg", "variant": "MAIN", "hi_res": null}], '
    '"videos": [], "store": "Shop", "categories": ["Beauty"], "details": {}, "parent_asin": "B01CUPMQZE", '
    '"bought_together": null}'
]
REVIEWS_2023 = [
    '{"rating": 5.0, "title": "Such a lovely scent", "text": "x", "images": [], "asin": "B00YQ6X8EO", '
    '"parent_asin": "B01CUPMQZE", "user_id": "AGKHLEW2SOWHNMFQIJGBECAF7INQ", "timestamp": 1588687728923, '
    '"helpful_vote": 0, "verified_purchase": true}'
]


def _gzipped(path: Path, lines: list[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress("".join(line + "\n" for line in lines).encode()))
    return path


def _all(table: Table) -> list[Row]:
    return list(table.rows(table.columns))


def _items(scheme: str, path: Path) -> list[Row]:
    return _all(open_items(f"{scheme}:{path}", path if path.is_dir() else path.parent))


def _interactions(scheme: str, path: Path) -> list[Row]:
    return _all(open_interactions(f"{scheme}:{path}"))


def test_amazon_2014(tmp_path: Path) -> None:
    first, second = _items("amazon-2014", _gzipped(tmp_path / "meta_Toys.json.gz", META_2014))
    assert first["item_id"] == "0000031852" and first["title"] == "Girls' Ballet Tutu"
    assert first["categories"] == ["Sports & Outdoors", "Other Sports", "Dance", "Clothing"]
    assert first["image"] == "http://ecx.example/51.jpg" and second["image"] is None
    assert second["description"] == "Plain & simple"
    (review,) = _interactions("amazon-2014", _gzipped(tmp_path / "reviews_Toys_5.json.gz", REVIEWS_2014))
    assert list(review.values()) == ["A2SUAM1J3GNN3B", "0000031852", 5.0, 1252800000]


def test_amazon_2018(tmp_path: Path) -> None:
    (tmp_path / "B0003.png").write_bytes(picture(1))
    first, second = _items("amazon-2018", _gzipped(tmp_path / "meta_Fashion.json.gz", META_2018))
    assert first["title"] == 'Tutu "Pink"' and first["image"] == "https://images.example/l.jpg"
    assert first["features"] == ["Botiquecutie"] and first["categories"] == ["Clothing", "Girls"]
    assert second["image"] == "B0003.png"  # the user's own download, named by the item
    (review,) = _interactions("amazon-2018", _gzipped(tmp_path / "Fashion.json.gz", REVIEWS_2018))
    assert list(review.values()) == ["AUI6WTTT0QZYS", "0000031909", 4.0, 1514764800]


def test_amazon_2023(tmp_path: Path) -> None:
    (item,) = _items("amazon-2023", _gzipped(tmp_path / "meta_All_Beauty.jsonl.gz", META_2023))
    assert item["item_id"] == "B01CUPMQZE" and item["brand"] == "Shop"
    assert item["image"] == "https://m.example/main.jpg"
    (review,) = _interactions("amazon-2023", _gzipped(tmp_path / "All_Beauty.jsonl.gz", REVIEWS_2023))
    assert list(review.values()) == ["AGKHLEW2SOWHNMFQIJGBECAF7INQ", "B01CUPMQZE", 5.0, 1588687728]


def test_amazon_2023_with_the_hubs_images(tmp_path: Path) -> None:
    row = json.loads(META_2023[0])
    row["images"] = {key: [image[key] for image in row["images"]] for key in row["images"][0]}
    (item,) = _items("amazon-2023", _gzipped(tmp_path / "m.jsonl.gz", [json.dumps(row)]))
    assert item["image"] == "https://m.example/main.jpg"


def test_a_downloaded_picture_is_found_by_its_url(tmp_path: Path) -> None:
    path = _gzipped(tmp_path / "meta.json.gz", META_2018)
    config = ItemsConfig(path=f"amazon-2018:{path}", text="{title}. {categories}. {description}")
    (tmp_path / downloaded_name("https://images.example/l.jpg")).write_bytes(picture(1))
    catalogue = read_catalogue(config, Digests())
    assert [one.item_id for one in catalogue.inputs["image"]] == ["0000031909"]
    texts = [one.value for one in catalogue.inputs["text"]]
    assert texts == ['Tutu "Pink". Clothing, Girls. This tutu is great, Really', "No picture"]
    (tmp_path / downloaded_name("https://images.example/l.jpg")).unlink()
    with pytest.raises(CatalogError, match="not one of 2 items has image"):
        read_catalogue(config, Digests())


def _movielens(folder: Path, edition: str) -> tuple[Path, Path]:
    flags = "|".join("1" if n in (3, 4, 5) else "0" for n in range(19))
    movies, ratings = {
        "100k": (
            ("u.item", f"1|Toy Story (1995)|01-Jan-1995||http://us.imdb.com/x|{flags}\n".encode("latin-1")),
            ("u.data", b"196\t1\t3\t881250949\n"),
        ),
        "1m": (
            ("movies.dat", "1::Toy Story (1995)::Animation|Children's|Comedy\n".encode("latin-1")),
            ("ratings.dat", b"196::1::3::881250949\n"),
        ),
        "latest": (
            ("movies.csv", b"movieId,title,genres\r\n1,Toy Story (1995),Animation|Children's|Comedy\r\n"),
            ("ratings.csv", b"userId,movieId,rating,timestamp\r\n196,1,3,881250949\r\n"),
        ),
    }[edition]
    folder.mkdir(exist_ok=True)
    for name, content in (movies, ratings):
        (folder / name).write_bytes(content)
    return folder / movies[0], folder / ratings[0]


@pytest.mark.parametrize("edition", ["100k", "1m", "latest"])
def test_movielens_with_a_posters_folder(tmp_path: Path, edition: str) -> None:
    movies, ratings = _movielens(tmp_path / "ml", edition)
    posters = tmp_path / "posters"
    posters.mkdir()
    (item,) = _all(open_items(f"movielens:{movies}", posters))
    assert item == {
        "item_id": "1",
        "title": "Toy Story",
        "year": "1995",
        "genres": ["Animation", "Children's", "Comedy"],
        "image": None,
    }
    (posters / "1.jpg").write_bytes(picture(1, "JPEG"))
    assert next(iter(_all(open_items(f"movielens:{movies}", posters))))["image"] == "1.jpg"
    assert _interactions("movielens", ratings) == [
        {"user_id": "196", "item_id": "1", "rating": "3", "timestamp": "881250949"}
    ]


def test_recbole_atomic_files(tmp_path: Path) -> None:
    (tmp_path / "ml.item").write_text(
        "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n1\tToy  Story\t1995\tA B\n"
    )
    (tmp_path / "ml.inter").write_text(
        "user_id:token\titem_id:token\trating:float\ttimestamp:float\n0196\t1\t3.0\t881250949.0\n"
    )
    items = open_items(str(tmp_path / "ml.item"), tmp_path)
    assert items.columns == ("item_id", "movie_title", "release_year", "class")
    assert _all(items) == [
        {"item_id": "1", "movie_title": "Toy Story", "release_year": "1995", "class": "A B"}
    ]
    assert _all(open_interactions(str(tmp_path / "ml.inter")))[0]["user_id"] == "0196"


def _mmrec(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    lines = [
        "userID\titemID\trating\ttimestamp\tx_label",
        "0\t2\t4\t10\t0",
        "1\t0\t5\t11\t1",
        "0\t0\t5\t12\t2",
    ]
    (folder / "baby.inter").write_text("\n".join(lines) + "\n")
    (folder / "i_id_mapping.csv").write_text("asin\titemID\nB00X\t0\nB00Y\t1\nB00Z\t2\n")
    (folder / "u_id_mapping.csv").write_text("user_id\tuserID\nAAA\t0\nBBB\t1\n")
    rng = np.random.default_rng(0)
    np.save(folder / "image_feat.npy", rng.normal(size=(3, 16)).astype(np.float32))
    np.save(folder / "text_feat.npy", rng.normal(size=(3, 8)))
    return folder


def test_mmrec_dataset(tmp_path: Path) -> None:
    folder = _mmrec(tmp_path / "baby")
    assert [(row["item_id"], row["image"], row["text"]) for row in _items("mmrec", folder)] == [
        ("B00X", {"row": 0}, "0"),
        ("B00Z", {"row": 2}, "2"),
    ]
    assert _interactions("mmrec", folder)[1] == {
        "user_id": "BBB",
        "item_id": "B00X",
        "rating": "5",
        "timestamp": "11",
        "x_label": "1",
    }
    (folder / "i_id_mapping.csv").unlink()
    assert [row["item_id"] for row in _items("mmrec", folder)] == ["0", "2"]


def test_an_mmrec_dataset_enters_at_pretraining(tmp_path: Path) -> None:
    from alignrec.pipeline.runner.console import Console
    from alignrec.pipeline.runner.run_folder import RunFolder
    from alignrec.pipeline.stages.chain import run

    folder = _mmrec(tmp_path / "baby")
    settings = {
        "out": "run",
        "catalog": {
            "items": {"path": "mmrec:baby", "text": "{text}"},
            "interactions": {"path": "mmrec:baby", "rating": "rating", "timestamp": "timestamp"},
        },
        "extract": {"image": "given:baby/image_feat.npy", "text": "given:baby/text_feat.npy"},
        "pretrain": {"epochs": 1},
        "export": {"sets": ["image", "text", "multimodal"]},
    }
    (tmp_path / "alignrec.yaml").write_text(yaml.safe_dump(settings))
    config = load_config(tmp_path / "alignrec.yaml")
    assert config.catalog.items.path == f"mmrec:{tmp_path / 'baby'}"
    run(config, until="pretrain", console=Console(quiet=True))
    image = RunFolder(tmp_path / "run").features("image")
    assert image.ids == ["B00X", "B00Z"]
    np.testing.assert_array_equal(image.matrix, np.load(folder / "image_feat.npy")[[0, 2]])
    text = RunFolder(tmp_path / "run").features("text")
    np.testing.assert_allclose(text.matrix, np.load(folder / "text_feat.npy")[[0, 2]], rtol=1e-6)


CUT = gzip.compress(
    b"".join(json.dumps({"asin": str(n), "x": "y" * n}).encode() + b"\n" for n in range(4000))
)
OPEN = {"items": _items, "interactions": _interactions}


@pytest.mark.parametrize(
    ("scheme", "kind", "name", "content", "expected"),
    [
        (
            "amazon-2018",
            "items",
            "m.json.gz",
            CUT[: len(CUT) // 2],
            r"m\.json\.gz, after line \d+, cannot be read",
        ),
        ("amazon-2018", "items", "m.json", b'{"asin": "1"}\n{"asin": \n', "line 2: not a JSON object"),
        (
            "amazon-2014",
            "items",
            "m.json",
            b"{'asin': '1'}\n{'asin': __import__('os')}\n",
            "line 2: not a JSON",
        ),
        ("amazon-2023", "items", "m.jsonl", b'{"asin": "1"}\n', "line 1: no 'parent_asin'.*edition"),
        ("amazon-2018", "items", "m.json", b'{"asin": "1"}\n{"asin": "\xe9"}\n', "line 2: not UTF-8"),
        ("amazon-2018", "interactions", "r.json", b'{"asin": "1"}\n', "line 1: no 'reviewerID'"),
        (
            "movielens",
            "items",
            "movies.csv",
            b"id,title,genres\n1,a,b\n",
            "line 1: expected the header movieId",
        ),
        ("movielens", "items", "movies.csv", b"movieId,title,genres\n1,\xe9,b\n", "line 2: not UTF-8"),
        ("movielens", "items", "movies.dat", b"1::a::b\n2::c\n", "line 2: expected 3 fields"),
        (
            "movielens",
            "interactions",
            "ratings.csv",
            b"userId,movieId\n",
            "line 1: expected the header userId",
        ),
        ("movielens", "interactions", "u.data", b"1\t2\t3\t4\n1 2 3 4\n", "line 2: expected 4 fields"),
        ("mmrec", "interactions", "a.inter", b"user\titemID\n", "line 1: expected a tab-separated header"),
        ("mmrec", "interactions", "a.inter", b"userID\titemID\n0\t1\n0\n", "line 3: expected 2"),
        ("mmrec", "interactions", "a.inter", b"userID\titemID\nu1\t1\n", "line 2: userID and itemID must be"),
        ("", "items", "a.item", b"item_id:token\tt:token\n1\ta\n2\t\xe9\n", "a.item, line 3, is not UTF-8"),
        ("", "items", "a.csv.gz", CUT[: len(CUT) // 2], r"a\.csv\.gz, after line \d+, cannot be read"),
        (
            "",
            "items",
            "a.jsonl.gz",
            CUT[:-2000] + b"\0" * 99 + CUT[-1901:],
            r"a\.jsonl\.gz, after line \d+, cannot",
        ),
    ],
)
def test_what_is_damaged_is_named_with_its_line(
    tmp_path: Path, scheme: str, kind: str, name: str, content: bytes, expected: str
) -> None:
    (tmp_path / name).write_bytes(content)
    path = tmp_path if scheme == "mmrec" else tmp_path / name
    with pytest.raises(CatalogError, match=expected):
        if scheme:
            OPEN[kind](scheme, path)
        else:
            _all(open_items(str(path), tmp_path))


@pytest.mark.parametrize(
    ("asked", "there"), [("amazon-2018:meta.json", "Meta.json"), ("item.csv", "items.csv")]
)
def test_the_nearest_file_is_named(tmp_path: Path, asked: str, there: str) -> None:
    (tmp_path / there).touch()
    scheme, _, name = asked.rpartition(":")
    path = f"{scheme}:{tmp_path / name}" if scheme else str(tmp_path / name)
    with pytest.raises(CatalogError, match=f"Did you mean .*/{there}\\?"):
        _all(open_items(path, tmp_path))


def test_an_unknown_source_is_named_and_a_file_with_a_colon_opens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        CatalogError, match=r"no source 'amazon-2081', nor a file.*did you mean 'amazon-2018'"
    ):
        open_items("amazon-2081:meta.json", tmp_path)
    with pytest.raises(CatalogError, match="no source 'movie', nor a file of that whole name"):
        open_interactions("movie:log.csv")
    Path("movie:log.csv").write_text("a,b\n1,2\n")
    assert _interactions("movie", Path("log.csv")) == [{"a": "1", "b": "2"}]


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    # A name that says nothing of the layout: no line of the file is at fault, and none is read.
    (tmp_path / "films.csv").write_bytes(b"x")
    with pytest.raises(CatalogError, match=r"films\.csv: MovieLens calls this file movies\.csv"):
        _items("movielens", tmp_path / "films.csv")
    with pytest.raises(CatalogError, match="there is no file"):
        _items("amazon-2018", tmp_path / "no.json")
    with pytest.raises(CatalogError, match=r"one \.inter file, found 0"):
        _items("mmrec", tmp_path)
